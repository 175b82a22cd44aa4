-- +goose Up
-- What a request waited for its database, and what its answer weighed.
ALTER TABLE records
  ADD COLUMN db_ms real,                              -- null: it made no call
  ADD COLUMN bytes bigint;
ALTER TABLE rollups
  ADD COLUMN db_sum      double precision NOT NULL DEFAULT 0,  -- ms
  ADD COLUMN bytes_sum   double precision NOT NULL DEFAULT 0,
  ADD COLUMN bytes_count bigint           NOT NULL DEFAULT 0;  -- requests whose bytes are known

-- +goose Down
ALTER TABLE rollups DROP COLUMN db_sum, DROP COLUMN bytes_sum, DROP COLUMN bytes_count;
ALTER TABLE records DROP COLUMN db_ms, DROP COLUMN bytes;
