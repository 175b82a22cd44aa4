-- +goose Up
ALTER TABLE apps ADD COLUMN runtime text NOT NULL DEFAULT ''; -- OCI runtime of its containers; empty: the installation's

-- +goose Down
ALTER TABLE apps DROP COLUMN runtime;
