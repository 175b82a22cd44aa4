-- +goose Up
-- Names of tenants and apps are compared byte by byte, whatever the locale of the database; and no two records
-- of an app share their microsecond often enough for the index to look for duplicates. Both cost each row CPU.
DROP INDEX records_app_ts;
ALTER TABLE records ALTER COLUMN tenant TYPE text COLLATE "C", ALTER COLUMN app TYPE text COLLATE "C";
CREATE INDEX records_app_ts ON records (tenant, app, ts) WITH (deduplicate_items = off);

-- +goose Down
DROP INDEX records_app_ts;
ALTER TABLE records ALTER COLUMN tenant TYPE text COLLATE "default", ALTER COLUMN app TYPE text COLLATE "default";
CREATE INDEX records_app_ts ON records (tenant, app, ts);
