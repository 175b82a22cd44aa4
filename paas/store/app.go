package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

const appColumns = `tenant, name, uid, state, reason, desired, asleep, release, restart, runtime, canary_release, canary_share, rollback, routing,
	ARRAY(SELECT d.name FROM domains d WHERE d.tenant = apps.tenant AND d.app = apps.name ORDER BY 1),
	ARRAY(SELECT d.name FROM domains d WHERE d.tenant = apps.tenant AND d.app = apps.name AND active_at IS NOT NULL ORDER BY 1),
	(SELECT coalesce(jsonb_agg(jsonb_build_object('release', r.number, 'folders', r.start->'static') ORDER BY r.number), '[]') FROM releases r
		WHERE r.tenant = apps.tenant AND r.app = apps.name AND r.number IN (apps.release, apps.canary_release) AND r.start ? 'static'),
	created_at, updated_at`

func scanApp(row pgx.CollectableRow) (paas.App, error) {
	var a paas.App
	err := row.Scan(&a.Tenant, &a.Name, &a.UID, &a.State, &a.Reason, &a.Desired, &a.Asleep, &a.Release, &a.Restart, &a.Runtime, &a.Canary.Release, &a.Canary.Share, &a.Rollback,
		&a.Routing, &a.Routing.Domains, &a.Routing.Active,
		&a.Static, &a.CreatedAt, &a.UpdatedAt)
	return a, err
}

func appName(tenant, app string) string { return fmt.Sprintf("app %s of tenant %s", app, tenant) }

// CreateApp makes an app without a release, in state new, that wants one
// replica. It returns *paas.Invalid for a name that cannot be one,
// paas.ErrExists for a name that is taken and paas.ErrNotFound for a tenant
// that does not exist. A tenant's quota may refuse it with *paas.Invalid.
func (s *Store) CreateApp(ctx context.Context, tenant, name string) (paas.App, error) {
	if err := paas.CheckName("an app", name); err != nil {
		return paas.App{}, &paas.Invalid{Reason: err.Error()}
	}
	var app paas.App
	err := s.write(ctx, tenant, name, func(tx pgx.Tx) error {
		return s.within(ctx, tx, tenant, func() (err error) {
			app, err = one(ctx, tx, scanApp,
				`INSERT INTO apps (tenant, name) VALUES ($1, $2) RETURNING `+appColumns, tenant, name)
			return err
		})
	})
	return app, meaning(err, appName(tenant, name))
}

// App returns one app, or paas.ErrNotFound.
func (s *Store) App(ctx context.Context, tenant, app string) (paas.App, error) {
	a, err := one(ctx, s.pool, scanApp,
		`SELECT `+appColumns+` FROM apps WHERE tenant = $1 AND name = $2`, tenant, app)
	return a, meaning(err, appName(tenant, app))
}

// Apps returns the apps of a tenant by name.
func (s *Store) Apps(ctx context.Context, tenant string) ([]paas.App, error) {
	apps, err := all(ctx, s.pool, scanApp,
		`SELECT `+appColumns+` FROM apps WHERE tenant = $1 ORDER BY name`, tenant)
	return apps, meaning(err, "apps of tenant "+tenant)
}

// AllApps returns the apps of all tenants, by tenant and name.
func (s *Store) AllApps(ctx context.Context) ([]paas.App, error) {
	apps, err := all(ctx, s.pool, scanApp, `SELECT `+appColumns+` FROM apps ORDER BY tenant, name`)
	return apps, meaning(err, "apps")
}

// SetAppState says in which state an app is and, where the state needs it, why
// in one sentence.
func (s *Store) SetAppState(ctx context.Context, tenant, app string, state paas.AppState, reason string) error {
	return s.updateApp(ctx, tenant, app, `state = $3, reason = $4`, string(state), text(reason))
}

// SetDesired says how many replicas an app wants, 0 or more.
func (s *Store) SetDesired(ctx context.Context, tenant, app string, replicas int) error {
	if replicas < 0 {
		return &paas.Invalid{Reason: fmt.Sprintf("%d is not a number of replicas: use 0 or more", replicas)}
	}
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error { return s.setDesired(ctx, tx, tenant, app, replicas) })
	return meaning(err, appName(tenant, app))
}

func (s *Store) setDesired(ctx context.Context, tx pgx.Tx, tenant, app string, replicas int) error {
	return s.within(ctx, tx, tenant, func() error {
		return touched(tx.Exec(ctx, `UPDATE apps SET desired = $3, asleep = false, updated_at = now() WHERE tenant = $1 AND name = $2`, tenant, app, replicas))
	})
}

// RequestRestart asks for a rolling restart: it raises App.Restart by one.
func (s *Store) RequestRestart(ctx context.Context, tenant, app string) error {
	return s.updateApp(ctx, tenant, app, `restart = restart + 1`)
}

// SetRuntime gives an app's containers an OCI runtime, empty: the
// installation's, and asks for a rolling restart.
func (s *Store) SetRuntime(ctx context.Context, tenant, app, runtime string) error {
	return s.updateApp(ctx, tenant, app, `runtime = $3, restart = restart + 1`, runtime)
}

func (s *Store) updateApp(ctx context.Context, tenant, app, set string, args ...any) error {
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		return touched(tx.Exec(ctx,
			`UPDATE apps SET updated_at = now(), `+set+` WHERE tenant = $1 AND name = $2`,
			append([]any{tenant, app}, args...)...))
	})
	return meaning(err, appName(tenant, app))
}

// DeleteApp removes an app with its settings, releases, build logs, rules and
// messages. Its log records stay until their retention ends.
func (s *Store) DeleteApp(ctx context.Context, tenant, app string) error {
	err := s.write(ctx, tenant, app, func(tx pgx.Tx) error {
		if err := touched(tx.Exec(ctx, `DELETE FROM apps WHERE tenant = $1 AND name = $2`, tenant, app)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM notifications WHERE tenant = $1 AND app = $2`, tenant, app)
		return err
	})
	return meaning(err, appName(tenant, app))
}
