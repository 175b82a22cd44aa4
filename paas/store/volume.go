package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

func scanVolume(row pgx.CollectableRow) (paas.Volume, error) {
	var v paas.Volume
	return v, row.Scan(&v.Path, &v.Size, &v.CreatedAt)
}

const volumesOf = `SELECT path, size, created_at FROM volumes WHERE tenant = $1 AND app = $2 ORDER BY path`

// Volumes returns the volumes of an app by path.
func (s *Store) Volumes(ctx context.Context, tenant, app string) ([]paas.Volume, error) {
	found, err := all(ctx, s.pool, scanVolume, volumesOf, tenant, app)
	return found, meaning(err, "volumes of "+appName(tenant, app))
}

// AddVolume gives an app a volume; most bounds what its volumes hold together,
// bytes. It returns *paas.Invalid for one that it cannot have, paas.ErrExists
// where it has one at that path, and paas.ErrNotFound for an app that does not
// exist. Replicas that run do not see it.
func (s *Store) AddVolume(ctx context.Context, tenant, app string, v paas.Volume, most int64) error {
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		// The app's row stays locked, so that two at once keep the bound.
		if err := touched(tx.Exec(ctx, `UPDATE apps SET updated_at = now() WHERE tenant = $1 AND name = $2`, tenant, app)); err != nil {
			return err
		}
		others, err := all(ctx, tx, scanVolume, volumesOf, tenant, app)
		if err != nil {
			return err
		}
		for _, o := range others {
			if o.Path == v.Path {
				return paas.ErrExists
			}
		}
		if err := paas.CheckVolume(v, others, most); err != nil {
			return err
		}
		return s.within(ctx, tx, tenant, func() error {
			_, err := tx.Exec(ctx, `INSERT INTO volumes (tenant, app, path, size) VALUES ($1, $2, $3, $4)`, tenant, app, v.Path, v.Size)
			return err
		})
	})
	return meaning(err, "volume "+v.Path+" of "+appName(tenant, app))
}

// RemoveVolume forgets a volume of an app, or returns paas.ErrNotFound.
func (s *Store) RemoveVolume(ctx context.Context, tenant, app, path string) error {
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		return touched(tx.Exec(ctx, `DELETE FROM volumes WHERE tenant = $1 AND app = $2 AND path = $3`, tenant, app, path))
	})
	return meaning(err, "volume "+path+" of "+appName(tenant, app))
}
