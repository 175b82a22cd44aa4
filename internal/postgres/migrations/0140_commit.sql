-- +goose Up
-- What was pushed with git: short id and first line of the commit; empty: an upload.
ALTER TABLE releases ADD COLUMN commit text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE releases DROP COLUMN commit;
