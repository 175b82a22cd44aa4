-- +goose Up
ALTER TABLE apps ADD COLUMN rollback jsonb NOT NULL DEFAULT '{}';  -- paas.AutoRollback: whether the app goes back by itself
ALTER TABLE releases
  ADD COLUMN share       int  NOT NULL DEFAULT 0,   -- percent of the clients that it was deployed for as a canary; 0: for all
  ADD COLUMN canary_at   timestamptz,               -- when it first got requests as a canary
  ADD COLUMN rolled_back text NOT NULL DEFAULT '';  -- why Kurama took it back by itself; empty: it did not
CREATE INDEX releases_trial ON releases (tenant, app) WHERE share > 0 AND state IN ('building', 'starting');

-- +goose Down
DROP INDEX releases_trial;
ALTER TABLE releases DROP COLUMN share, DROP COLUMN canary_at, DROP COLUMN rolled_back;
ALTER TABLE apps DROP COLUMN rollback;
