package autoscaler

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
	"kurama/paas"
)

// Bounds of a policy.
const (
	MaxReplicas = 50             // largest number of replicas of one app
	maxWindow   = 3600.0         // s
	minWindow   = 5.0            // s
	maxTime     = 10 * 60 * 1000 // ms

	channel    = "kurama_apps" // where every write to an app is announced, with tenant/app as payload
	foreignKey = "23503"
)

// Policies is the store of autoscaling policies and decisions. It is safe for
// concurrent use.
type Policies struct {
	pool     *pgxpool.Pool
	defaults paas.Policy
}

// NewPolicies returns the store; cfg gives the policy of apps that have none
// of their own.
func NewPolicies(pool *pgxpool.Pool, cfg config.Autoscaler) *Policies {
	return &Policies{pool: pool, defaults: DefaultPolicy(cfg)}
}

// DefaultPolicy returns the policy that the configuration describes.
func DefaultPolicy(cfg config.Autoscaler) paas.Policy {
	return paas.Policy{Name: cfg.Policy, Min: cfg.Min, Max: cfg.Max, LoadWindow: cfg.LoadWindow.Seconds(), LoadUp: cfg.LoadUp,
		LoadDown: cfg.LoadDown, TimeWindow: cfg.TimeWindow.Seconds(), TimeUp: float64(cfg.TimeUp) / float64(time.Millisecond), Cooldown: cfg.Cooldown.Seconds()}
}

// Check reports in a sentence why p cannot be an app's policy, as a
// *paas.Invalid.
func Check(p paas.Policy) error {
	invalid := func(format string, args ...any) error { return &paas.Invalid{Reason: fmt.Sprintf(format, args...)} }
	within := func(v, low, high float64) bool { return v >= low && v <= high } // false for NaN
	switch {
	case p.Name != PolicyKurama && p.Name != PolicyOff:
		return invalid("There is no policy called %q: use %q or %q.", p.Name, PolicyKurama, PolicyOff)
	case p.Min < 0 || p.Max > MaxReplicas || p.Max < 1:
		return invalid("An app can have 1 to %d replicas, and the policy says %d to %d: change its bounds.", MaxReplicas, p.Min, p.Max)
	case p.Min > p.Max:
		return invalid("The smallest number of replicas (%d) is above the largest (%d): lower one or raise the other.", p.Min, p.Max)
	case !within(p.LoadUp, 1, 100):
		return invalid("The load above which replicas are added is %g %%: use 1 to 100 %%.", p.LoadUp)
	case !within(p.LoadDown, 0, math.Nextafter(p.LoadUp, 0)):
		return invalid("The load below which a replica is taken away is %g %%: use 0 %% or more, and less than %g %%, above which replicas are added.", p.LoadDown, p.LoadUp)
	case !within(p.LoadWindow, minWindow, maxWindow) || !within(p.TimeWindow, minWindow, maxWindow):
		return invalid("The windows are %g s for load and %g s for response time: use %g to %g s.", p.LoadWindow, p.TimeWindow, minWindow, maxWindow)
	case !within(p.TimeUp, 1, maxTime):
		return invalid("The response time above which replicas are added is %g ms: use 1 to %d ms.", p.TimeUp, maxTime)
	case !within(p.Cooldown, 0, maxWindow):
		return invalid("The pause after a change is %g s: use 0 to %g s.", p.Cooldown, maxWindow)
	}
	return nil
}

// fill gives the fields that were left out, and cannot be 0, their defaults.
func fill(p, defaults paas.Policy) paas.Policy {
	if p.Name == "" {
		p.Name = defaults.Name
	}
	if p.Max == 0 {
		p.Max = max(defaults.Max, p.Min)
	}
	for _, f := range []struct{ v, def *float64 }{{&p.LoadWindow, &defaults.LoadWindow}, {&p.LoadUp, &defaults.LoadUp},
		{&p.TimeWindow, &defaults.TimeWindow}, {&p.TimeUp, &defaults.TimeUp}} {
		if *f.v == 0 {
			*f.v = *f.def
		}
	}
	return p
}

