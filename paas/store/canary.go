package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// SetCanary gives a release a share of its app's requests, or another share to
// the one that has some. A release that was ended or is live becomes none again,
// nor does one below the live one, which could never be promoted. It returns
// paas.ErrConflict where another release is the canary, *paas.Invalid for one
// that cannot be or that goes beyond the tenant's quota, and paas.ErrNotFound for
// one that does not exist.
func (s *Store) SetCanary(ctx context.Context, tenant, app string, c paas.Canary) error {
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		return s.within(ctx, tx, tenant, func() error {
			a, err := lockForLive(ctx, tx, tenant, app, c.Release)
			if err != nil {
				return err
			}
			if a.Canary.Release != c.Release {
				if err := becomeCanary(ctx, tx, a, c.Release); err != nil {
					return err
				}
			}
			_, err = tx.Exec(ctx, `UPDATE apps SET canary_release = $3, canary_share = $4, updated_at = now() WHERE tenant = $1 AND name = $2`,
				tenant, app, c.Release, c.Share)
			return err
		})
	})
	return meaning(err, appName(tenant, app))
}

// becomeCanary makes a release that is on its way the canary of its app.
func becomeCanary(ctx context.Context, tx pgx.Tx, a paas.App, number int) error {
	if a.Canary.Release != 0 {
		return fmt.Errorf("release %d is its canary already, promote or end it first: %w", a.Canary.Release, paas.ErrConflict)
	}
	var state paas.ReleaseState
	if err := tx.QueryRow(ctx, `SELECT state FROM releases WHERE tenant = $1 AND app = $2 AND number = $3`, a.Tenant, a.Name, number).Scan(&state); err != nil {
		return err
	}
	if state != paas.ReleaseBuilding && state != paas.ReleaseStarting {
		return &paas.Invalid{Reason: fmt.Sprintf("Release %d cannot be a canary: it is %s. Deploy it again with a share.", number, state)}
	}
	_, err := tx.Exec(ctx, `UPDATE releases SET state = 'canary', canary_at = now() WHERE tenant = $1 AND app = $2 AND number = $3`, a.Tenant, a.Name, number)
	return err
}

// EndCanary takes an app's canary out of the requests; the reason is a sentence.
// It returns paas.ErrNotFound where the release is not its canary.
func (s *Store) EndCanary(ctx context.Context, tenant, app string, release int, reason string) error {
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT canary_release FROM apps WHERE tenant = $1 AND name = $2 AND canary_release = $3 AND $3 > 0 FOR UPDATE`,
			tenant, app, release).Scan(&release); err != nil {
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
