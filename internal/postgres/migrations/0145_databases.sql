-- +goose Up
-- The Postgres databases of apps, which lie in a cluster of their own.
CREATE TABLE databases (
  tenant     text NOT NULL,
  app        text NOT NULL,
  name       text NOT NULL UNIQUE,        -- of the database and of its owner there
  turn       int NOT NULL DEFAULT 0,      -- how often the password was changed
  password   text NOT NULL,               -- encrypted like settings
  size       bigint NOT NULL,             -- bytes that it may hold
  used       bigint,                      -- bytes that it held when last measured
  full_at    bigint NOT NULL DEFAULT 0,   -- bytes that it held when it was found full
  state      text NOT NULL DEFAULT 'open',
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, app),
  FOREIGN KEY (tenant, app) REFERENCES apps ON DELETE CASCADE
);

-- +goose Down
DROP TABLE databases;
