-- +goose Up
-- Stacks of the sampling profiler are few beside other records: an app's are found without a look at those.
-- 5 is record.KindProfile.
CREATE INDEX records_profile ON records (tenant, app, ts) WHERE kind = 5;

-- +goose Down
DROP INDEX records_profile;
