package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

const releaseColumns = `tenant, app, number, state, reason, source_digest, layer, start, limits, env,
	rollback_of, created_by, created_at, live_at, commit, share, canary_at, rolled_back`

func scanRelease(row pgx.CollectableRow) (paas.Release, error) {
	var r paas.Release
	err := row.Scan(&r.Tenant, &r.App, &r.Number, &r.State, &r.Reason, &r.SourceDigest, &r.Layer, &r.Start,
		&r.Limits, &r.Env, &r.RollbackOf, &r.CreatedBy, &r.CreatedAt, &r.LiveAt, &r.Commit, &r.Share, &r.CanaryAt, &r.RolledBack)
	return r, err
}

func releaseName(tenant, app string, number int) string {
	return fmt.Sprintf("release %d of app %s of tenant %s", number, app, tenant)
}

// NewRelease stores r under the app's next number and returns it as stored.
// An empty State becomes building. It returns paas.ErrNotFound for an app that
// does not exist and paas.ErrConflict for one that is being deleted. A tenant's
// quota may refuse it with *paas.Invalid.
func (s *Store) NewRelease(ctx context.Context, r paas.Release) (paas.Release, error) {
	if r.State == "" {
		r.State = paas.ReleaseBuilding
	}
	var stored paas.Release
	insert := func(tx pgx.Tx) error {
		number, err := nextNumber(ctx, tx, r.Tenant, r.App)
		if err != nil {
			return err
		}
		stored, err = one(ctx, tx, scanRelease, `
			INSERT INTO releases (tenant, app, number, state, reason, source_digest, layer, start, limits, env,
				rollback_of, created_by, commit, share)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING `+releaseColumns,
			r.Tenant, r.App, number, string(r.State), text(r.Reason), r.SourceDigest, r.Layer, r.Start, r.Limits,
			s.keys.seal(r.Tenant, r.App, r.Env), r.RollbackOf, text(r.CreatedBy), text(r.Commit), r.Share)
		return err
	}
	err := s.write(ctx, r.Tenant, r.App, func(tx pgx.Tx) error {
		return s.within(ctx, tx, r.Tenant, func() error { return insert(tx) })
	})
	stored, err = s.opened(stored, err)
	return stored, meaning(err, appName(r.Tenant, r.App))
}

// opened returns a release with its settings decrypted.
func (s *Store) opened(r paas.Release, err error) (paas.Release, error) {
	if err != nil {
		return r, err
	}
	return r, s.keys.open(r.Tenant, r.App, r.Env)
}

// nextNumber gives out the next release number of an app. The row stays locked
// until the transaction ends, so two uploads never get the same.
func nextNumber(ctx context.Context, tx pgx.Tx, tenant, app string) (int, error) {
	var number int
	var state paas.AppState
	err := tx.QueryRow(ctx, `UPDATE apps SET last_release = last_release + 1, updated_at = now()
		WHERE tenant = $1 AND name = $2 RETURNING last_release, state`, tenant, app).Scan(&number, &state)
	if err == nil && state == paas.AppDeleting {
		err = fmt.Errorf("it is being deleted: %w", paas.ErrConflict)
	}
	return number, err
}

// settings keeps an absent map from becoming SQL's NULL.
func settings(env map[string]string) map[string]string {
	if env == nil {
		return map[string]string{}
	}
	return env
}

// UpdateRelease stores state, reason, source digest, layer, start, limits and
// settings of r. It returns paas.ErrNotFound for a release that does not exist.
func (s *Store) UpdateRelease(ctx context.Context, r paas.Release) error {
	err := s.write(ctx, r.Tenant, r.App, func(tx pgx.Tx) error {
		return touched(tx.Exec(ctx, `
			UPDATE releases SET state = $4, reason = $5, source_digest = $6, layer = $7, start = $8, limits = $9, env = $10
			WHERE tenant = $1 AND app = $2 AND number = $3`,
			r.Tenant, r.App, r.Number, string(r.State), text(r.Reason), r.SourceDigest, r.Layer, r.Start, r.Limits,
			s.keys.seal(r.Tenant, r.App, r.Env)))
	})
	return meaning(err, releaseName(r.Tenant, r.App, r.Number))
}

