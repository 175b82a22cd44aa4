// Package cron runs the jobs that apps have in their kurama.yaml, each run in a
// fresh container of the app's live release, and tells of those that failed or
// did not happen.
package cron

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"kurama/internal/config"
	"kurama/internal/turns"
	"kurama/logship/record"
	"kurama/paas"
)

// Jobs is what apps want to be run, and when that was done last.
type Jobs interface {
	CronApps(ctx context.Context) ([]paas.CronApp, error)
	LastCronDue(ctx context.Context, tenant, app, job string) (time.Time, error)
}

// Runs keeps what came of the jobs.
type Runs interface {
	AddCronRun(ctx context.Context, r paas.CronRun, keep int) (id int64, err error)
	EndCronRun(ctx context.Context, r paas.CronRun) error
	LoseCronRuns(ctx context.Context, said string) ([]paas.CronRun, error)
}

// Runner runs a command beside an app until it ends, and calls fn with each
// line of its output.
type Runner interface {
	RunCommand(ctx context.Context, tenant, app string, command []string, fn func(stream, line string)) (exit int, err error)
}

// Events takes the platform's own records; it never blocks.
type Events interface {
	Send(r *record.Record) bool
}

// Deps are the parts that a Cron works with.
type Deps struct {
	Jobs   Jobs
	Runs   Runs
	Runner Runner
	Events Events
	Log    *slog.Logger
}

// Pauses between two looks at the clock, and at what is to be run.
const (
	tick    = time.Second
	refresh = 5 * time.Second
	// grace is how late a run may begin; Kurama may have been restarting.
	grace = time.Minute
)

// Cron runs jobs. Its methods may be called at the same time.
type Cron struct {
	Deps
	cfg   config.Cron
	queue *turns.Queue
	work  sync.WaitGroup

	mu      sync.Mutex // guards all below
	apps    []paas.CronApp
	read    time.Time // when apps was
	known   bool      // the jobs that were there at the start are planned
	plans   map[key]*plan
	life    context.Context // of the runs; nil before Run
	working map[key]int     // runs that wait or work
}

// key names a job on the platform.
type key struct{ tenant, app, job string }

// New returns a Cron that runs nothing before Run is called.
func New(cfg config.Cron, deps Deps) *Cron {
	return &Cron{Deps: deps, cfg: cfg, plans: map[key]*plan{}, working: map[key]int{},
		queue: turns.New(turns.Bounds{AtOnce: cfg.AtOnce, TenantAtOnce: cfg.TenantAtOnce, Most: cfg.Queue, TenantMost: cfg.TenantQueue})}
}

// Run runs what is due until ctx ends, and returns after the runs under way
// have been ended and noted.
func (c *Cron) Run(ctx context.Context) error {
	c.mu.Lock()
	c.life = ctx
	c.mu.Unlock()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	defer c.work.Wait()
	failing := false
	for {
		err := c.runOnce(ctx, time.Now())
		if err != nil && !failing && ctx.Err() == nil {
			c.Log.Error("cron jobs are not looked after", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// runOnce begins the runs that are due at now.
func (c *Cron) runOnce(ctx context.Context, now time.Time) error {
	if err := c.look(ctx, now); err != nil {
		return err
	}
	var errs []error
	for _, due := range c.due(now) {
		errs = append(errs, c.begin(ctx, due))
	}
	return errors.Join(errs...)
}

// look reads what is to be run, and at the start what an earlier process left.
func (c *Cron) look(ctx context.Context, now time.Time) error {
	c.mu.Lock()
	known, fresh := c.known, now.Sub(c.read) < refresh
	c.mu.Unlock()
	if known && fresh {
		return nil
	}
	if !known {
		if err := c.tellLost(ctx); err != nil {
			return err
		}
	}
	apps, err := c.Jobs.CronApps(ctx)
	if err != nil {
		return err
	}
	since := map[key]time.Time{} // from when the jobs that are met for the first time count
	for _, app := range apps {
		for _, job := range app.Jobs {
			k := key{app.Tenant, app.App, job.Name}
			since[k] = now
			if !known && app.State != paas.AppStopped {
				last, err := c.Jobs.LastCronDue(ctx, app.Tenant, app.App, job.Name)
				if err != nil {
					return err
				}
				since[k] = latest(last, app.LiveAt)
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.apps, c.read, c.known = apps, now, true
	c.replan(now, since)
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
