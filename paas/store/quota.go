package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// Within bounds what each tenant may ask for by the quota that those have whom
// the operator gave none; it returns s. Without it they have no bound.
func (s *Store) Within(defaults paas.Quota) *Store {
	s.quota = defaults
	return s
}

// Within bounds tenants as Store.Within does; it returns s.
func (s *Policies) Within(defaults paas.Quota) *Policies {
	s.store.Within(defaults)
	return s
}

// Quota returns a tenant's quota, whether the operator has set it for the
// tenant alone, and what its apps ask for now.
func (s *Store) Quota(ctx context.Context, tenant string) (quota paas.Quota, own bool, use paas.Quota, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if quota, own, err = s.quotaOf(ctx, tx, tenant); err != nil {
			return err
		}
		use, err = useOf(ctx, tx, tenant)
		return err
	})
	return quota, own, use, meaning(err, "quota of tenant "+tenant)
}

// SetQuota gives a tenant a quota of its own; nil takes it back, so that the
// default applies. What a tenant has beyond it stays, and cannot grow. Errors:
// *paas.Invalid; paas.ErrNotFound.
func (s *Store) SetQuota(ctx context.Context, tenant string, q *paas.Quota) error {
	if q == nil {
		_, err := s.pool.Exec(ctx, `DELETE FROM quotas WHERE tenant = $1`, tenant)
		return meaning(err, "quota of tenant "+tenant)
	}
	if err := q.Check(); err != nil {
		return err
	}
	_, err := s.pool.Exec(ctx, `INSERT INTO quotas (tenant, apps, replicas, cpu, memory, disk, build_minutes, log_bytes, cpu_weight) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (tenant) DO UPDATE SET apps = $2, replicas = $3, cpu = $4, memory = $5, disk = $6, build_minutes = $7, log_bytes = $8, cpu_weight = $9`,
		tenant, q.Apps, q.Replicas, q.CPU, q.Memory, q.Disk, q.BuildMinutes, q.LogBytes, q.CPUWeight)
	return meaning(err, "tenant "+tenant)
}

// within makes a change unless it takes the tenant beyond its quota. Changes of
// one tenant wait for one another here, so that two cannot share the last place.
func (s *Store) within(ctx context.Context, tx pgx.Tx, tenant string, change func() error) error {
	if _, err := tx.Exec(ctx, `SELECT FROM tenants WHERE name = $1 FOR NO KEY UPDATE`, tenant); err != nil {
		return err
	}
	quota, _, err := s.quotaOf(ctx, tx, tenant)
	if err != nil {
		return err
	}
	before, err := useOf(ctx, tx, tenant)
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	after, err := useOf(ctx, tx, tenant)
	if err != nil {
		return err
	}
	return quota.Allow(tenant, before, after)
}

func (s *Store) quotaOf(ctx context.Context, tx pgx.Tx, tenant string) (paas.Quota, bool, error) {
	q, err := one(ctx, tx, pgx.RowToStructByPos[paas.Quota], `SELECT apps, replicas, cpu, memory, disk, build_minutes, log_bytes, cpu_weight FROM quotas WHERE tenant = $1`, tenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return s.quota, false, nil
	}
	return q, true, err
}

// limitsOfApp joins the limits of an app's live release, or of the one on its
// way where none is live, and t: what its canary asks for (replicas as
// paas.Canary.Replicas says), and a release that is on its way to be one, whose
// place is taken from the moment it is accepted.
const limitsOfApp = `LEFT JOIN LATERAL (SELECT limits FROM releases r WHERE r.tenant = a.tenant AND r.app = a.name
	ORDER BY r.number = a.release DESC, r.number DESC LIMIT 1) r ON true
	CROSS JOIN LATERAL (SELECT coalesce(sum(n), 0) AS n, coalesce(sum(n * (limits->>'cpu')::float8), 0) AS cpu,
			coalesce(sum(n * (limits->>'memory')::bigint), 0) AS memory, coalesce(sum(n * (limits->>'disk')::bigint), 0) AS disk FROM (
		SELECT (a.desired * a.canary_share + 99) / 100 AS n, limits FROM releases c
			WHERE c.tenant = a.tenant AND c.app = a.name AND c.number = a.canary_release
		UNION ALL SELECT (a.desired * c.share + 99) / 100, limits FROM releases c
			WHERE c.tenant = a.tenant AND c.app = a.name AND c.share > 0 AND c.state IN ('building', 'starting')) trial) t`

// askedReplicas, askedCPU and askedMemory add up what apps ask for.
const (
	askedReplicas = `coalesce(sum(a.desired + t.n), 0)::int`
	askedCPU      = `coalesce(sum(a.desired * (r.limits->>'cpu')::float8 + t.cpu), 0)`
	askedMemory   = `coalesce(sum(a.desired * (r.limits->>'memory')::bigint + t.memory), 0)::bigint`
)

// useOf adds up what a tenant's apps ask for. An app without a live release
// counts with the limits of the one on its way.
func useOf(ctx context.Context, tx pgx.Tx, tenant string) (paas.Quota, error) {
	return one(ctx, tx, pgx.RowToStructByPos[paas.Quota], `
		SELECT count(*)::int, `+askedReplicas+`, `+askedCPU+`, `+askedMemory+`,
			(coalesce(sum(a.desired * (r.limits->>'disk')::bigint + t.disk), 0) + (SELECT coalesce(sum(size), 0) FROM volumes WHERE tenant = $1)
				+ (SELECT coalesce(sum(size), 0) FROM databases WHERE tenant = $1))::bigint,
			(SELECT coalesce(sum(seconds), 0) / 60 FROM build_use WHERE tenant = $1 AND at > now() - interval '24 hours'), 0::bigint, 0
		FROM apps a `+limitsOfApp+` WHERE a.tenant = $1 AND a.state <> 'deleting'`, tenant)
}

// AllowBuild returns *paas.Invalid when a tenant's builds have used up the
// minutes of its quota.
func (s *Store) AllowBuild(ctx context.Context, tenant string) error {
	quota, _, use, err := s.Quota(ctx, tenant)
	if err != nil {
		return err
	}
	return quota.AllowBuild(tenant, use)
}

// CountBuild adds to what a tenant's builds have taken.
func (s *Store) CountBuild(ctx context.Context, tenant string, took time.Duration) error {
	_, err := s.pool.Exec(ctx, `WITH old AS (DELETE FROM build_use WHERE tenant = $1 AND at < now() - interval '2 days')
		INSERT INTO build_use (tenant, seconds) VALUES ($1, $2)`, tenant, took.Seconds())
	return meaning(err, "tenant "+tenant)
}
