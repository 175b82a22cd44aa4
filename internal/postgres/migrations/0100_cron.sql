-- +goose Up
-- Runs of the jobs that apps have in their kurama.yaml, and those that did not happen.
CREATE TABLE cron_runs (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant     text NOT NULL,
  app        text NOT NULL,
  job        text NOT NULL,
  release    integer NOT NULL,
  due_at     timestamptz NOT NULL,
  started_at timestamptz,
  ended_at   timestamptz,
  outcome    text NOT NULL,               -- running ok failed timeout lost skipped missed
  exit       integer,
  said       text NOT NULL DEFAULT '',    -- last lines, or why it did not run
  by         text NOT NULL DEFAULT '',    -- who asked for it; empty: the schedule
  count      integer NOT NULL DEFAULT 0,  -- of missed runs
  FOREIGN KEY (tenant, app) REFERENCES apps ON DELETE CASCADE
);
CREATE INDEX cron_runs_of_job ON cron_runs (tenant, app, job, id DESC);

-- +goose Down
DROP TABLE cron_runs;
