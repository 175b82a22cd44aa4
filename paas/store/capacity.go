package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// Asked returns what the apps of each tenant ask for, the largest part of the
// CPU first. It looks at all tenants, so the pool must not be bound to one.
func (s *Store) Asked(ctx context.Context) ([]paas.Asked, error) {
	found, err := all(ctx, s.pool, pgx.RowToStructByPos[paas.Asked], `
		SELECT a.tenant, count(*)::int, `+askedReplicas+`, `+askedCPU+` AS cpu, `+askedMemory+`
		FROM apps a `+limitsOfApp+` WHERE a.state <> 'deleting' GROUP BY a.tenant ORDER BY cpu DESC, a.tenant`)
	return found, meaning(err, "what tenants ask for")
}
