-- +goose Up
-- Of how many requests the CPU time is known: a mean over the others would be wrong, and none is not 0.
ALTER TABLE rollups ADD COLUMN cpu_count bigint NOT NULL DEFAULT 0;
CREATE INDEX rollups_minute ON rollups USING brin (minute);

-- +goose Down
DROP INDEX rollups_minute;
ALTER TABLE rollups DROP COLUMN cpu_count;
