package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// Pipeline returns what an app has set up behind the stream, without its
// receivers; the zero pipeline where it has set up nothing.
func (s *Store) Pipeline(ctx context.Context, tenant, app string) (paas.Pipeline, error) {
	found, err := all(ctx, s.pool, pgx.RowTo[paas.Pipeline], `SELECT config FROM pipelines WHERE tenant = $1 AND app = $2`, tenant, app)
	if err != nil || len(found) == 0 {
		return paas.Pipeline{}, meaning(err, "the pipeline of "+appName(tenant, app))
	}
	return found[0], nil
}

// SetPipeline stores an app's pipeline but for its receivers, or returns
// paas.ErrNotFound. The services follow within two seconds. One that says the
// same is no change: its time stays.
func (s *Store) SetPipeline(ctx context.Context, tenant, app, by string, p paas.Pipeline) error {
	p.Receivers = nil
	_, err := s.pool.Exec(ctx, `INSERT INTO pipelines (tenant, app, config, updated_by) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant, app) DO UPDATE SET config = excluded.config, updated_by = excluded.updated_by,
			updated_at = CASE WHEN pipelines.config = excluded.config THEN pipelines.updated_at ELSE now() END`, tenant, app, p, by)
	return meaning(err, appName(tenant, app))
}

// WatchPipeline lets the services count the app's records for a while; asked
// again before half of it is over it writes nothing.
func (s *Store) WatchPipeline(ctx context.Context, tenant, app string, span time.Duration) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO pipelines (tenant, app, watched_until) VALUES ($1, $2, now() + $3::interval)
		ON CONFLICT (tenant, app) DO UPDATE SET watched_until = excluded.watched_until
		WHERE coalesce(pipelines.watched_until, '-infinity') < now() + $3::interval / 2`, tenant, app, span)
	return meaning(err, appName(tenant, app))
}
