package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// databasePassword is the name under which a password is encrypted. No setting
// can have it, so that the one cannot be put in the other's place.
const databasePassword = "database password"

const databaseColumns = `SELECT tenant, app, name, turn, password, size, used, full_at, state, created_at FROM databases `

func (s *Store) scanDatabase(row pgx.CollectableRow) (d paas.Database, err error) {
	if err := row.Scan(&d.Tenant, &d.App, &d.Name, &d.Turn, &d.Password, &d.Size, &d.Used, &d.Full, &d.State, &d.CreatedAt); err != nil {
		return d, err
	}
	secret := map[string]string{databasePassword: d.Password}
	err = s.keys.open(d.Tenant, d.App, secret)
	d.Password = secret[databasePassword]
	return d, err
}

// Database returns the database of an app, or paas.ErrNotFound.
func (s *Store) Database(ctx context.Context, tenant, app string) (paas.Database, error) {
	d, err := one(ctx, s.pool, s.scanDatabase, databaseColumns+`WHERE tenant = $1 AND app = $2`, tenant, app)
	return d, meaning(err, "database of "+appName(tenant, app))
}

// Databases returns the databases of all tenants.
func (s *Store) Databases(ctx context.Context) ([]paas.Database, error) {
	found, err := all(ctx, s.pool, s.scanDatabase, databaseColumns+`ORDER BY tenant, app`)
	return found, meaning(err, "databases")
}

// AddDatabase stores the database of an app. It returns paas.ErrExists where the
// app has one, paas.ErrNotFound for an app that does not exist, and
// *paas.Invalid where its size is beyond the tenant's quota.
func (s *Store) AddDatabase(ctx context.Context, d paas.Database) error {
	err := s.write(ctx, d.Tenant, d.App, func(tx pgx.Tx) error {
		return s.within(ctx, tx, d.Tenant, func() error {
			_, err := tx.Exec(ctx, `INSERT INTO databases (tenant, app, name, turn, password, size) VALUES ($1, $2, $3, $4, $5, $6)`,
				d.Tenant, d.App, d.Name, d.Turn, s.hidden(d), d.Size)
			return err
		})
	})
	return meaning(err, "database of "+appName(d.Tenant, d.App))
}

// hidden returns the password as it is stored.
func (s *Store) hidden(d paas.Database) string {
	return s.keys.seal(d.Tenant, d.App, map[string]string{databasePassword: d.Password})[databasePassword]
}

// ResizeDatabase sets what the database of an app may hold, bytes. It returns
// paas.ErrNotFound where there is none, and *paas.Invalid where the size is
// beyond the tenant's quota.
func (s *Store) ResizeDatabase(ctx context.Context, tenant, app string, size int64) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		return s.within(ctx, tx, tenant, func() error {
			return touched(tx.Exec(ctx, `UPDATE databases SET size = $3 WHERE tenant = $1 AND app = $2`, tenant, app, size))
		})
	})
	return meaning(err, "database of "+appName(tenant, app))
}

// SetDatabaseLogin stores by which role and password an app signs in.
func (s *Store) SetDatabaseLogin(ctx context.Context, d paas.Database) error {
	err := touched(s.pool.Exec(ctx, `UPDATE databases SET turn = $3, password = $4 WHERE tenant = $1 AND app = $2`, d.Tenant, d.App, d.Turn, s.hidden(d)))
	return meaning(err, "database of "+appName(d.Tenant, d.App))
}

// SetDatabaseUse stores what a database holds and how it stands because of it.
func (s *Store) SetDatabaseUse(ctx context.Context, d paas.Database) error {
	err := touched(s.pool.Exec(ctx, `UPDATE databases SET used = $2, full_at = $3, state = $4 WHERE name = $1`, d.Name, d.Used, d.Full, string(d.State)))
	return meaning(err, "database of "+appName(d.Tenant, d.App))
}

// RemoveDatabase forgets the database of an app; one that it has not is no
// error.
func (s *Store) RemoveDatabase(ctx context.Context, tenant, app string) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM databases WHERE tenant = $1 AND app = $2`, tenant, app)
	return meaning(err, "database of "+appName(tenant, app))
}
