-- +goose Up
-- Folders of an app that outlive its replicas and releases.
CREATE TABLE volumes (
  tenant     text NOT NULL,
  app        text NOT NULL,
  path       text NOT NULL,               -- below the app's source, without / at its ends
  size       bigint NOT NULL,             -- bytes that it can hold
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, app, path),
  FOREIGN KEY (tenant, app) REFERENCES apps ON DELETE CASCADE
);

-- +goose Down
DROP TABLE volumes;
