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

// Apps is a cluster of apps' databases, one per test process. It runs once Start
// was called.
type Apps struct {
	Socket string // its folder
	start  func() error
}

// NewApps returns the test process's cluster. What tests make in it is named at
// random, so that they share it.
var NewApps = sync.OnceValue(func() *Apps {
	dir, err := folder()
	socket := filepath.Join(dir, "run", postgres.AppsName)
	return &Apps{Socket: socket, start: sync.OnceValue(func() error {
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		cfg := config.Default()
		server, err := postgres.NewAppsServer(ctx, cfg.Database.Bin, cfg.Databases, dir, socket, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		go func() { _ = server.Run(context.Background()) }()
		return server.WaitReady(ctx)
	})}
})

// Start has the cluster run from now on.
func (a *Apps) Start() error { return a.start() }

// Address returns the address of a database of the cluster, for who may do
// anything there.
func (a *Apps) Address(database string) (string, error) {
	return postgres.AppsDSN(filepath.Dir(a.Socket), database)
}

// folder makes one that is gone after the process.
func folder() (string, error) {
	removeLeftovers()
	dir, err := os.MkdirTemp("", fmt.Sprintf("kurama-pgtest-%d-", os.Getpid()))
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	return dir, err
}

// startCluster leaves the server to the parent-death signal: it ends with the
// test process, and the next process removes the folder that it left.
func startCluster() {
	dir, err := folder()
	if err != nil {
		failure = err
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
