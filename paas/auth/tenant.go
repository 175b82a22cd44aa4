package auth

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// Tenants returns all tenants by name, with how many apps each has.
func (a *Auth) Tenants(ctx context.Context) ([]paas.Tenant, error) {
	rows, err := a.pool.Query(ctx, `SELECT t.name, t.created_at, count(p.name)::int FROM tenants t
		LEFT JOIN apps p ON p.tenant = t.name GROUP BY t.name ORDER BY t.name`)
	if err != nil {
		return nil, meaning(err, "tenants")
	}
	tenants, err := pgx.AppendRows([]paas.Tenant{}, rows, func(row pgx.CollectableRow) (t paas.Tenant, err error) {
		err = row.Scan(&t.Name, &t.CreatedAt, &t.Apps)
		return t, err
	})
	return tenants, meaning(err, "tenants")
}

// CreateTenant makes a tenant without users or apps.
func (a *Auth) CreateTenant(ctx context.Context, name string) (paas.Tenant, error) {
	if err := paas.CheckName("a tenant", name); err != nil {
		return paas.Tenant{}, &paas.Invalid{Reason: err.Error()}
	}
	t := paas.Tenant{Name: name}
	err := a.pool.QueryRow(ctx, `INSERT INTO tenants (name) VALUES ($1) RETURNING created_at`, name).Scan(&t.CreatedAt)
	return t, meaning(err, "tenant "+name)
}

// HasTenant returns nil for a tenant that exists and paas.ErrNotFound else.
func (a *Auth) HasTenant(ctx context.Context, name string) error {
	var found string
	err := a.pool.QueryRow(ctx, `SELECT name FROM tenants WHERE name = $1`, clean(name)).Scan(&found)
	return meaning(err, "tenant "+name)
}

// DeleteTenant removes a tenant with its users and tokens. It returns
// paas.ErrConflict for the default tenant and for one that still has apps:
// their containers would go on without an owner.
func (a *Auth) DeleteTenant(ctx context.Context, name string) error {
	if name == paas.DefaultTenant {
		return fmt.Errorf("Tenant %s is the platform's own and stays: %w", name, paas.ErrConflict)
	}
	err := pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		// The lock keeps an app from being made between the count and the delete.
		if _, err := tx.Exec(ctx, `SELECT 1 FROM tenants WHERE name = $1 FOR UPDATE`, clean(name)); err != nil {
			return err
		}
		var apps int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM apps WHERE tenant = $1`, clean(name)).Scan(&apps); err != nil {
			return err
		}
		if apps > 0 {
			return fmt.Errorf("it still has %d apps; delete them first: %w", apps, paas.ErrConflict)
		}
		return touched(tx.Exec(ctx, `DELETE FROM tenants WHERE name = $1`, clean(name)))
	})
	return meaning(err, "tenant "+name)
}
