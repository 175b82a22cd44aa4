package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
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
// to owner. Who signs in by dsn must have no rights but owner's: what is filled
// in brings functions that run meanwhile, and any of them can take back a role
// that was only set.
func Fill(ctx context.Context, cfg config.Database, dsn, owner, file string) error {
	u, err := url.Parse(dsn)
	if err != nil {
		return errors.New("the address of a database cannot be read") // the error would hold its password
	}
	password, _ := u.User.Password()
	u.User = url.User(u.User.Username())
	// Options of a connection go before what a role is set to.
	return toolWith(ctx, cfg, []string{"PGPASSWORD=" + password, "PGOPTIONS=-c default_transaction_read_only=off"},
		"pg_restore", "--no-owner", "--exit-on-error", "--role="+owner, "--dbname="+u.String(), file)
}

// tool runs a program of PostgreSQL's. The address is an argument: it holds a
// password only where database.url does, for the time that this takes.
func tool(ctx context.Context, cfg config.Database, name string, args ...string) error {
	return toolWith(ctx, cfg, nil, name, args...)
}

// toolWith is tool with variables on top of this process's.
func toolWith(ctx context.Context, cfg config.Database, env []string, name string, args ...string) error {
	bin, err := FindBinaries(cfg.Bin)
	if err != nil && cfg.URL == "" {
		return err
	}
	program := name // with an external database the client programs may be on the PATH alone
	if err == nil {
		program = filepath.Join(bin, name)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is not installed: %w", name, ErrNotInstalled)
	}
	if err != nil {
		return fmt.Errorf("%s failed: %w: %s", name, err, strings.TrimSpace(string(bytes.ToValidUTF8(out, nil))))
	}
	return nil
}
