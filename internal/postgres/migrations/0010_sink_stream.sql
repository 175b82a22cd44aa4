-- +goose Up
-- Which stream a sink's position is on: when it was made. Empty: not known yet.
-- Without it, a stream that took the place of another and grew past the position would be skipped up to there.
ALTER TABLE sink_positions ADD COLUMN stream text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE sink_positions DROP COLUMN stream;
