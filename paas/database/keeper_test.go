package database_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/paas"
	"kurama/paas/database"
	"kurama/paas/store"
)

// world is a keeper with a real store and a real cluster, and an app in each of
// two tenants.
type world struct {
	*testing.T
	*database.Keeper
	store *store.Store
	apps  *pgtest.Apps
}

func newWorld(t *testing.T) *world {
	t.Helper()
	pool, apps := pgtest.New(t), pgtest.NewApps()
	w := &world{T: t, store: store.New(pool).Within(paas.Quota{Disk: 4 << 30}), apps: apps}
	w.Keeper = database.New(config.Default().Databases, database.Deps{Store: w.store, Address: apps.Address, Socket: apps.Socket, Want: apps.Start,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	for _, tenant := range []string{"acme", "other"} {
		if _, err := pool.Exec(t.Context(), `INSERT INTO tenants (name) VALUES ($1)`, tenant); err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.CreateApp(t.Context(), tenant, "shop"); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) of(tenant string) paas.Database {
	w.Helper()
	d, err := w.Database(w.Context(), tenant, "shop")
	if err != nil || d == nil {
		w.Fatalf("the database of %s: %v, %v", tenant, d, err)
	}
	return *d
}

// dial signs in as the app does, by its address, but from the host.
func (w *world) dial(user, password, name string) (*pgx.Conn, error) {
	u := url.URL{Scheme: "postgresql", User: url.UserPassword(user, password), Path: "/" + name, RawQuery: url.Values{"host": {w.apps.Socket}}.Encode()}
	return pgx.Connect(w.Context(), u.String())
}

func (w *world) open(d paas.Database) *pgx.Conn {
	w.Helper()
	conn, err := w.dial(d.Login(), d.Password, d.Name)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// code is that of an error of Postgres'
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func code(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code
	}
	return fmt.Sprint(err)
}

func (w *world) refused(conn *pgx.Conn, want, sql string) {
	w.Helper()
	if _, err := conn.Exec(w.Context(), sql); code(err) != want {
		w.Errorf("%s: %v, want the code %s", sql, err, want)
	}
}

const (
	noAdmission = "28000"
	badPassword = "28P01"
	noPrivilege = "42501"
	noMemory    = "53200"
	readOnly    = "25006"
	tooMany     = "53300"
)

func TestDatabases(t *testing.T) {
	w := newWorld(t)
	for _, tenant := range []string{"acme", "other"} {
		w.ok(w.CreateDatabase(t.Context(), tenant, "shop", 64<<20))
	}
	mine, theirs := w.of("acme"), w.of("other")
	conn := w.open(mine)
	run := func(sql string) {
		t.Helper()
		_, err := conn.Exec(t.Context(), sql)
		w.ok(err)
	}
	run(`CREATE TABLE orders (id serial PRIMARY KEY, note text)`)
	run(`INSERT INTO orders (note) VALUES ('one')`)

	t.Run("an app gets one, within its tenant's quota", func(t *testing.T) {
		if err := w.CreateDatabase(t.Context(), "acme", "shop", 0); !errors.Is(err, paas.ErrExists) {
			t.Errorf("a second one: %v", err)
		}
		if err := w.CreateDatabase(t.Context(), "acme", "none", 0); !errors.Is(err, paas.ErrNotFound) {
			t.Errorf("of no app: %v", err)
		}
		if err := w.ResizeDatabase(t.Context(), "acme", "shop", 5<<30); err == nil || !strings.Contains(err.Error(), "5120 MiB of disk, and its quota is 4096 MiB") {
			t.Errorf("beyond the quota: %v", err)
		}
		if app, err := w.store.App(t.Context(), "acme", "shop"); err != nil || app.Restart != 1 {
			t.Errorf("the replicas were asked to restart %d times, %v", app.Restart, err)
		}
	})
	t.Run("another tenant's app does not get in", func(t *testing.T) {
		for name, try := range map[string]struct{ user, password, database, want string }{
			"with its own password":                        {theirs.Login(), theirs.Password, mine.Name, noAdmission},
			"with its own password under the other's name": {mine.Login(), theirs.Password, mine.Name, badPassword},
			"without a password":                           {mine.Login(), "", mine.Name, badPassword},
			"as the owner":                                 {mine.Name, mine.Password, mine.Name, badPassword},
			"to the server's own database":                 {theirs.Login(), theirs.Password, "postgres", noAdmission},
			"to the template of the next one":              {theirs.Login(), theirs.Password, "template1", noAdmission},
		} {
			stranger, err := w.dial(try.user, try.password, try.database)
			if err == nil {
				_ = stranger.Close(t.Context())
			}
			if code(err) != try.want {
				t.Errorf("%s: %v, want the code %s", name, err, try.want)
			}
		}
	})
	t.Run("a role can do nothing beyond its database", func(t *testing.T) {
		conn := w.open(theirs)
		for sql, want := range map[string]string{
			`CREATE ROLE mole`: noPrivilege, `CREATE DATABASE mole`: noPrivilege, `SET ROLE ` + mine.Name: noPrivilege,
			`COPY (SELECT 1) TO PROGRAM 'id'`: noPrivilege, `COPY (SELECT 1) TO '/tmp/mole'`: noPrivilege, `SELECT pg_read_file('PG_VERSION')`: noPrivilege,
			`ALTER ROLE ` + theirs.Login() + ` CONNECTION LIMIT 1000`: noPrivilege, `SET temp_file_limit = -1`: noPrivilege,
			`ALTER SYSTEM SET work_mem = '1GB'`: noPrivilege,
			`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '` + mine.Name + `'`: noPrivilege,
		} {
			w.refused(conn, want, sql)
		}
		// Nor can it let others in: who may connect but not grant is only warned.
		_, err := conn.Exec(t.Context(), `GRANT CONNECT ON DATABASE `+theirs.Name+` TO PUBLIC`)
		w.ok(err)
		var open bool
		if err := conn.QueryRow(t.Context(), `SELECT has_database_privilege('public', current_database(), 'CONNECT')`).Scan(&open); err != nil || open {
			t.Errorf("everybody may connect: %v, %v", open, err)
		}
		var query string
		err = conn.QueryRow(t.Context(), `SELECT string_agg(coalesce(query, ''), ' ') FROM pg_stat_activity WHERE datname = $1`, mine.Name).Scan(&query)
		if err != nil || strings.Contains(query, "orders") {
			t.Errorf("it sees what the other asks: %q, %v", query, err)
		}
	})
	t.Run("a session that takes too much memory fails, and nobody else", func(t *testing.T) {
		hog := w.open(theirs)
		_, err := hog.Exec(t.Context(), `SET work_mem = '2GB'`)
		w.ok(err)
		w.refused(hog, noMemory, `SELECT count(*) FROM (SELECT array_agg(repeat(n::text, 100)) FROM generate_series(1, 5000000) n) t`)
		run(`SELECT 1`)
	})
	t.Run("one that is beyond its size is only read, until it is below", func(t *testing.T) {
		d := w.of("other")
		filling := w.open(d)
		_, err := filling.Exec(t.Context(), `CREATE TABLE filler AS SELECT repeat(md5(n::text), 30) FROM generate_series(1, 25000) n`)
		w.ok(err)
		w.ok(w.ResizeDatabase(t.Context(), "other", "shop", 16<<20))
		full := w.of("other")
		if full.State != paas.DatabaseFull || !strings.Contains(full.Says(), "and its size is 16 MiB: what writes is refused") {
			t.Fatalf("got %+v: %s", full, full.Says())
		}
		if err := filling.Ping(t.Context()); err == nil {
			t.Error("a connection from before goes on")
		}
		conn := w.open(full)
		w.refused(conn, readOnly, `INSERT INTO filler VALUES ('more')`)
		_, err = conn.Exec(t.Context(), `SELECT count(*) FROM filler`)
		w.ok(err)
		for _, sql := range []string{`SET default_transaction_read_only = off`, `TRUNCATE filler`} {
			_, err = conn.Exec(t.Context(), sql)
			w.ok(err)
		}
		w.ok(w.Measure(t.Context()))
		if d := w.of("other"); d.State != paas.DatabaseOpen || d.Says() != "" {
			t.Fatalf("got %+v", d)
		}
		_, err = w.open(d).Exec(t.Context(), `INSERT INTO filler VALUES ('again')`)
		w.ok(err)
	})
	t.Run("one that grows on in spite of it is closed", func(t *testing.T) {
		grow := `INSERT INTO filler SELECT repeat(md5(n::text), 30) FROM generate_series(1, 25000) n`
		_, err := w.open(theirs).Exec(t.Context(), grow)
		w.ok(err)
		w.ok(w.Measure(t.Context()))
		if d := w.of("other"); d.State != paas.DatabaseFull {
			t.Fatalf("got %+v", d)
		}
		conn := w.open(theirs)
		for _, sql := range []string{`SET default_transaction_read_only = off`, grow} {
			_, err = conn.Exec(t.Context(), sql)
			w.ok(err)
		}
		w.ok(w.Measure(t.Context()))
		if _, err := w.dial(theirs.Login(), theirs.Password, theirs.Name); code(err) != tooMany {
			t.Errorf("who gets in: %v", err)
		}
		w.ok(w.ResizeDatabase(t.Context(), "other", "shop", 256<<20))
		w.open(theirs)
	})
	t.Run("under a new password everything is there, and the former one still works", func(t *testing.T) {
		w.ok(w.RotateDatabase(t.Context(), "acme", "shop"))
		next := w.of("acme")
		if next.Password == mine.Password || next.Login() == mine.Login() {
			t.Fatal("nothing has changed")
		}
		_, err := w.open(next).Exec(t.Context(), `ALTER TABLE orders ADD at timestamptz; INSERT INTO orders (note) VALUES ('two')`)
		w.ok(err)
		var rows int
		var until bool
		err = w.open(mine).QueryRow(t.Context(), `SELECT count(*), (SELECT rolvaliduntil < now() + interval '11 minutes' FROM pg_roles WHERE rolname = session_user) FROM orders`).Scan(&rows, &until)
		if err != nil || rows != 2 || !until {
			t.Errorf("%d rows, ends soon: %v, %v", rows, until, err)
		}
		w.ok(w.RotateDatabase(t.Context(), "acme", "shop"))
		if _, err := w.dial(mine.Login(), mine.Password, mine.Name); code(err) != badPassword {
			t.Errorf("the password before the former: %v", err)
		}
	})
	t.Run("one that is deleted is gone with its roles", func(t *testing.T) {
		last := w.of("acme")
		w.ok(w.DeleteDatabase(t.Context(), "acme", "shop"))
		if d, err := w.Database(t.Context(), "acme", "shop"); d != nil || err != nil {
			t.Errorf("still there: %v, %v", d, err)
		}
		if _, err := w.dial(last.Login(), last.Password, last.Name); err == nil {
			t.Error("somebody gets in")
		}
		dsn, err := w.apps.Address("postgres")
		w.ok(err)
		admin, err := pgx.Connect(t.Context(), dsn)
		w.ok(err)
		t.Cleanup(func() { _ = admin.Close(context.Background()) })
		var left int
		err = admin.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM pg_roles WHERE rolname LIKE $1 || '%') + (SELECT count(*) FROM pg_database WHERE datname = $1)`, last.Name).Scan(&left)
		if err != nil || left > 0 {
			t.Errorf("%d are left, %v", left, err)
		}
		if err := w.DeleteDatabase(t.Context(), "acme", "shop"); !errors.Is(err, paas.ErrNotFound) {
			t.Errorf("twice: %v", err)
		}
		w.ok(w.DeleteDatabase(t.Context(), "other", "shop"))
	})
}
