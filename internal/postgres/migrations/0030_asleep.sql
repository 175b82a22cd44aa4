-- +goose Up
-- The autoscaler took the last replica of an app that nobody asked for: the next request wakes it.
ALTER TABLE apps ADD COLUMN asleep boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE apps DROP COLUMN asleep;
