package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

func scanDomain(row pgx.CollectableRow) (paas.Domain, error) {
	var d paas.Domain
	err := row.Scan(&d.Tenant, &d.App, &d.Name, &d.Active, &d.Says, &d.CheckedAt)
	return d, err
}

const domainColumns = `tenant, app, name, active_at IS NOT NULL, says, checked_at`

// Domains returns the domains that an app asks for, by name.
func (s *Store) Domains(ctx context.Context, tenant, app string) ([]paas.Domain, error) {
	domains, err := all(ctx, s.pool, scanDomain, `SELECT `+domainColumns+` FROM domains WHERE tenant = $1 AND app = $2 ORDER BY name`, tenant, app)
	return domains, meaning(err, "domains of "+appName(tenant, app))
}

// PendingDomains returns at most limit domains of all tenants that are not
// active: one of each tenant, then another one of each, and of each those first
// that were not looked at for longest.
func (s *Store) PendingDomains(ctx context.Context, limit int) ([]paas.Domain, error) {
	domains, err := all(ctx, s.pool, scanDomain, `SELECT `+domainColumns+` FROM domains WHERE active_at IS NULL
		ORDER BY row_number() OVER (PARTITION BY tenant ORDER BY checked_at NULLS FIRST, name), checked_at NULLS FIRST, name LIMIT $1`, limit)
	return domains, meaning(err, "pending domains")
}

// ActiveOn returns the active domains on a host, whosever they are.
func (s *Store) ActiveOn(ctx context.Context, host string) ([]paas.Domain, error) {
	domains, err := all(ctx, s.pool, scanDomain, `SELECT `+domainColumns+` FROM domains
		WHERE active_at IS NOT NULL AND split_part(name, '/', 1) = $1 ORDER BY name`, host)
	return domains, meaning(err, "domains on "+host)
}

// SettleDomain stores what a look at a domain found. An active one takes the
// name from whoever had it, who is told so. It returns paas.ErrNotFound for a
// domain that its app asks for no more.
func (s *Store) SettleDomain(ctx context.Context, d paas.Domain) error {
	err := s.write(ctx, d.Tenant, d.App, func(tx pgx.Tx) error {
		if d.Active {
			lost := fmt.Sprintf("%s went to another app, whose tenant has shown that the host is theirs.", d.Name)
			if _, err := tx.Exec(ctx, `UPDATE domains SET active_at = NULL, says = $4
				WHERE name = $1 AND active_at IS NOT NULL AND (tenant, app) <> ($2, $3)`, d.Name, d.Tenant, d.App, lost); err != nil {
				return err
			}
		}
		return touched(tx.Exec(ctx, `UPDATE domains SET says = $4, checked_at = now(),
			active_at = CASE WHEN $5 THEN coalesce(active_at, now()) END
			WHERE name = $1 AND tenant = $2 AND app = $3`, d.Name, d.Tenant, d.App, text(d.Says), d.Active))
	})
	return meaning(err, "domain "+d.Name)
}
