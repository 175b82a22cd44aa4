package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// SetRouting stores how an app is reached. It returns paas.ErrConflict with
// the host where another app has one of its domains, and paas.ErrNotFound for an
// app that does not exist.
func (s *Store) SetRouting(ctx context.Context, tenant, app string, r paas.Routing) error {
	domains := append([]string{}, r.Domains...) // no NULL, which is equal to nothing
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		if err := touched(tx.Exec(ctx, `UPDATE apps SET routing = $3, updated_at = now() WHERE tenant = $1 AND name = $2`, tenant, app, r)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM domains WHERE tenant = $1 AND app = $2 AND NOT host = ANY ($3)`, tenant, app, domains); err != nil {
			return err
		}
		for _, host := range domains {
			if err := claim(ctx, tx, tenant, app, host); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, paas.ErrConflict) {
		return err
	}
	return meaning(err, appName(tenant, app))
}

// claim gives a host to an app that has it not yet.
func claim(ctx context.Context, tx pgx.Tx, tenant, app, host string) error {
	if _, err := tx.Exec(ctx, `INSERT INTO domains (host, tenant, app) VALUES ($1, $2, $3) ON CONFLICT (host) DO NOTHING`, host, tenant, app); err != nil {
		return err
	}
	var ours bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM domains WHERE host = $1 AND tenant = $2 AND app = $3)`, host, tenant, app).Scan(&ours)
	if err == nil && !ours {
		err = fmt.Errorf("%s belongs to another app, and a domain can lead to one alone: %w", host, paas.ErrConflict)
	}
	return err
}
