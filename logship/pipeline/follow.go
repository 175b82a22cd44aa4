package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/paas"
)

// FollowEvery is how often a gate looks for what tenants have changed; a change
// holds after at most twice that.
const FollowEvery = time.Second

// Follow brings the gate up to date with the table until ctx ends. While the
// database is away the gate stays as it is, which is told once.
func (g *Gate) Follow(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) {
	tick := time.NewTicker(FollowEvery)
	defer tick.Stop()
	for away := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := g.Refresh(ctx, pool, log)
		if err != nil && !away && ctx.Err() == nil {
			log.Warn("The pipelines of apps cannot be read; the last ones known stay in force.", "error", err)
		}
		away = err != nil
	}
}

// row is what the table says of an app.
type row struct {
	key    appKey
	config string
}

// Refresh reads the table once. What an app has that cannot be compiled, as a
// former version may have written it, is left out and told.
func (g *Gate) Refresh(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	rows, err := pool.Query(ctx, `SELECT tenant, app, coalesce(config ->> $1, '{}') FROM pipelines WHERE config ? $1 OR watched_until > now()`, string(g.service))
	if err != nil {
		return fmt.Errorf("reading the pipelines: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (x row, err error) {
		return x, r.Scan(&x.key.tenant, &x.key.app, &x.config)
	})
	if err != nil {
		return fmt.Errorf("reading the pipelines: %w", err)
	}
	g.set(found, log)
	return nil
}

// set puts what was found in force; lanes that say the same as before go on
// counting.
func (g *Gate) set(found []row, log *slog.Logger) {
	if len(found) == 0 {
		g.apps.Store(nil)
		return
	}
	next := make(map[appKey]*lane, len(found))
	for _, x := range found {
		if old := g.lane(x.key.tenant, x.key.app); old != nil && old.config == x.config {
			next[x.key] = old
			continue
		}
		var stage paas.Stage
		err := json.Unmarshal([]byte(x.config), &stage)
		var l *lane
		if err == nil {
			l, err = newLane(x.config, &stage, g.compile)
		}
		if err != nil {
			log.Error("The pipeline of an app cannot be read; everything passes.", "tenant", x.key.tenant, "app", x.key.app, "service", g.service, "error", err)
			l = &lane{config: x.config}
		}
		next[x.key] = l
	}
	g.apps.Store(&next)
}
