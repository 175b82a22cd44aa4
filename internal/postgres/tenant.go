package postgres

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/paas"
)

// TenantRole is the role of the database that the API's queries run as: it is
// bound by row-level security, and its policies show the rows of the tenant
// that the connection is set to. The checks in code come first; this is what
// remains when one of them is forgotten.
const TenantRole = "kurama_tenant"

// tenantSetting is the variable of a connection that names its tenant.
const tenantSetting = "kurama.tenant"

// OpenTenants is Open for queries on behalf of a tenant: each connection is set
// to the tenant of the context that it is taken with (paas.ForTenant). Without one a query sees
// nothing and can write nothing.
func OpenTenants(ctx context.Context, dsn string, maxConns int) (*pgxpool.Pool, error) {
	return open(ctx, dsn, maxConns, func(cfg *pgxpool.Config) {
		cfg.ConnConfig.RuntimeParams["role"] = TenantRole
		cfg.PrepareConn = setTenant
	})
}

// setTenant makes a connection the tenant's of ctx. One that cannot be set is
// thrown away.
func setTenant(ctx context.Context, conn *pgx.Conn) (bool, error) {
	tenant := paas.TenantOf(ctx)
	if now, ok := conn.PgConn().CustomData()[tenantSetting]; ok && now == tenant {
		return true, nil
	}
	if _, err := conn.Exec(ctx, `SELECT set_config($1, $2, false)`, tenantSetting, tenant); err != nil {
		return false, fmt.Errorf("setting the tenant of a connection: %w", err)
	}
	conn.PgConn().CustomData()[tenantSetting] = tenant
	return true, nil
}

// makeRole makes the role where it is missing, and lets the database's user
// become it. Roles are the cluster's, so that two databases of it share it.
// From version 16 on, who makes a role is a member of it who may pass it on but
// not become it: that is asked for as SET
// (https://www.postgresql.org/docs/16/role-membership.html).
const makeRole = `DO $$ DECLARE
	become text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
	BEGIN
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kurama_tenant') THEN
			CREATE ROLE kurama_tenant NOLOGIN NOSUPERUSER NOBYPASSRLS;
		END IF;
	EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- another database's migration was first
	END;
	BEGIN
		IF NOT pg_has_role(current_user, 'kurama_tenant', become) THEN
			GRANT kurama_tenant TO CURRENT_USER;
		END IF;
	EXCEPTION WHEN unique_violation THEN NULL;
	END;
END $$`

// protect puts every table that carries a tenant under row-level security, so
// that a table which a later migration adds cannot escape. Tables without a
// tenant are not granted at all, but for a look at how far the sinks are, which a
// log that is followed needs. Their owner, as whom the sinks and the
// deployer work, is not bound.
const protect = `DO $$ DECLARE t record; BEGIN
	PERFORM pg_advisory_xact_lock(7310866);
	FOR t IN SELECT c.relname, CASE WHEN c.relname = 'tenants' THEN 'name' ELSE 'tenant' END AS col
		FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
			AND NOT c.relispartition AND NOT c.relrowsecurity
			AND (c.relname = 'tenants' OR EXISTS (SELECT FROM pg_attribute a
				WHERE a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped))
	LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t.relname);
		EXECUTE format('CREATE POLICY of_tenant ON %I TO kurama_tenant USING (%I = nullif(current_setting(''kurama.tenant'', true), ''''))', t.relname, t.col);
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO kurama_tenant', t.relname);
	END LOOP;
	GRANT SELECT ON sink_positions TO kurama_tenant;
	EXECUTE format('GRANT USAGE ON SCHEMA %I TO kurama_tenant', current_schema());
	EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO kurama_tenant', current_schema());
END $$`

// secure runs after the migrations.
func secure(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, makeRole); err != nil {
		return fmt.Errorf("making the role %s: %w. Where the database's user may not, have its owner run: CREATE ROLE %s NOLOGIN; GRANT %s TO that user", TenantRole, err, TenantRole, TenantRole)
	}
	if _, err := db.ExecContext(ctx, protect); err != nil {
		return fmt.Errorf("putting the tables under row-level security: %w", err)
	}
	return nil
}
