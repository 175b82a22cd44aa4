-- +goose Up
ALTER TABLE quotas ADD COLUMN disk bigint NOT NULL DEFAULT 0,           -- bytes: writable space of replicas, and volumes
  ADD COLUMN build_minutes double precision NOT NULL DEFAULT 0;         -- of installing dependencies, in any 24 hours

-- What builds have taken, apart from the apps: a deleted app gives no minutes back.
CREATE TABLE build_use (
  tenant  text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  at      timestamptz NOT NULL DEFAULT now(),
  seconds double precision NOT NULL
);
CREATE INDEX build_use_tenant ON build_use (tenant, at);

-- +goose Down
DROP TABLE build_use;
ALTER TABLE quotas DROP COLUMN disk, DROP COLUMN build_minutes;