// Get returns the policy of an app: its own, or the default. Errors:
// paas.ErrNotFound.
func (s *Policies) Get(ctx context.Context, tenant, app string) (paas.Policy, error) {
	var own *paas.Policy
	err := s.pool.QueryRow(ctx, `SELECT p.policy FROM apps a LEFT JOIN policies p ON p.tenant=a.tenant AND p.app=a.name
		WHERE a.tenant=$1 AND a.name=$2`, tenant, app).Scan(&own)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return paas.Policy{}, fmt.Errorf("app %s: %w", app, paas.ErrNotFound)
	case err != nil:
		return paas.Policy{}, fmt.Errorf("reading the policy of %s: %w", app, err)
	case own == nil:
		return s.defaults, nil
	}
	return fill(*own, s.defaults), nil
}

// Put stores the policy of an app. Fields that are 0 and cannot be get their
// defaults. Errors: *paas.Invalid; paas.ErrNotFound.
func (s *Policies) Put(ctx context.Context, tenant, app string, p paas.Policy) error {
	p = fill(p, s.defaults)
	if err := Check(p); err != nil {
		return err
	}
	_, err := s.pool.Exec(ctx, `INSERT INTO policies (tenant, app, policy) VALUES ($1,$2,$3)
		ON CONFLICT (tenant, app) DO UPDATE SET policy = excluded.policy`, tenant, app, p)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == foreignKey {
		return fmt.Errorf("app %s: %w", app, paas.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("storing the policy of %s: %w", app, err)
	}
	return nil
}

// Decisions returns the decisions about an app, newest first, at most limit
// (1 to 500; others mean 100).
func (s *Policies) Decisions(ctx context.Context, tenant, app string, limit int) ([]paas.Decision, error) {
	if limit < 1 || limit > 500 {
		limit = 100
	}
	rows, err := s.pool.Query(ctx, `SELECT tenant, app, at, policy, from_replicas, to_replicas, reason, inputs FROM decisions
		WHERE tenant=$1 AND app=$2 ORDER BY at DESC, id DESC LIMIT $3`, tenant, app, limit)
	if err != nil {
		return nil, fmt.Errorf("listing the decisions about %s: %w", app, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d paas.Decision, err error) {
		d.Valid = true
		err = row.Scan(&d.Tenant, &d.App, &d.At, &d.Policy, &d.From, &d.To, &d.Reason, &d.Inputs)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the decisions about %s: %w", app, err)
	}
	return list, nil
}

// Target is an app that may be scaled.
type Target struct {
	Tenant, App string
	Desired     int
	Release     int
	Deploying   bool
	Decided     time.Time // of the last decision; zero: none
	Policy      paas.Policy
}

// Targets returns the apps that run.
func (s *Policies) Targets(ctx context.Context) ([]Target, error) {
	rows, err := s.pool.Query(ctx, `SELECT a.tenant, a.name, a.desired, a.release, p.policy,
			EXISTS (SELECT FROM releases r WHERE r.tenant=a.tenant AND r.app=a.name AND r.state='starting'),
			(SELECT max(at) FROM decisions d WHERE d.tenant=a.tenant AND d.app=a.name)
		FROM apps a LEFT JOIN policies p ON p.tenant=a.tenant AND p.app=a.name
		WHERE a.state='running' AND a.release > 0 AND a.desired > 0`)
	if err != nil {
		return nil, fmt.Errorf("reading the apps: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Target, err error) {
		var own *paas.Policy
		var decided *time.Time
		err = row.Scan(&t.Tenant, &t.App, &t.Desired, &t.Release, &own, &t.Deploying, &decided)
		t.Policy = s.defaults
		if own != nil {
			t.Policy = fill(*own, s.defaults)
		}
		if decided != nil {
			t.Decided = *decided
		}
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the apps: %w", err)
	}
	return list, nil
}

// Apply stores a decision and the number of replicas that the app then wants,
// both or neither, and announces it. It reports false, and stores nothing,
// where the app no longer wants d.From replicas or does not run.
func (s *Policies) Apply(ctx context.Context, d paas.Decision) (applied bool, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE apps SET desired=$4, updated_at=now()
			WHERE tenant=$1 AND name=$2 AND desired=$3 AND state='running' AND release > 0`, d.Tenant, d.App, d.From, d.To)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		applied = true
		if _, err := tx.Exec(ctx, `INSERT INTO decisions (tenant, app, at, policy, from_replicas, to_replicas, reason, inputs)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`, d.Tenant, d.App, d.At, d.Policy, d.From, d.To, d.Reason, d.Inputs); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "SELECT pg_notify($1, $2)", channel, d.Tenant+"/"+d.App)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("storing the decision about %s: %w", d.App, err)
	}
	return applied, nil
}
