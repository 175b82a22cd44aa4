package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

const cronColumns = `tenant, app, id, job, release, due_at, started_at, ended_at, outcome, exit, said, by, count`

func scanCronRun(row pgx.CollectableRow) (paas.CronRun, error) {
	var r paas.CronRun
	return r, row.Scan(&r.Tenant, &r.App, &r.ID, &r.Job, &r.Release, &r.DueAt, &r.StartedAt, &r.EndedAt, &r.Outcome, &r.Exit, &r.Said, &r.By, &r.Count)
}

// CronApps returns the apps of all tenants whose live release has cron jobs.
func (s *Store) CronApps(ctx context.Context) ([]paas.CronApp, error) {
	apps, err := all(ctx, s.pool, func(row pgx.CollectableRow) (a paas.CronApp, err error) {
		return a, row.Scan(&a.Tenant, &a.App, &a.State, &a.Release, &a.LiveAt, &a.Jobs)
	}, `SELECT a.tenant, a.name, a.state, a.release, coalesce(r.live_at, r.created_at), r.start->'cron'
		FROM apps a JOIN releases r ON r.tenant = a.tenant AND r.app = a.name AND r.number = a.release
		WHERE jsonb_typeof(r.start->'cron') = 'array' AND a.state <> 'deleting'`)
	return apps, meaning(err, "cron jobs")
}

// LastCronDue returns when the schedule of a job last asked for a run that was
// noted; the zero time where it never did.
func (s *Store) LastCronDue(ctx context.Context, tenant, app, job string) (time.Time, error) {
	due, err := one(ctx, s.pool, pgx.RowTo[time.Time], `SELECT due_at FROM cron_runs
		WHERE tenant = $1 AND app = $2 AND job = $3 AND by = '' ORDER BY due_at DESC LIMIT 1`, tenant, app, job)
	if errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, nil
	}
	return due, meaning(err, "runs of job "+job+" of "+appName(tenant, app))
}

// AddCronRun stores a run and forgets all of its job's but the newest keep. It
// returns the run's id, or paas.ErrNotFound for an app that does not exist.
func (s *Store) AddCronRun(ctx context.Context, r paas.CronRun, keep int) (int64, error) {
	var id int64
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		if id, err = one(ctx, tx, pgx.RowTo[int64], `INSERT INTO cron_runs (tenant, app, job, release, due_at, started_at, ended_at, outcome, exit, said, by, count)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id`,
			r.Tenant, r.App, r.Job, r.Release, r.DueAt, r.StartedAt, r.EndedAt, string(r.Outcome), r.Exit, text(r.Said), text(r.By), r.Count); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM cron_runs WHERE tenant = $1 AND app = $2 AND job = $3 AND outcome <> 'running' AND id < (
			SELECT min(id) FROM (SELECT id FROM cron_runs WHERE tenant = $1 AND app = $2 AND job = $3 ORDER BY id DESC LIMIT $4) newest)`,
			r.Tenant, r.App, r.Job, keep)
		return err
	})
	return id, meaning(err, appName(r.Tenant, r.App))
}

// EndCronRun stores how a run ended: its start, end, outcome, exit code and
// last words.
func (s *Store) EndCronRun(ctx context.Context, r paas.CronRun) error {
	_, err := s.pool.Exec(ctx, `UPDATE cron_runs SET started_at = $4, ended_at = $5, outcome = $6, exit = $7, said = $8
		WHERE id = $1 AND tenant = $2 AND app = $3`, r.ID, r.Tenant, r.App, r.StartedAt, r.EndedAt, string(r.Outcome), r.Exit, text(r.Said))
	return meaning(err, "run of job "+r.Job+" of "+appName(r.Tenant, r.App))
}

// CronRuns returns the newest runs of an app's jobs, newest first.
func (s *Store) CronRuns(ctx context.Context, tenant, app string, limit int) ([]paas.CronRun, error) {
	runs, err := all(ctx, s.pool, scanCronRun, `SELECT `+cronColumns+` FROM cron_runs
		WHERE tenant = $1 AND app = $2 ORDER BY id DESC LIMIT $3`, tenant, app, limit)
	return runs, meaning(err, "cron runs of "+appName(tenant, app))
}

// LastCronRuns returns the newest run of each of an app's jobs, by name.
func (s *Store) LastCronRuns(ctx context.Context, tenant, app string) (map[string]paas.CronRun, error) {
	runs, err := all(ctx, s.pool, scanCronRun, `SELECT DISTINCT ON (job) `+cronColumns+` FROM cron_runs
		WHERE tenant = $1 AND app = $2 ORDER BY job, id DESC`, tenant, app)
	byJob := make(map[string]paas.CronRun, len(runs))
	for _, r := range runs {
		byJob[r.Job] = r
	}
	return byJob, meaning(err, "cron runs of "+appName(tenant, app))
}

// LoseCronRuns marks the runs that an earlier process had under way as lost,
// with why, and returns them.
func (s *Store) LoseCronRuns(ctx context.Context, said string) ([]paas.CronRun, error) {
	lost, err := all(ctx, s.pool, scanCronRun, `UPDATE cron_runs SET outcome = 'lost', ended_at = now(), said = $1 WHERE outcome = 'running'
		RETURNING `+cronColumns, said)
	return lost, meaning(err, "cron runs")
}
