-- +goose Up
ALTER TABLE users ADD COLUMN email text NOT NULL DEFAULT '';

-- scopes: what a token may do of what its role may; empty = all of it. app: the one app it is for; empty = each.
ALTER TABLE tokens ADD COLUMN scopes text[] NOT NULL DEFAULT '{}', ADD COLUMN app text NOT NULL DEFAULT '';

CREATE TABLE invitations (
  id          uuid PRIMARY KEY,
  hash        bytea NOT NULL UNIQUE,      -- SHA-256 of the secret in the link
  tenant      text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  email       text NOT NULL DEFAULT '',   -- empty: the link is handed over by other means
  role        text NOT NULL CHECK (role IN ('operator','owner','developer','viewer')),
  created_by  text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  expires_at  timestamptz NOT NULL,
  accepted_at timestamptz,
  accepted_by text NOT NULL DEFAULT ''
);
CREATE INDEX invitations_tenant ON invitations (tenant, created_at DESC);

-- Who did what. There is no reference to tenants: what was done outlives whom it was done to.
CREATE TABLE audit (
  id      bigserial PRIMARY KEY,
  at      timestamptz NOT NULL,
  tenant  text NOT NULL,                  -- empty: nobody's, such as a sign-in with a name that does not exist
  who     text NOT NULL,                  -- name of the person, or as it was given
  via     text NOT NULL,                  -- session, token NAME, or nothing
  address text NOT NULL,
  action  text NOT NULL,                  -- operation of the API
  app     text NOT NULL DEFAULT '',
  target  text NOT NULL DEFAULT '',       -- path below /api/v1
  status  int  NOT NULL,                  -- of the answer
  detail  text NOT NULL DEFAULT ''        -- why it was refused
);
CREATE INDEX audit_tenant ON audit (tenant, id DESC);

ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check,
  ADD CONSTRAINT notifications_kind_check CHECK (kind IN ('firing','resolved','test','invitation'));

-- +goose Down
DELETE FROM notifications WHERE kind = 'invitation';
ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check,
  ADD CONSTRAINT notifications_kind_check CHECK (kind IN ('firing','resolved','test'));
DROP TABLE audit, invitations;
ALTER TABLE tokens DROP COLUMN scopes, DROP COLUMN app;
ALTER TABLE users DROP COLUMN email;
