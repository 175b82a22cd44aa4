package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// Policy returns the autoscaling settings that were set for an app;
// paas.ErrNotFound means that the defaults apply.
func (s *Store) Policy(ctx context.Context, tenant, app string) (paas.Policy, error) {
	p, err := one(ctx, s.pool, pgx.RowTo[paas.Policy],
		`SELECT policy FROM policies WHERE tenant = $1 AND app = $2`, tenant, app)
	return p, meaning(err, "policy of "+appName(tenant, app))
}

// SetPolicy stores the autoscaling settings of an app.
func (s *Store) SetPolicy(ctx context.Context, tenant, app string, p paas.Policy) error {
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		return setPolicy(ctx, tx, tenant, app, p)
	})
	return meaning(err, "policy of "+appName(tenant, app))
}

// Decisions returns the newest scale decisions of an app, newest first.
func (s *Store) Decisions(ctx context.Context, tenant, app string, limit int) ([]paas.Decision, error) {
	decisions, err := all(ctx, s.pool, func(row pgx.CollectableRow) (d paas.Decision, err error) {
		err = row.Scan(&d.Tenant, &d.App, &d.At, &d.Policy, &d.From, &d.To, &d.Reason, &d.Inputs)
		d.Valid = true
		return d, err
	}, `SELECT tenant, app, at, policy, from_replicas, to_replicas, reason, inputs FROM decisions
		WHERE tenant = $1 AND app = $2 ORDER BY at DESC, id DESC LIMIT NULLIF($3, 0)`, tenant, app, limit)
	return decisions, meaning(err, "decisions of "+appName(tenant, app))
}

// Scale says how many replicas an app wants and, unless p is nil, stores its
// autoscaling settings, both or neither.
func (s *Store) Scale(ctx context.Context, tenant, app string, replicas int, p *paas.Policy) error {
	if replicas < 0 {
		return &paas.Invalid{Reason: fmt.Sprintf("%d is not a number of replicas: use 0 or more", replicas)}
	}
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		if err := touched(tx.Exec(ctx, `UPDATE apps SET desired = $3, updated_at = now() WHERE tenant = $1 AND name = $2`,
			tenant, app, replicas)); err != nil || p == nil {
			return err
		}
		return setPolicy(ctx, tx, tenant, app, *p)
	})
	return meaning(err, appName(tenant, app))
}

func setPolicy(ctx context.Context, tx pgx.Tx, tenant, app string, p paas.Policy) error {
	_, err := tx.Exec(ctx, `INSERT INTO policies (tenant, app, policy) VALUES ($1, $2, $3)
		ON CONFLICT (tenant, app) DO UPDATE SET policy = excluded.policy`, tenant, app, p)
	return err
}
