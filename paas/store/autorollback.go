package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// SetAutoRollback stores what is to be otherwise of whether an app goes back by
// itself. It returns *paas.Invalid for what cannot be, and paas.ErrNotFound for
// an app that does not exist.
func (s *Store) SetAutoRollback(ctx context.Context, tenant, app string, c paas.AutoRollbackChange) error {
	if err := c.Check(); err != nil {
		return err
	}
	return s.updateApp(ctx, tenant, app, `rollback = rollback || $3`, c) // what is left out of its JSON stays
}

// TakeBack notes that Kurama takes a release back by itself, and why: it goes back
// to the one before from here on, also after a restart. It returns
// paas.ErrConflict where the release is no longer the app's live one, or was taken
// back already.
func (s *Store) TakeBack(ctx context.Context, tenant, app string, release int, why string) error {
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		a, err := one(ctx, tx, scanApp, `SELECT `+appColumns+` FROM apps WHERE tenant = $1 AND name = $2 FOR UPDATE`, tenant, app)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `UPDATE releases SET rolled_back = $4 WHERE tenant = $1 AND app = $2 AND number = $3 AND state = 'live' AND rolled_back = ''`,
			tenant, app, release, text(why))
		if err == nil && (tag.RowsAffected() == 0 || a.Release != release || a.State == paas.AppDeleting) {
			err = fmt.Errorf("it is not live any more, or was taken back already: %w", paas.ErrConflict)
		}
		return err
	})
	return meaning(err, releaseName(tenant, app, release))
}
