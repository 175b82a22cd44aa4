-- +goose Up
-- What the apps of a tenant may reach, where that is not the default of the configuration.
CREATE TABLE egress (
  tenant text PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  mode   text NOT NULL,
  allow  text[] NOT NULL                 -- destinations: name, address or range, and ports
);
ALTER TABLE quotas ADD COLUMN cpu_weight int NOT NULL DEFAULT 0,      -- while the cores are busy; 0: as everybody
  ADD COLUMN log_bytes bigint NOT NULL DEFAULT 0;                     -- that apps log in a day (UTC)

-- +goose Down
ALTER TABLE quotas DROP COLUMN cpu_weight, DROP COLUMN log_bytes;
DROP TABLE egress;
