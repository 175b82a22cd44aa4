-- +goose Up
-- The slowest request of each row: the ten slowest of a day are found without a look at its records.
ALTER TABLE rollups
  ADD COLUMN slow_ms     double precision,            -- null: no duration is known
  ADD COLUMN slow_at     timestamptz,
  ADD COLUMN slow_req    text NOT NULL DEFAULT '',
  ADD COLUMN slow_url    text NOT NULL DEFAULT '',
  ADD COLUMN slow_status int  NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE rollups DROP COLUMN slow_ms, DROP COLUMN slow_at, DROP COLUMN slow_req, DROP COLUMN slow_url, DROP COLUMN slow_status;
