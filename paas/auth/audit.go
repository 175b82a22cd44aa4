package auth

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// Bounds of the audit log.
const (
	maxDeedText  = 300 // bytes of a text that a caller gave
	maxDeedsPage = 1000
)

// Note writes a line of the audit log. A tenant that is empty is looked up by
// the name in Who, so that owners learn of sign-ins that failed with theirs.
func (a *Auth) Note(ctx context.Context, d paas.Deed) error {
	_, err := a.pool.Exec(ctx, `INSERT INTO audit (at, tenant, who, via, address, action, app, target, status, detail)
		VALUES ($1, coalesce(nullif($2, ''), (SELECT tenant FROM users WHERE name = $3), ''), $3, $4, $5, $6, $7, $8, $9, $10)`,
		d.At, d.Tenant, short(d.Who), short(d.Via), d.Address, d.Action, short(d.App), short(d.Target), d.Status, short(d.Detail))
	if err != nil {
		return fmt.Errorf("noting %s of %s: %w", d.Action, d.Who, err)
	}
	return nil
}

func short(s string) string {
	return clean(s[:min(len(s), maxDeedText)])
}

// Deeds returns the lines of the audit log that f asks for, newest first.
func (a *Auth) Deeds(ctx context.Context, f paas.DeedFilter) ([]paas.Deed, error) {
	var where []string
	var args []any
	add := func(on bool, condition string, arg any) {
		if on {
			args = append(args, arg)
			where = append(where, fmt.Sprintf(condition, len(args)))
		}
	}
	add(!f.All, "tenant = $%d", f.Tenant)
	add(f.Who != "", "who = $%d", clean(f.Who))
	add(f.Action != "", "action = $%d", clean(f.Action))
	add(f.App != "", "app = $%d", clean(f.App))
	add(f.Refused, "status >= $%d", 400)
	add(!f.From.IsZero(), "at >= $%d", f.From)
	add(!f.To.IsZero(), "at < $%d", f.To)
	add(f.Before > 0, "id < $%d", f.Before)
	where = append(where, "true")
	args = append(args, max(1, min(f.Limit, maxDeedsPage)))
	rows, err := a.pool.Query(ctx, fmt.Sprintf(`SELECT id, at, tenant, who, via, address, action, app, target, status, detail
		FROM audit WHERE %s ORDER BY id DESC LIMIT $%d`, strings.Join(where, " AND "), len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	deeds, err := pgx.AppendRows([]paas.Deed{}, rows, func(row pgx.CollectableRow) (d paas.Deed, err error) {
		err = row.Scan(&d.ID, &d.At, &d.Tenant, &d.Who, &d.Via, &d.Address, &d.Action, &d.App, &d.Target, &d.Status, &d.Detail)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	return deeds, nil
}
