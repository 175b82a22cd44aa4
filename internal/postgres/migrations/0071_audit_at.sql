-- +goose Up
CREATE INDEX audit_at ON audit (at); -- for what is too old

-- +goose Down
DROP INDEX audit_at;
