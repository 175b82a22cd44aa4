package alert

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// CheckAll returns *paas.Invalid where rules cannot be all that an app has.
func CheckAll(rules []Rule) error {
	if len(rules) > maxRules {
		return &paas.Invalid{Reason: fmt.Sprintf("%d alerts are too many: an app can have %d.", len(rules), maxRules)}
	}
	for _, r := range rules {
		if _, err := checked(r); err != nil {
			return err
		}
	}
	return nil
}

// Replace makes wanted the rules of an app: those that it has already keep
// their state, others are removed or added, all or nothing. Of a rule the same
// is read as by Add. Errors: *paas.Invalid; paas.ErrNotFound where there is no
// such app.
func (s *Rules) Replace(ctx context.Context, tenant, app, by string, wanted []Rule) error {
	if err := CheckAll(wanted); err != nil {
		return err
	}
	have, err := s.List(ctx, tenant, app)
	if err != nil {
		return err
	}
	kept := map[string]int{} // how many more of a kind are wanted
	for i := range wanted {
		wanted[i], _ = checked(wanted[i])
		kept[meaningOf(wanted[i])]++
	}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		for _, r := range have {
			if kept[meaningOf(r)] > 0 {
				kept[meaningOf(r)]--
				continue
			}
			if _, err := tx.Exec(ctx, "DELETE FROM alert_rules WHERE id::text=$1 AND tenant=$2 AND app=$3", r.ID, tenant, app); err != nil {
				return fmt.Errorf("removing alert %s: %w", r.ID, err)
			}
		}
		for _, r := range wanted {
			if kept[meaningOf(r)] == 0 {
				continue
			}
			kept[meaningOf(r)]--
			r.Tenant, r.App, r.CreatedBy = tenant, app, by
			if _, err := insertRule(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// meaningOf is the same for rules that do the same.
func meaningOf(r Rule) string {
	return fmt.Sprintf("%q %q %g %g %g", r.Condition, r.Receiver, r.For, r.KeepFiring, r.Repeat)
}
