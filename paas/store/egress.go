package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// Egress returns what the operator lets a tenant's apps reach; Mode is empty
// where that is the installation's default.
func (s *Store) Egress(ctx context.Context, tenant string) (paas.Egress, error) {
	e, err := one(ctx, s.pool, pgx.RowToStructByPos[paas.Egress], `SELECT mode, allow FROM egress WHERE tenant = $1`, tenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return paas.Egress{Allow: []string{}}, nil
	}
	return e, meaning(err, "egress of tenant "+tenant)
}

// SetEgress gives a tenant a policy of its own; nil takes it back, so that the
// default applies. Errors: *paas.Invalid; paas.ErrNotFound.
func (s *Store) SetEgress(ctx context.Context, tenant string, e *paas.Egress) error {
	if e == nil {
		_, err := s.pool.Exec(ctx, `DELETE FROM egress WHERE tenant = $1`, tenant)
		return meaning(err, "egress of tenant "+tenant)
	}
	if _, err := e.Destinations(); err != nil {
		return err
	}
	_, err := s.pool.Exec(ctx, `INSERT INTO egress (tenant, mode, allow) VALUES ($1, $2, coalesce($3, '{}'::text[])) ON CONFLICT (tenant) DO UPDATE SET mode = $2, allow = coalesce($3, '{}'::text[])`,
		tenant, e.Mode, e.Allow)
	return meaning(err, "tenant "+tenant)
}

// LogLimits returns the bytes that the apps of tenants may log in a day (UTC),
// for those with a quota of their own.
func (s *Store) LogLimits(ctx context.Context) (map[string]int64, error) {
	rows, err := s.pool.Query(ctx, `SELECT tenant, log_bytes FROM quotas`)
	if err != nil {
		return nil, meaning(err, "quotas")
	}
	limits := map[string]int64{}
	var tenant string
	var bytes int64
	_, err = pgx.ForEachRow(rows, []any{&tenant, &bytes}, func() error { limits[tenant] = bytes; return nil })
	return limits, meaning(err, "quotas")
}

// Walls returns what stands around the tenants for whom the operator has set
// something.
func (s *Store) Walls(ctx context.Context) (map[string]paas.Wall, error) {
	type row struct {
		Tenant, Mode string
		Allow        []string
		Weight       int
	}
	rows, err := s.pool.Query(ctx, `SELECT tenant, coalesce(e.mode, ''), coalesce(e.allow, '{}'), coalesce(q.cpu_weight, 0) FROM egress e FULL JOIN quotas q USING (tenant)`)
	if err != nil {
		return nil, meaning(err, "walls")
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	walls := map[string]paas.Wall{}
	for _, r := range found {
		walls[r.Tenant] = paas.Wall{Egress: paas.Egress{Mode: r.Mode, Allow: r.Allow}, CPUWeight: r.Weight}
	}
	return walls, meaning(err, "walls")
}
