-- +goose Up
-- email_proven: a provider of sign-ins vouched for the address. One that somebody typed ties nobody to the account.
ALTER TABLE users ADD COLUMN email_proven boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE users DROP COLUMN email_proven;