// SetLive makes a release the app's live one: the former becomes superseded
// and the app running, all at once. It returns paas.ErrNotFound for a release
// that does not exist, paas.ErrConflict when a higher number is live or the app
// is being deleted, and *paas.Invalid for a release that has failed or was ended.
func (s *Store) SetLive(ctx context.Context, tenant, app string, number int) error {
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		if _, err := lockForLive(ctx, tx, tenant, app, number); err != nil {
			return err
		}
		var state paas.ReleaseState
		var reason string
		err := tx.QueryRow(ctx, `SELECT state, reason FROM releases WHERE tenant = $1 AND app = $2 AND number = $3`, tenant, app, number).Scan(&state, &reason)
		if err == nil && state == paas.ReleaseFailed {
			err = &paas.Invalid{Reason: fmt.Sprintf("Release %d ended before it went live: %s", number, reason)}
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE releases SET state = 'live', reason = '', live_at = now()
			WHERE tenant = $1 AND app = $2 AND number = $3`, tenant, app, number); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE releases SET state = 'superseded'
			WHERE tenant = $1 AND app = $2 AND number <> $3 AND state = 'live'`, tenant, app, number); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE releases SET state = 'failed', reason = 'Another release went live before this canary was promoted.'
			WHERE tenant = $1 AND app = $2 AND state = 'canary'`, tenant, app); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE apps SET release = $3, canary_release = 0, canary_share = 0, state = 'running', reason = '', updated_at = now()
			WHERE tenant = $1 AND name = $2`, tenant, app, number)
		return err
	})
	return meaning(err, releaseName(tenant, app, number))
}

// lockForLive locks an app for a release that is to get requests, unless the
// app has moved on.
func lockForLive(ctx context.Context, tx pgx.Tx, tenant, app string, number int) (paas.App, error) {
	a, err := one(ctx, tx, scanApp,
		`SELECT `+appColumns+` FROM apps WHERE tenant = $1 AND name = $2 FOR UPDATE`, tenant, app)
	switch {
	case err != nil:
		return a, err
	case a.State == paas.AppDeleting:
		return a, fmt.Errorf("the app is being deleted: %w", paas.ErrConflict)
	case a.Release > number:
		return a, fmt.Errorf("release %d is live already: %w", a.Release, paas.ErrConflict)
	}
	return a, nil
}

// Release returns one release, or paas.ErrNotFound.
func (s *Store) Release(ctx context.Context, tenant, app string, number int) (paas.Release, error) {
	r, err := one(ctx, s.pool, scanRelease,
		`SELECT `+releaseColumns+` FROM releases WHERE tenant = $1 AND app = $2 AND number = $3`, tenant, app, number)
	r, err = s.opened(r, err)
	return r, meaning(err, releaseName(tenant, app, number))
}

// Releases returns the newest releases of an app, newest first; limit 0 means
// all of them.
func (s *Store) Releases(ctx context.Context, tenant, app string, limit int) ([]paas.Release, error) {
	releases, err := all(ctx, s.pool, scanRelease, `SELECT `+releaseColumns+` FROM releases
		WHERE tenant = $1 AND app = $2 ORDER BY number DESC LIMIT NULLIF($3, 0)`, tenant, app, limit)
	for i := range releases {
		releases[i], err = s.opened(releases[i], err)
	}
	return releases, meaning(err, "releases of "+appName(tenant, app))
}

// LastReleases returns the newest release of each app of a tenant, by the
// app's name.
func (s *Store) LastReleases(ctx context.Context, tenant string) (map[string]paas.Release, error) {
	releases, err := all(ctx, s.pool, scanRelease, `SELECT DISTINCT ON (app) `+releaseColumns+` FROM releases
		WHERE tenant = $1 ORDER BY app, number DESC`, tenant)
	byApp := make(map[string]paas.Release, len(releases))
	for _, r := range releases {
		r, err = s.opened(r, err)
		byApp[r.App] = r
	}
	return byApp, meaning(err, "releases of tenant "+tenant)
}
