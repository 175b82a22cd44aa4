-- +goose Up
-- Log records: typed columns, range partitions by day, created ahead by persist.
-- Fixed-width columns first. seq is the stream sequence of the record's batch.
CREATE TABLE records (
  ts      timestamptz NOT NULL,
  id      uuid        NOT NULL,
  seq     bigint      NOT NULL,
  release int         NOT NULL,
  cpu     real,
  disk    real,
  swap    real,
  mem     real,
  dur     real,
  queue   real,
  cpu_ms  real,
  status  smallint,
  kind    smallint    NOT NULL,           -- record.Kind
  level   smallint    NOT NULL,           -- record.Level
  tenant  text        NOT NULL,
  app     text        NOT NULL,
  replica text        NOT NULL,
  method  text,
  url     text,
  route   text,
  req     text,
  msg     text        NOT NULL,
  exc     text,
  extra   jsonb
) PARTITION BY RANGE (ts);
CREATE INDEX records_app_ts ON records (tenant, app, ts);
CREATE INDEX records_ts ON records USING brin (ts);
-- What no daily partition takes (a clock that is far off) is kept here.
CREATE TABLE records_default PARTITION OF records DEFAULT;

-- How far each sink has read the stream; written in the sink's own transaction.
CREATE TABLE sink_positions (
  sink text NOT NULL,
  seq  bigint NOT NULL,
  PRIMARY KEY (sink)
);

-- Per-route rollups by minute, written by profile. sketch is a DDSketch of dur in ms.
CREATE TABLE rollups (
  minute   timestamptz NOT NULL,
  tenant   text   NOT NULL,
  app      text   NOT NULL,
  release  int    NOT NULL,
  method   text   NOT NULL,
  route    text   NOT NULL,
  requests bigint NOT NULL,
  errors   bigint NOT NULL,
  dur_sum  double precision NOT NULL,
  cpu_sum  double precision NOT NULL,
  sketch   bytea  NOT NULL,
  PRIMARY KEY (tenant, app, minute, release, method, route)
);

-- +goose Down
DROP TABLE rollups, sink_positions, records;
