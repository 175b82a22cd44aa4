package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/paas"
)

// Policies keeps how apps are scaled: their policies, and what the autoscaler
// decided. Its methods return errors as those of Store do.
type Policies struct {
	store    *Store
	defaults paas.Policy
}

// NewPolicies returns the policies of apps on a migrated database; defaults is
// that of apps that have none of their own.
func NewPolicies(pool *pgxpool.Pool, defaults paas.Policy) *Policies {
	return &Policies{store: New(pool), defaults: defaults}
}

// Policy returns the autoscaling settings of an app: its own, or the default
// ones. What an app's own leave out is as in the default. Errors:
// paas.ErrNotFound.
func (s *Policies) Policy(ctx context.Context, tenant, app string) (paas.Policy, error) {
	own, err := one(ctx, s.store.pool, pgx.RowTo[*[]byte], `SELECT p.policy FROM apps a LEFT JOIN policies p ON p.tenant = a.tenant AND p.app = a.name
		WHERE a.tenant = $1 AND a.name = $2`, tenant, app)
	if err != nil {
		return paas.Policy{}, meaning(err, appName(tenant, app))
	}
	return s.read(own)
}

// read reads a stored policy; nil is the default.
func (s *Policies) read(own *[]byte) (paas.Policy, error) {
	p := s.defaults
	if own == nil {
		return p, nil
	}
	if err := json.Unmarshal(*own, &p); err != nil {
		return p, fmt.Errorf("a stored policy cannot be read: %w", err)
	}
	return p, nil
}

// Scale says how many replicas an app wants and, unless p is nil, stores its
// autoscaling settings, both or neither. Errors: *paas.Invalid;
// paas.ErrNotFound.
func (s *Policies) Scale(ctx context.Context, tenant, app string, replicas int, p *paas.Policy) error {
	if err := paas.CheckReplicas(replicas); err != nil {
		return err
	}
	if p != nil {
		if err := p.Check(); err != nil {
			return err
		}
	}
	err := s.store.write(ctx, tenant, app, func(tx pgx.Tx) error {
		err := s.store.setDesired(ctx, tx, tenant, app, replicas)
		if err != nil || p == nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO policies (tenant, app, policy) VALUES ($1, $2, $3)
			ON CONFLICT (tenant, app) DO UPDATE SET policy = excluded.policy`, tenant, app, *p)
		return err
	})
	return meaning(err, appName(tenant, app))
}

// ScaledApps returns the apps that run and have replicas, and those that sleep.
func (s *Policies) ScaledApps(ctx context.Context) ([]paas.ScaledApp, error) {
	list, err := all(ctx, s.store.pool, func(row pgx.CollectableRow) (a paas.ScaledApp, err error) {
		var own *[]byte
		var decided *time.Time
		var start paas.Start
		if err := row.Scan(&a.Tenant, &a.App, &a.Desired, &a.Asleep, &a.Release, &start, &own, &a.Deploying, &decided); err != nil {
			return a, err
		}
		a.Concurrency = start.Concurrency()
		if decided != nil {
			a.Decided = *decided
		}
		a.Policy, err = s.read(own)
		return a, err
	}, `SELECT a.tenant, a.name, a.desired, a.asleep, a.release, COALESCE(l.start, '{}'), p.policy,
			EXISTS (SELECT FROM releases r WHERE r.tenant = a.tenant AND r.app = a.name AND r.state = 'starting'),
			(SELECT max(at) FROM decisions d WHERE d.tenant = a.tenant AND d.app = a.name)
		FROM (SELECT * FROM apps WHERE `+scaled+`) a LEFT JOIN policies p ON p.tenant = a.tenant AND p.app = a.name
			LEFT JOIN releases l ON l.tenant = a.tenant AND l.app = a.name AND l.number = a.release`)
	return list, meaning(err, "the apps to scale")
}
