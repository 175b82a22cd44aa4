package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// SetRouting stores how an app is reached. Domains that are new to it are not
// active yet: SettleDomain makes them so. It returns paas.ErrNotFound for an
// app that does not exist.
func (s *Store) SetRouting(ctx context.Context, tenant, app string, r paas.Routing) error {
	domains := append([]string{}, r.Domains...) // no NULL, which is equal to nothing
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		if err := touched(tx.Exec(ctx, `UPDATE apps SET routing = $3, updated_at = now() WHERE tenant = $1 AND name = $2`, tenant, app, r)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM domains WHERE tenant = $1 AND app = $2 AND NOT name = ANY ($3)`, tenant, app, domains); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO domains (name, tenant, app) SELECT unnest($3::text[]), $1, $2 ON CONFLICT DO NOTHING`, tenant, app, domains)
		return err
	})
	return meaning(err, appName(tenant, app))
}

// SetBounds stores the bounds that are given, and leaves the others.
func (s *Store) SetBounds(ctx context.Context, tenant, app string, b paas.Bounds) error {
	return s.updateApp(ctx, tenant, app, `routing = routing || $3`, b) // zero values are left out of its JSON
}
