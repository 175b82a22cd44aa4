package postgres_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/internal/postgres"
	"kurama/internal/postgres/pgtest"
)

func TestMigrate(t *testing.T) {
	t.Run("may be run again and by several at once", func(t *testing.T) {
		dsn := pgtest.DSN(t)
		errs := make(chan error, 3)
		for range cap(errs) {
			go func() { errs <- postgres.Migrate(t.Context(), dsn) }()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestServer(t *testing.T) {
	dir, err := os.MkdirTemp("", "kurama-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, use func(dsn string)) {
		s, err := postgres.NewServer(t.Context(), config.Default().Database, dir, filepath.Join(dir, "socket"), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		wait, stop := context.WithTimeout(ctx, 30*time.Second)
		defer stop()
		if err := s.WaitReady(wait); err != nil {
			t.Fatal(err)
		}
		use(s.DSN())
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	t.Run("makes a cluster, stops cleanly and finds its rows again", func(t *testing.T) {
		run(t, func(dsn string) { exec(t, dsn, "CREATE TABLE kept AS SELECT 7 AS n") })
		run(t, func(dsn string) { exec(t, dsn, "INSERT INTO kept SELECT n + 1 FROM kept") })
	})
}

func exec(t *testing.T, dsn, sql string) {
	t.Helper()
	pool, err := postgres.Open(t.Context(), dsn, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}
