// Package store keeps the control plane's state in Postgres: apps, their
// settings, releases, build logs, policies and decisions.
package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/paas"
)

// channel is where every write to an app or a release is announced, with
// tenant/app as payload. The autoscaler announces there too.
const channel = "kurama_apps"

// Store reads and writes the control plane's state. Its methods return errors
// that wrap paas.ErrNotFound, paas.ErrExists, paas.ErrConflict or are a
// *paas.Invalid; anything else is a fault of the database.
type Store struct {
	pool  *pgxpool.Pool
	quota paas.Quota // of tenants that have none of their own
	keys  Keys       // that settings are encrypted with
}

// New returns a Store over a pool on a migrated database.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// write runs fn in a transaction and announces the change of tenant's app with
// it, so that nobody hears of a write that was rolled back.
func (s *Store) write(ctx context.Context, tenant, app string, fn func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `SELECT pg_notify($1, $2)`, channel, tenant+"/"+app)
		return err
	})
}

// Postgres' codes for the violations that have a meaning here.
const (
	uniqueViolation     = "23505"
	foreignKeyViolation = "23503"
)

// meaning turns an error of the database about what into the platform's words.
func meaning(err error, what string) error {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("%s: %w", what, paas.ErrNotFound)
	case errors.As(err, &pg) && pg.Code == uniqueViolation:
		return fmt.Errorf("%s: %w", what, paas.ErrExists)
	case errors.As(err, &pg) && pg.Code == foreignKeyViolation:
		return fmt.Errorf("%s: %w", what, paas.ErrNotFound)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// touched returns paas.ErrNotFound when a statement changed no row.
func touched(tag pgconn.CommandTag, err error) error {
	if err == nil && tag.RowsAffected() == 0 {
		return pgx.ErrNoRows
	}
	return err
}

// text makes s storable: Postgres refuses NUL and bytes that are not UTF-8,
// and an app's output may hold both.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
