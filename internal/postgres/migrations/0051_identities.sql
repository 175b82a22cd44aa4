-- +goose Up
-- People as a provider of sign-ins knows them (OpenID Connect).
CREATE TABLE user_identities (
  issuer     text NOT NULL,
  subject    text NOT NULL,
  tenant     text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  user_name  text NOT NULL REFERENCES users ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (issuer, subject)
);

-- +goose Down
DROP TABLE user_identities;
