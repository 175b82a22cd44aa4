-- +goose Up
-- Samples and events are few beside requests and logs; a day of them is read for the dashboard's history
-- without a look at the others. 3 and 4 are record.KindSample and record.KindEvent.
CREATE INDEX records_few ON records (tenant, app, ts) WHERE kind IN (3, 4);

-- +goose Down
DROP INDEX records_few;
