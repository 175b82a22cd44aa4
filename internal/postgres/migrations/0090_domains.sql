-- +goose Up
-- A domain is a host, or a path below one, that an app asks for; it leads
-- there once its tenant has shown that the host is theirs.
ALTER TABLE domains RENAME COLUMN host TO name;
ALTER TABLE domains
  ADD COLUMN active_at  timestamptz,               -- NULL: not shown yet
  ADD COLUMN checked_at timestamptz,
  ADD COLUMN says       text NOT NULL DEFAULT '';  -- why it is not active, and what to do
UPDATE domains SET active_at = created_at;
ALTER TABLE domains DROP CONSTRAINT domains_pkey;
ALTER TABLE domains ADD PRIMARY KEY (name, tenant, app);
CREATE UNIQUE INDEX domains_active ON domains (name) WHERE active_at IS NOT NULL;

-- +goose Down
DELETE FROM domains WHERE active_at IS NULL;
DROP INDEX domains_active;
ALTER TABLE domains DROP CONSTRAINT domains_pkey;
ALTER TABLE domains DROP COLUMN active_at, DROP COLUMN checked_at, DROP COLUMN says;
ALTER TABLE domains RENAME COLUMN name TO host;
ALTER TABLE domains ADD PRIMARY KEY (host);
