package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"kurama/internal/config"
)

// Dump writes the database of dsn to a file, in pg_dump's custom format. The
// database may be in use.
func Dump(ctx context.Context, cfg config.Database, dsn, file string) error {
	return tool(ctx, cfg, "pg_dump", "--format=custom", "--no-owner", "--file="+file, "--dbname="+dsn)
}

// Restore fills the empty database of dsn from a file of Dump's, and brings its
// schema up to date. A database that has tables is left alone.
func Restore(ctx context.Context, cfg config.Database, dsn, file string) error {
	pool, err := Open(ctx, dsn, 2)
	if err != nil {
		return err
	}
	defer pool.Close()
	var tables int
	err = pool.QueryRow(ctx, `SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace`).Scan(&tables)
	if err != nil {
		return fmt.Errorf("looking at the database: %w", err)
	}
	if tables > 0 {
		return fmt.Errorf("the database has %d tables already; give an empty one", tables)
	}
	if _, err := pool.Exec(ctx, makeRole); err != nil { // rights of the tables name it
		return fmt.Errorf("making the role %s: %w", TenantRole, err)
	}
	if err := tool(ctx, cfg, "pg_restore", "--no-owner", "--exit-on-error", "--dbname="+dsn, file); err != nil {
		return err
	}
	return Migrate(ctx, dsn)
}

// Names returns the databases of the cluster of dsn whose names begin with prefix.
func Names(ctx context.Context, dsn, prefix string) ([]string, error) {
	pool, err := Open(ctx, dsn, 2)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	rows, err := pool.Query(ctx, `SELECT datname FROM pg_database WHERE starts_with(datname, $1) ORDER BY datname`, prefix)
	if err != nil {
		return nil, fmt.Errorf("listing databases: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Fill puts what Dump wrote into the empty database of dsn, where all belongs
// to owner.
func Fill(ctx context.Context, cfg config.Database, dsn, owner, file string) error {
	return tool(ctx, cfg, "pg_restore", "--no-owner", "--exit-on-error", "--role="+owner, "--dbname="+dsn, file)
}

// tool runs a program of PostgreSQL's. The address is an argument: it holds a
// password only where database.url does, for the time that this takes.
func tool(ctx context.Context, cfg config.Database, name string, args ...string) error {
	bin, err := FindBinaries(cfg.Bin)
	if err != nil && cfg.URL == "" {
		return err
	}
	program := name // with an external database the client programs may be on the PATH alone
	if err == nil {
		program = filepath.Join(bin, name)
	}
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is not installed: %w", name, ErrNotInstalled)
	}
	if err != nil {
		return fmt.Errorf("%s failed: %w: %s", name, err, strings.TrimSpace(string(bytes.ToValidUTF8(out, nil))))
	}
	return nil
}
