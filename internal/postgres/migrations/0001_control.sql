-- +goose Up
-- Control state. Every row carries its tenant.
CREATE TABLE tenants (
  name       text PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- role: operator (above all tenants), owner, developer, viewer
CREATE TABLE users (
  name          text PRIMARY KEY,
  tenant        text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  role          text NOT NULL CHECK (role IN ('operator','owner','developer','viewer')),
  password_hash text NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
  hash       bytea PRIMARY KEY,           -- SHA-256 of the cookie
  tenant     text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  user_name  text NOT NULL REFERENCES users ON DELETE CASCADE,
  csrf       text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);

CREATE TABLE tokens (
  id         uuid PRIMARY KEY,
  hash       bytea NOT NULL UNIQUE,       -- SHA-256 of the token
  tenant     text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  name       text NOT NULL,
  role       text NOT NULL CHECK (role IN ('operator','owner','developer','viewer')),
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  used_at    timestamptz
);

-- state: new, deploying, running, stopped, failed, deleting
CREATE TABLE apps (
  tenant       text NOT NULL REFERENCES tenants ON DELETE CASCADE,
  name         text NOT NULL,
  uid          serial NOT NULL,           -- the container's uid is 20000 + uid
  state        text NOT NULL DEFAULT 'new',
  reason       text NOT NULL DEFAULT '',  -- one sentence, where the state needs one
  desired      int  NOT NULL DEFAULT 1,   -- replicas wanted
  release      int  NOT NULL DEFAULT 0,   -- the live release; 0 = none yet
  last_release int  NOT NULL DEFAULT 0,   -- the highest number given out
  restart      int  NOT NULL DEFAULT 0,   -- raised by one to ask for a rolling restart
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, name)
);

CREATE TABLE app_env (
  tenant text NOT NULL,
  app    text NOT NULL,
  key    text NOT NULL,
  value  text NOT NULL,
  PRIMARY KEY (tenant, app, key),
  FOREIGN KEY (tenant, app) REFERENCES apps ON DELETE CASCADE
);

-- state: building, starting, live, superseded, failed
CREATE TABLE releases (
  tenant        text NOT NULL,
  app           text NOT NULL,
  number        int  NOT NULL,
  state         text NOT NULL,
  reason        text NOT NULL DEFAULT '',
  source_digest text NOT NULL DEFAULT '', -- sha256 of the unpacked source
  layer         text NOT NULL DEFAULT '', -- key of the dependency layer; empty = base image only
  start         jsonb NOT NULL DEFAULT '{}', -- paas.Start: how the app is started, and why
  limits        jsonb NOT NULL DEFAULT '{}', -- paas.Limits
  env           jsonb NOT NULL DEFAULT '{}',
  rollback_of   int  NOT NULL DEFAULT 0,
  created_by    text NOT NULL DEFAULT '',
  created_at    timestamptz NOT NULL DEFAULT now(),
  live_at       timestamptz,
  PRIMARY KEY (tenant, app, number),
  FOREIGN KEY (tenant, app) REFERENCES apps ON DELETE CASCADE
);

CREATE TABLE build_log (
  tenant  text NOT NULL,
  app     text NOT NULL,
  release int  NOT NULL,
  n       int  NOT NULL,
  at      timestamptz NOT NULL DEFAULT now(),
  step    text NOT NULL DEFAULT '',       -- unpack, detect, dependencies, start, health, switch, drain, done, failed
  line    text NOT NULL,
  PRIMARY KEY (tenant, app, release, n),
  FOREIGN KEY (tenant, app, release) REFERENCES releases ON DELETE CASCADE
);

-- Autoscaling: what the app wants, and every decision with its reason.
CREATE TABLE policies (
  tenant text NOT NULL,
  app    text NOT NULL,
  policy jsonb NOT NULL,
  PRIMARY KEY (tenant, app),
  FOREIGN KEY (tenant, app) REFERENCES apps ON DELETE CASCADE
);

CREATE TABLE decisions (
  id            bigserial PRIMARY KEY,
  tenant        text NOT NULL,
  app           text NOT NULL,
  at            timestamptz NOT NULL,
  policy        text NOT NULL,
  from_replicas int  NOT NULL,
  to_replicas   int  NOT NULL,
  reason        text NOT NULL,
  inputs        jsonb NOT NULL DEFAULT '{}',
  FOREIGN KEY (tenant, app) REFERENCES apps ON DELETE CASCADE
);
CREATE INDEX decisions_app_at ON decisions (tenant, app, at DESC);

-- Alerts. state: ok, pending, firing.
CREATE TABLE alert_rules (
  id         uuid PRIMARY KEY,
  tenant     text NOT NULL,
  app        text NOT NULL,
  condition  text NOT NULL,               -- as written: cpu > 90
  for_ms     bigint NOT NULL DEFAULT 0,
  receiver   text NOT NULL,               -- an e-mail address
  state      text NOT NULL DEFAULT 'ok',
  since      timestamptz,                 -- when the state began
  value      text NOT NULL DEFAULT '',    -- the last figure seen, with its unit
  created_by text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (tenant, app) REFERENCES apps ON DELETE CASCADE
);

-- One row per message. state: pending, sent, outbox (no SMTP configured), failed.
CREATE TABLE notifications (
  id         uuid PRIMARY KEY,
  tenant     text NOT NULL,
  app        text NOT NULL,
  rule       uuid,
  kind       text NOT NULL CHECK (kind IN ('firing','resolved','test')),
  recipient  text NOT NULL,
  subject    text NOT NULL,
  body_text  text NOT NULL,
  body_html  text NOT NULL,
  state      text NOT NULL DEFAULT 'pending',
  attempts   int  NOT NULL DEFAULT 0,
  next_at    timestamptz NOT NULL DEFAULT now(),
  error      text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at    timestamptz
);
CREATE INDEX notifications_pending ON notifications (next_at) WHERE state = 'pending';
CREATE INDEX notifications_app ON notifications (tenant, app, created_at DESC);

-- +goose Down
DROP TABLE notifications, alert_rules, decisions, policies, build_log, releases, app_env, apps, tokens, sessions, users, tenants;
