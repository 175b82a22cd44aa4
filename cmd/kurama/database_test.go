package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestDatabaseCommands(t *testing.T) {
	d := newDesk(t)
	d.must("deploy", d.app(map[string]string{"app.py": "app = 1"}), "--app", "hello")
	d.fails("There is no app nobody", "database", "nobody")
	d.fails("The app has no database", "database", "psql", "hello")
	d.fails("A database of 1 MiB is not possible: use 16 MiB to 10240 MiB", "database", "create", "hello", "--size", "1MiB")
	d.must("database", "create", "hello", "--size", "64MiB")
	d.fails("exists already", "database", "create", "hello")
	before := d.must("database", "url", "hello")

	t.Run("psql is in the app's database, and its exit code is passed on", func(t *testing.T) {
		if out := d.must("database", "psql", "hello", "--", "-Atqc", "CREATE TABLE t AS SELECT generate_series(1, 100000) AS n; SELECT sum(n) FROM t"); out != "5000050000\n" {
			t.Errorf("got %q", out)
		}
		if out := d.must("database", "psql", "hello", "--", "-Atqc", "SELECT n FROM t"); strings.Count(out, "\n") != 100000 {
			t.Errorf("got %d bytes", len(out))
		}
		d.in = strings.Repeat("INSERT INTO t VALUES (0);\n", 5000) + "SELECT count(*) FROM t WHERE n = 0;\n"
		if out := d.must("database", "psql", "hello", "--", "-Atq"); out != "5000\n" {
			t.Errorf("got %q", out)
		}
		var exit exitError
		if _, said, err := d.run("database", "psql", "hello", "--", "-c", "SELECT nothing"); !errors.As(err, &exit) || exit.code != 1 || !strings.Contains(said, `column "nothing" does not exist`) {
			t.Errorf("got %v\n%s", err, said)
		}
	})
	t.Run("it has another password after a rotation, and another size", func(t *testing.T) {
		d.must("database", "rotate", "hello")
		if after := d.must("database", "url", "hello"); after == before || !strings.HasPrefix(after, "postgresql://app_") || !strings.HasSuffix(after, "?host=/run/postgresql\n") {
			t.Error("the address is the same, or none")
		}
		if out := d.must("database", "resize", "hello", "128MiB"); !strings.Contains(out, " used of 128MiB, made ") {
			t.Errorf("got %q", out)
		}
		d.must("database", "psql", "hello", "--", "-qc", "SELECT 1")
	})
	t.Run("what it shows holds no password, which the audit log tells who has seen", func(t *testing.T) {
		if out := d.must("database", "hello", "--json"); strings.Contains(out, "assword") || !strings.Contains(out, `"state": "open"`) {
			t.Errorf("got %s", out)
		}
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			out := d.must("audit", "--app", "hello")
			missing := ""
			for _, deed := range []string{"create-database", "get-database-url", "open-tunnel", "rotate-database", "resize-database"} {
				if !strings.Contains(out, deed) {
					missing += deed + " "
				}
			}
			if missing == "" {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("no %sin\n%s", missing, out)
			}
		}
	})
	t.Run("it is deleted once its app's name is typed", func(t *testing.T) {
		d.in = "helo\n"
		d.fails("nothing was deleted", "database", "delete", "hello")
		d.in = "hello\n"
		d.must("database", "delete", "hello")
		if _, said, err := d.run("database", "hello"); err != nil || !strings.Contains(said, "hello has no database.") {
			t.Errorf("got %v, %q", err, said)
		}
	})
}
