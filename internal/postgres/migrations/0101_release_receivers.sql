-- +goose Up
-- Who is told when a release of an app is live or has failed.
CREATE TABLE release_receivers (
  tenant     text NOT NULL,
  app        text NOT NULL,
  receiver   text NOT NULL,               -- an e-mail address, https://… or slack:https://…
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, app, receiver),
  FOREIGN KEY (tenant, app) REFERENCES apps ON DELETE CASCADE
);
ALTER TABLE notifications ADD COLUMN release jsonb,  -- that the message is about, for webhooks
  DROP CONSTRAINT notifications_kind_check,
  ADD CONSTRAINT notifications_kind_check CHECK (kind IN ('firing','resolved','test','invitation','release'));

-- +goose Down
DROP TABLE release_receivers;
DELETE FROM notifications WHERE kind = 'release';
ALTER TABLE notifications DROP COLUMN release,
  DROP CONSTRAINT notifications_kind_check,
  ADD CONSTRAINT notifications_kind_check CHECK (kind IN ('firing','resolved','test','invitation'));
