-- +goose Up
-- Runs of simulated requests against an app; the last of each app are kept.
CREATE TABLE load_tests (
  id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text NOT NULL,
  app    text NOT NULL,
  state  text NOT NULL,                   -- running, done, stopped
  told   json NOT NULL,                   -- paas.LoadTest without its id and its report
  report json,                            -- once it is over
  FOREIGN KEY (tenant, app) REFERENCES apps ON DELETE CASCADE
);
CREATE INDEX load_tests_app ON load_tests (tenant, app, id);

-- +goose Down
DROP TABLE load_tests;
