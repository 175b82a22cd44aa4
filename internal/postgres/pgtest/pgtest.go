// Package pgtest gives tests a real Postgres: one private cluster per test
// process, one fresh migrated database per test.
package pgtest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
	"kurama/internal/postgres"
)

var (
	start   sync.Once
	admin   string // DSN of the cluster
	failure error
	counter atomic.Int64
)

// New returns a pool on a fresh, migrated database that is gone after the test.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Open(t.Context(), DSN(t), 8)
	if err != nil {
		t.Fatalf("opening the test database: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// DSN returns the address of a fresh, migrated database.
func DSN(t testing.TB) string {
	t.Helper()
	dsn := Empty(t)
	if err := postgres.Migrate(t.Context(), dsn); err != nil {
		t.Fatalf("migrating a database: %v", err)
	}
	return dsn
}

// Empty returns the address of a fresh database without tables.
func Empty(t testing.TB) string {
	t.Helper()
	start.Do(startCluster)
	if failure != nil {
		t.Fatalf("starting the test database: %v", failure)
	}
	name := fmt.Sprintf("test_%d", counter.Add(1))
	pool, err := postgres.Open(t.Context(), admin, 2)
	if err != nil {
		t.Fatalf("opening the test cluster: %v", err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("making database %s: %v", name, err)
	}
	return strings.Replace(admin, "/postgres?", "/"+name+"?", 1)
}

// startCluster leaves the server to the parent-death signal: it ends with the
// test process, and the next process removes the folder that it left.
func startCluster() {
	removeLeftovers()
	dir, err := os.MkdirTemp("", fmt.Sprintf("kurama-pgtest-%d-", os.Getpid()))
	if err != nil {
		failure = err
		return
	}
	if failure = os.Chmod(dir, 0o755); failure != nil {
		return
	}
	cfg := config.Default().Database
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := postgres.NewServer(ctx, cfg, dir, filepath.Join(dir, "socket"), slog.New(slog.DiscardHandler))
	if err != nil {
		failure = err
		return
	}
	go func() { _ = server.Run(context.Background()) }()
	admin = server.DSN()
	failure = server.WaitReady(ctx)
}

// removeLeftovers deletes the folders of test processes that have ended.
func removeLeftovers() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), "kurama-pgtest-*"))
	for _, dir := range dirs {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(dir), "kurama-pgtest-%d-", &pid); err != nil {
			continue
		}
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); os.IsNotExist(err) {
			_ = os.RemoveAll(dir)
		}
	}
}
