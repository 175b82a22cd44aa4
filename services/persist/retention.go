package persist

import (
	"context"
	"fmt"
	"time"
)

// sliceOfTime is how much of an app's past is deleted at once: a statement that
// deletes a day would hold up the ones behind it.
const sliceOfTime = 10 * time.Minute

// shorten deletes, each minute, the records that apps keep for less long than
// the platform does, until ctx ends or Postgres fails.
func (p *Persist) shorten(ctx context.Context) error {
	tick := time.NewTicker(maintainEvery)
	defer tick.Stop()
	for {
		err := p.deps.Gate.Retained(func(tenant, app string, days int) error {
			return p.deleteBefore(ctx, tenant, app, p.now().AddDate(0, 0, -days))
		})
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// deleteBefore deletes an app's records before oldest, from the oldest on.
func (p *Persist) deleteBefore(ctx context.Context, tenant, app string, oldest time.Time) error {
	for {
		var first *time.Time
		err := p.deps.Pool.QueryRow(ctx, `SELECT min(ts) FROM records WHERE tenant = $1 AND app = $2 AND ts < $3`, tenant, app, oldest).Scan(&first)
		if err != nil {
			return fmt.Errorf("looking for old records of %s/%s: %w", tenant, app, err)
		}
		if first == nil {
			return nil
		}
		end := first.Add(sliceOfTime)
		if end.After(oldest) {
			end = oldest
		}
		if _, err := p.deps.Pool.Exec(ctx, `DELETE FROM records WHERE tenant = $1 AND app = $2 AND ts < $3`, tenant, app, end); err != nil {
			return fmt.Errorf("deleting old records of %s/%s: %w", tenant, app, err)
		}
	}
}
