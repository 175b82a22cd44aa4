-- +goose Up
-- What the operator allows a tenant, where that is not the default of the configuration. 0 = no bound.
CREATE TABLE quotas (
  tenant   text PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  apps     int NOT NULL,
  replicas int NOT NULL,
  cpu      double precision NOT NULL,     -- cores
  memory   bigint NOT NULL                -- bytes
);

-- +goose Down
DROP TABLE quotas;
