package cron

import (
	"context"
	"fmt"
	"time"

	"kurama/paas"
)

// Start runs a job of an app's live release now, beside the caller. It returns
// paas.ErrNotFound where there is no such job, and paas.ErrConflict while its run
// before still works.
func (c *Cron) Start(ctx context.Context, rel paas.Release, job, by string) (paas.CronRun, error) {
	c.mu.Lock()
	stopped := c.life == nil || c.life.Err() != nil
	busy := c.working[key{rel.Tenant, rel.App, job}] > 0
	c.mu.Unlock()
	for _, j := range rel.Start.Cron {
		switch {
		case j.Name != job:
			continue
		case stopped:
			return paas.CronRun{}, &paas.Invalid{Reason: "Kurama is stopping. Run the job when it is back."}
		case busy && !j.Overlap:
			return paas.CronRun{}, fmt.Errorf("the job %s is running: %w", job, paas.ErrConflict)
		}
		return c.start(ctx, j, paas.CronRun{Tenant: rel.Tenant, App: rel.App, Job: job, Release: rel.Number, DueAt: time.Now(), By: by})
	}
	return paas.CronRun{}, fmt.Errorf("job %s of app %s: %w", job, rel.App, paas.ErrNotFound)
}
