-- +goose Up
-- paas.Routing: maintenance, access and rate of an app.
ALTER TABLE apps ADD COLUMN routing jsonb NOT NULL DEFAULT '{}';

-- Hosts that apps answer on beside their own names; each belongs to one app.
CREATE TABLE domains (
  host       text PRIMARY KEY,            -- lower case, without port
  tenant     text NOT NULL,
  app        text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (tenant, app) REFERENCES apps ON DELETE CASCADE
);
CREATE INDEX domains_app ON domains (tenant, app);

-- +goose Down
DROP TABLE domains;
ALTER TABLE apps DROP COLUMN routing;
