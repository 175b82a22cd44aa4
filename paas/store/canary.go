package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// SetCanary gives a release a share of its app's requests, or another share to
// the one that has some. It returns paas.ErrConflict where another release is
// the canary, and paas.ErrNotFound for a release that does not exist.
func (s *Store) SetCanary(ctx context.Context, tenant, app string, c paas.Canary) error {
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		a, err := one(ctx, tx, scanApp, `SELECT `+appColumns+` FROM apps WHERE tenant = $1 AND name = $2 FOR UPDATE`, tenant, app)
		if err != nil {
			return err
		}
		if now := a.Canary.Release; now != 0 && now != c.Release {
			return fmt.Errorf("release %d is its canary already, promote or end it first: %w", now, paas.ErrConflict)
		}
		if err := touched(tx.Exec(ctx, `UPDATE releases SET state = 'canary' WHERE tenant = $1 AND app = $2 AND number = $3`, tenant, app, c.Release)); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE apps SET canary_release = $3, canary_share = $4, updated_at = now() WHERE tenant = $1 AND name = $2`,
			tenant, app, c.Release, c.Share)
		return err
	})
	return meaning(err, appName(tenant, app))
}

// EndCanary takes an app's canary out of the requests; the reason is a sentence.
// It returns paas.ErrNotFound where there is none.
func (s *Store) EndCanary(ctx context.Context, tenant, app, reason string) error {
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		var release int
		if err := tx.QueryRow(ctx, `SELECT canary_release FROM apps WHERE tenant = $1 AND name = $2 AND canary_release > 0 FOR UPDATE`, tenant, app).Scan(&release); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE releases SET state = 'failed', reason = $4
			WHERE tenant = $1 AND app = $2 AND number = $3 AND state = 'canary'`, tenant, app, release, text(reason)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE apps SET canary_release = 0, canary_share = 0, updated_at = now() WHERE tenant = $1 AND name = $2`, tenant, app)
		return err
	})
	return meaning(err, "canary of "+appName(tenant, app))
}
