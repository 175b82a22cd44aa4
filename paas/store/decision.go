package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// scaled are the apps that the autoscaler looks after: those that run, and
// those that it let sleep or that are on their way from there.
const scaled = `release > 0 AND state IN ('running', 'asleep') AND (desired > 0 OR asleep)`

// Apply stores a decision and the number of replicas that the app then wants,
// both or neither, and announces it. It reports false, and stores nothing,
// where the app no longer wants d.From replicas or does not run. It returns
// *paas.Invalid where the tenant's quota does not allow d.To.
func (s *Policies) Apply(ctx context.Context, d paas.Decision) (applied bool, err error) {
	err = s.store.write(ctx, d.Tenant, d.App, func(tx pgx.Tx) error {
		err := s.store.within(ctx, tx, d.Tenant, func() error {
			tag, err := tx.Exec(ctx, `UPDATE apps SET desired = $4, asleep = $4 = 0, updated_at = now()
				WHERE tenant = $1 AND name = $2 AND desired = $3 AND `+scaled, d.Tenant, d.App, d.From, d.To)
			applied = err == nil && tag.RowsAffected() > 0
			return err
		})
		if err != nil || !applied {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO decisions (tenant, app, at, policy, from_replicas, to_replicas, reason, inputs)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, d.Tenant, d.App, d.At, d.Policy, d.From, d.To, d.Reason, d.Inputs)
		return err
	})
	return applied && err == nil, meaning(err, "decision about "+appName(d.Tenant, d.App))
}

// Decisions returns the newest scale decisions of an app, newest first; limit
// 0 is all.
func (s *Policies) Decisions(ctx context.Context, tenant, app string, limit int) ([]paas.Decision, error) {
	decisions, err := all(ctx, s.store.pool, func(row pgx.CollectableRow) (d paas.Decision, err error) {
		err = row.Scan(&d.Tenant, &d.App, &d.At, &d.Policy, &d.From, &d.To, &d.Reason, &d.Inputs)
		d.Valid = true
		return d, err
	}, `SELECT tenant, app, at, policy, from_replicas, to_replicas, reason, inputs FROM decisions
		WHERE tenant = $1 AND app = $2 ORDER BY at DESC, id DESC LIMIT NULLIF($3, 0)`, tenant, app, limit)
	return decisions, meaning(err, "decisions of "+appName(tenant, app))
}
