package postgres

import (
	"context"
	"database/sql"
)

// MigrateTo brings an empty database to the schema of an earlier version.
func MigrateTo(ctx context.Context, dsn string, version int64) error {
	return withDB(ctx, dsn, func(db *sql.DB) error { return migrate(ctx, db, version) })
}
