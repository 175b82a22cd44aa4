-- +goose Up
ALTER TABLE alert_rules
  ADD COLUMN keep_firing_ms bigint NOT NULL DEFAULT 0,  -- how long it goes on firing after the condition has ended
  ADD COLUMN repeat_ms      bigint NOT NULL DEFAULT 0,  -- a reminder this often while it fires; 0 = none
  ADD COLUMN told_at        timestamptz,                -- when its receiver was last told that it fires; null = has not been
  ADD COLUMN held_from      timestamptz,                -- firing, or not told of yet: when the condition began to hold
  ADD COLUMN held_to        timestamptz;                -- over, and not told of yet: when it held last
-- Who is told already need not be told again.
UPDATE alert_rules SET told_at = since WHERE state = 'firing';

-- In a silence nobody is told of what an alert (or, with rule null, any alert of the app) does.
CREATE TABLE alert_silences (
  id         uuid PRIMARY KEY,
  tenant     text NOT NULL,
  app        text NOT NULL,
  rule       uuid REFERENCES alert_rules ON DELETE CASCADE,
  starts_at  timestamptz NOT NULL,
  ends_at    timestamptz NOT NULL,
  comment    text NOT NULL DEFAULT '',
  created_by text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (tenant, app) REFERENCES apps ON DELETE CASCADE
);
CREATE INDEX alert_silences_app ON alert_silences (tenant, app, ends_at);

-- Which kinds of exception an app has had, and since when: what is not here is new.
CREATE TABLE alert_exceptions (
  tenant   text NOT NULL,
  app      text NOT NULL,
  kind     text NOT NULL,                               -- type, file and function
  first_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, app, kind),
  FOREIGN KEY (tenant, app) REFERENCES apps ON DELETE CASCADE
);

-- +goose Down
DROP TABLE alert_exceptions, alert_silences;
ALTER TABLE alert_rules DROP COLUMN keep_firing_ms, DROP COLUMN repeat_ms, DROP COLUMN told_at, DROP COLUMN held_from, DROP COLUMN held_to;
