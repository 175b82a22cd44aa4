package postgres_test

import (
	"path/filepath"
	"testing"

	"kurama/internal/config"
	"kurama/internal/postgres"
	"kurama/internal/postgres/pgtest"
	"kurama/paas"
)

// firstSchema is the last migration of the first version that was given out.
const firstSchema = 5

// TestUpgrade brings a database with data of the first version up to date, and
// that one through a dump.
func TestUpgrade(t *testing.T) {
	dsn := pgtest.Empty(t)
	if err := postgres.MigrateTo(t.Context(), dsn, firstSchema); err != nil {
		t.Fatal(err)
	}
	old, err := postgres.Open(t.Context(), dsn, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	for _, sql := range []string{
		`INSERT INTO tenants (name) VALUES ('acme')`,
		`INSERT INTO users (name, tenant, role, password_hash) VALUES ('ann', 'acme', 'owner', 'hash')`,
		`INSERT INTO tokens (id, hash, tenant, name, role, created_by) VALUES (gen_random_uuid(), 'x', 'acme', 'ci', 'developer', 'ann')`,
		`INSERT INTO apps (tenant, name, release) VALUES ('acme', 'shop', 1)`,
		`INSERT INTO app_env VALUES ('acme', 'shop', 'COLOUR', 'orange')`,
		`INSERT INTO releases (tenant, app, number, state) VALUES ('acme', 'shop', 1, 'live')`,
		`INSERT INTO quotas VALUES ('acme', 5, 6, 7, 8)`,
		`INSERT INTO records (ts, id, seq, release, kind, level, tenant, app, replica, msg) VALUES (now(), gen_random_uuid(), 1, 1, 0, 0, 'acme', 'shop', 'r', 'hello')`,
		`INSERT INTO sink_positions (sink, seq) VALUES ('persist', 42)`,
	} {
		if _, err := old.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	kept := func(t *testing.T, dsn string) {
		t.Helper()
		pool, err := postgres.OpenTenants(t.Context(), dsn, 2)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		var owner, scopes, release, messages, apps int
		err = pool.QueryRow(paas.ForTenant(t.Context(), "acme"), `SELECT (SELECT count(*) FROM users WHERE role = 'owner' AND email = ''),
			(SELECT count(*) FROM tokens WHERE scopes = '{}'), (SELECT release FROM apps), (SELECT count(*) FROM records WHERE msg = 'hello'),
			(SELECT apps FROM quotas WHERE disk = 0)`).Scan(&owner, &scopes, &release, &messages, &apps)
		if err != nil || owner != 1 || scopes != 1 || release != 1 || messages != 1 || apps != 5 {
			t.Errorf("after the upgrade: %d owners, %d tokens, release %d, %d messages, %d apps, %v", owner, scopes, release, messages, apps, err)
		}
	}
	dump, fresh := filepath.Join(t.TempDir(), "dump"), pgtest.Empty(t)
	if err := postgres.Dump(t.Context(), config.Default().Database, dsn, dump); err != nil {
		t.Fatal(err)
	}
	t.Run("in place", func(t *testing.T) {
		if err := postgres.Migrate(t.Context(), dsn); err != nil {
			t.Fatal(err)
		}
		kept(t, dsn)
	})
	t.Run("from a backup of the older version", func(t *testing.T) {
		if err := postgres.Restore(t.Context(), config.Default().Database, fresh, dump); err != nil {
			t.Fatal(err)
		}
		kept(t, fresh)
	})
	t.Run("a database that is in use is not filled", func(t *testing.T) {
		if err := postgres.Restore(t.Context(), config.Default().Database, dsn, dump); err == nil {
			t.Error("it was")
		}
		kept(t, dsn)
	})
}
