package postgres_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/postgres"
	"kurama/internal/postgres/pgtest"
	"kurama/paas"
)

// noTenant are the tables that belong to the platform as a whole.
var noTenant = []string{"goose_db_version", "sink_positions"}

// TestAUserWhoIsNoSuperuser migrates as the user that a hosted database gives.
func TestAUserWhoIsNoSuperuser(t *testing.T) {
	admin := pgtest.Empty(t)
	cfg, err := pgxpool.ParseConfig(admin)
	if err != nil {
		t.Fatal(err)
	}
	super, name := cfg.ConnConfig.User, cfg.ConnConfig.Database
	pool, err := postgres.Open(t.Context(), admin, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	for _, sql := range []string{`CREATE ROLE hosted LOGIN CREATEROLE NOSUPERUSER`, `ALTER DATABASE ` + name + ` OWNER TO hosted`} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	dsn := strings.Replace(admin, "://"+super+"@", "://hosted@", 1)
	for range 2 { // and finds its grant again
		if err := postgres.Migrate(t.Context(), dsn); err != nil {
			t.Fatal(err)
		}
	}
	bound, err := postgres.OpenTenants(t.Context(), dsn, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer bound.Close()
	var as string
	if err := bound.QueryRow(t.Context(), `SELECT current_user || ' for ' || session_user FROM tenants RIGHT JOIN (SELECT) one ON true`).Scan(&as); err != nil || as != "kurama_tenant for hosted" {
		t.Errorf("queries run as %q, %v", as, err)
	}
}

func TestTenants(t *testing.T) {
	dsn := pgtest.DSN(t)
	open := func(open func(context.Context, string, int) (*pgxpool.Pool, error)) *pgxpool.Pool {
		pool, err := open(t.Context(), dsn, 2)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		return pool
	}
	owner, bound := open(postgres.Open), open(postgres.OpenTenants)
	for _, tenant := range []string{"acme", "bee"} {
		if _, err := owner.Exec(t.Context(), `INSERT INTO tenants VALUES ($1)`, tenant); err != nil {
			t.Fatal(err)
		}
		if _, err := owner.Exec(t.Context(), `INSERT INTO apps (tenant, name) VALUES ($1, 'shop')`, tenant); err != nil {
			t.Fatal(err)
		}
		if _, err := owner.Exec(t.Context(), `INSERT INTO records (ts, id, seq, release, kind, level, tenant, app, replica, msg)
			VALUES (now(), gen_random_uuid(), 1, 1, 0, 0, $1, 'shop', 'r', 'hello')`, tenant); err != nil {
			t.Fatal(err)
		}
	}
	column := func(ctx context.Context, sql string) []string {
		t.Helper()
		rows, err := bound.Query(ctx, sql)
		if err != nil {
			t.Fatal(err)
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	acme := paas.ForTenant(t.Context(), "acme")

	t.Run("a query without a tenant sees nothing, one with it sees its own", func(t *testing.T) {
		for _, sql := range []string{`SELECT tenant FROM apps`, `SELECT tenant FROM records`, `SELECT name FROM tenants`} {
			for range 3 { // the connections are used again for others
				if got := column(acme, sql); !slices.Equal(got, []string{"acme"}) {
					t.Errorf("%s: acme sees %v", sql, got)
				}
				if got := column(t.Context(), sql); len(got) > 0 {
					t.Errorf("%s: nobody sees %v", sql, got)
				}
				if got := column(paas.ForTenant(t.Context(), "bee"), sql); !slices.Equal(got, []string{"bee"}) {
					t.Errorf("%s: bee sees %v", sql, got)
				}
			}
		}
	})
	t.Run("nothing of another tenant's can be written", func(t *testing.T) {
		for _, sql := range []string{`INSERT INTO apps (tenant, name) VALUES ('bee', 'x')`, `INSERT INTO tenants VALUES ('new')`, `UPDATE apps SET tenant = 'bee'`} {
			if _, err := bound.Exec(acme, sql); err == nil {
				t.Errorf("%s went through", sql)
			}
		}
		for _, sql := range []string{`UPDATE apps SET name = 'x' WHERE tenant = 'bee'`, `DELETE FROM apps WHERE tenant = 'bee'`} {
			if tag, err := bound.Exec(acme, sql); err != nil || tag.RowsAffected() != 0 {
				t.Errorf("%s: %v, %v", sql, tag, err)
			}
		}
	})
	t.Run("the role cannot step around it", func(t *testing.T) {
		var may bool
		if err := owner.QueryRow(t.Context(), `SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = $1`, postgres.TenantRole).Scan(&may); err != nil || may {
			t.Errorf("may %v, %v", may, err)
		}
		for _, sql := range []string{`SELECT FROM records_default`, `UPDATE sink_positions SET seq = 0`, `DELETE FROM sink_positions`, `ALTER TABLE apps DISABLE ROW LEVEL SECURITY`} {
			if _, err := bound.Exec(acme, sql); err == nil {
				t.Errorf("%s went through", sql)
			}
		}
	})
	t.Run("it sees how far the sinks are, as a log that is followed has to", func(t *testing.T) {
		if _, err := bound.Exec(acme, `SELECT seq FROM sink_positions`); err != nil {
			t.Error(err)
		}
	})
	t.Run("no table escapes", func(t *testing.T) {
		rows, err := owner.Query(t.Context(), `SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
			AND relkind IN ('r', 'p') AND NOT relispartition AND NOT relrowsecurity ORDER BY 1`)
		if err != nil {
			t.Fatal(err)
		}
		if open, err := pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || !slices.Equal(open, noTenant) {
			t.Errorf("without row-level security: %v, want %v, %v. Give the table a column tenant", open, noTenant, err)
		}
	})
}
