-- +goose Up
-- What becomes of an app's records behind the stream (paas.Pipeline without its receivers, which are alert_rules).
-- The services read the whole table every second or two; an app that gives everything to everybody has no row,
-- unless somebody looks at its pipeline.
CREATE TABLE pipelines (
  tenant        text NOT NULL,
  app           text NOT NULL,
  config        jsonb NOT NULL DEFAULT '{}',
  updated_by    text NOT NULL DEFAULT '',
  updated_at    timestamptz NOT NULL DEFAULT now(),
  watched_until timestamptz,              -- until then the services count the app's records
  PRIMARY KEY (tenant, app),
  FOREIGN KEY (tenant, app) REFERENCES apps ON DELETE CASCADE
);

-- +goose Down
DROP TABLE pipelines;
