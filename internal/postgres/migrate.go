// Package postgres gives Kurama its database: the private cluster that it runs
// where none is configured, connection pools, and the schema's migrations.
package postgres

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Open makes a pool of at most maxConns connections to dsn and checks that
// the server answers.
func Open(ctx context.Context, dsn string, maxConns int) (*pgxpool.Pool, error) {
	return open(ctx, dsn, maxConns, func(*pgxpool.Config) {})
}

func open(ctx context.Context, dsn string, maxConns int, adapt func(*pgxpool.Config)) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("the database address cannot be read: %w", err)
	}
	cfg.MaxConns = int32(max(maxConns, 2))
	adapt(cfg)
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("the database does not answer: %w", err)
	}
	return pool, nil
}

// awaitEvery is the pause between two questions to a server that does not
// answer.
const awaitEvery = 250 * time.Millisecond

// Await is Open for a role: it waits for a server that does not answer yet or
// any more, and tells so once. Its error is ctx's, or that the address cannot
// be read.
func Await(ctx context.Context, dsn string, maxConns int, log *slog.Logger) (*pgxpool.Pool, error) {
	if _, err := pgxpool.ParseConfig(dsn); err != nil {
		return nil, fmt.Errorf("the database address cannot be read: %w", err)
	}
	for told := false; ; told = true {
		pool, err := Open(ctx, dsn, maxConns)
		if err == nil {
			return pool, nil
		}
		if !told && ctx.Err() == nil {
			log.Warn("The database does not answer; this role waits for it.", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(awaitEvery):
		}
	}
}

// Migrate brings the schema of dsn up to date. Several callers may do so at
// once: a session lock lets one work while the others wait.
func Migrate(ctx context.Context, dsn string) error {
	return withDB(ctx, dsn, func(db *sql.DB) error {
		if err := migrate(ctx, db, newest); err != nil {
			return err
		}
		return secure(ctx, db)
	})
}

// newest stands for all migrations that there are.
const newest = math.MaxInt64

func withDB(ctx context.Context, dsn string, do func(*sql.DB) error) error {
	pool, err := Open(ctx, dsn, 2)
	if err != nil {
		return err
	}
	defer pool.Close()
	db := stdlib.OpenDBFromPool(pool)
	defer func() { _ = db.Close() }()
	return do(db)
}

func migrate(ctx context.Context, db *sql.DB, to int64) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("making the migration lock: %w", err)
	}
	// A database may have a later migration already, of a version that was built apart: none depends on the gap.
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker), goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("loading the migrations: %w", err)
	}
	if _, err := provider.UpTo(ctx, to); err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	return nil
}
