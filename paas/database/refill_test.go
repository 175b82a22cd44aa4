package database_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"kurama/internal/config"
	"kurama/internal/postgres"
	"kurama/paas"
)

// grab is what an app could leave in its database for who fills it in again:
// the role that a session has only set is anybody's to take back.
const grab = `CREATE FUNCTION grab(n int) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    PERFORM set_config('role', 'none', false);
    CREATE ROLE grabbed_in_refill;
  EXCEPTION WHEN insufficient_privilege THEN
    NULL; -- as it should be
  END;
  RETURN true;
END $$`

func TestRefill(t *testing.T) {
	w := newWorld(t)
	w.ok(w.CreateDatabase(t.Context(), "acme", "shop", 64<<20))
	d := w.of("acme")
	conn := w.open(d)
	for _, sql := range []string{`CREATE TABLE orders (id serial PRIMARY KEY, note text)`, `INSERT INTO orders (note) VALUES ('one')`,
		grab, `CREATE TABLE trap (n int CHECK (grab(n)))`, `INSERT INTO trap VALUES (1)`} {
		_, err := conn.Exec(t.Context(), sql)
		w.ok(err)
	}
	dsn, err := w.apps.Address(d.Name)
	w.ok(err)
	file, cfg := filepath.Join(t.TempDir(), d.Name), config.Default().Database
	w.ok(postgres.Dump(t.Context(), cfg, dsn, file))
	maintenance, err := w.apps.Address("postgres")
	w.ok(err)
	admin, err := pgx.Connect(t.Context(), maintenance)
	w.ok(err)
	t.Cleanup(func() { _ = admin.Close(context.Background()) })
	_, err = admin.Exec(t.Context(), `DROP DATABASE `+d.Name+` WITH (FORCE)`)
	w.ok(err)

	d.State = paas.DatabaseFull
	w.ok(w.Refill(t.Context(), d, func(dsn string) error { return postgres.Fill(t.Context(), cfg, dsn, d.Name, file) }))

	t.Run("what it held is there, and the app's bounds hold again", func(t *testing.T) {
		conn := w.open(d)
		var note, owner, files string
		err := conn.QueryRow(t.Context(), `SELECT (SELECT note FROM orders), (SELECT tableowner FROM pg_tables WHERE tablename = 'orders'), current_setting('temp_file_limit')`).Scan(&note, &owner, &files)
		if err != nil || note != "one" || owner != d.Name || files != "256MB" {
			t.Errorf("got %q of %q, temporary files up to %s, %v", note, owner, files, err)
		}
		w.refused(conn, readOnly, `INSERT INTO orders (note) VALUES ('two')`)
	})
	t.Run("a function of the app's that ran meanwhile was the app's", func(t *testing.T) {
		var there bool
		err := admin.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grabbed_in_refill')`).Scan(&there)
		if err != nil || there {
			t.Errorf("it took the server's own role: %v, %v", there, err)
		}
	})
	w.ok(w.DeleteDatabase(t.Context(), "acme", "shop"))
}
