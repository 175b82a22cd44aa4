package cron

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kurama/internal/schedule"
	"kurama/paas"
)

// plan says when a job is due next.
type plan struct {
	text     string
	schedule schedule.Schedule
	next     time.Time
}

// maxMissed bounds the count of runs that were missed: a week of minutes.
const maxMissed = 7 * 24 * 60

// due is a job whose time has come.
type due struct {
	app    paas.CronApp
	job    paas.CronJob
	first  time.Time // the earliest time that it was due
	at     time.Time // the last one
	missed int       // of the times before, and at where it is too late for that
	last   time.Time // of those missed
	late   bool      // it is too late for at
}

// replan gives new and changed jobs a plan, and drops those of jobs that are
// gone. Callers hold mu.
func (c *Cron) replan(now time.Time, since map[key]time.Time) {
	for k := range c.plans {
		if _, there := since[k]; !there {
			delete(c.plans, k)
		}
	}
	for _, app := range c.apps {
		for _, job := range app.Jobs {
			k := key{app.Tenant, app.App, job.Name}
			p := c.plans[k]
			if p != nil && p.text == job.Schedule {
				continue
			}
			s, err := schedule.Parse(job.Schedule)
			if err != nil {
				c.Log.Error("a stored schedule cannot be read", "tenant", app.Tenant, "app", app.App, "job", job.Name, "error", err)
				continue
			}
			from := since[k]
			if p != nil {
				from = now // of a schedule that has changed
			}
			c.plans[k] = &plan{text: job.Schedule, schedule: s, next: s.Next(from)}
		}
	}
}

// due returns the jobs that are due at now, and plans their next times. Those of
// an app that is stopped pass by.
func (c *Cron) due(now time.Time) []due {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []due
	for _, app := range c.apps {
		for _, job := range app.Jobs {
			p := c.plans[key{app.Tenant, app.App, job.Name}]
			if p == nil || p.next.After(now) {
				continue
			}
			d := due{app: app, job: job, first: p.next}
			for n := 0; !p.next.After(now) && n < maxMissed; n++ {
				d.last, d.at, d.missed = d.at, p.next, n
				p.next = p.schedule.Next(p.next)
			}
			if !p.next.After(now) {
				p.next = p.schedule.Next(now)
			}
			if d.late = now.Sub(d.at) > grace; d.late {
				d.last = d.at
				d.missed++
			}
			if app.State != paas.AppStopped {
				found = append(found, d)
			}
		}
	}
	return found
}

// begin notes what was missed, and starts a run unless it is too late for it.
// What could not be written down is due again, so that no run passes in silence.
func (c *Cron) begin(ctx context.Context, d due) error {
	r := paas.CronRun{Tenant: d.app.Tenant, App: d.app.App, Job: d.job.Name, Release: d.app.Release, DueAt: d.at}
	if d.missed > 0 {
		missed := r
		missed.Outcome, missed.Count, missed.DueAt = paas.CronMissed, d.missed, d.last
		missed.Said = fmt.Sprintf("Kurama was not running or without its database when it was due, last at %s.", d.last.UTC().Format("2006-01-02 15:04 MST"))
		if err := c.note(ctx, missed); err != nil {
			c.again(d, d.first)
			return err
		}
		c.tell(missed, eventMissed, fmt.Sprintf("The cron job %s was missed %s: %s It is not made up for.", d.job.Name, times(d.missed), missed.Said))
	}
	if d.late {
		return nil
	}
	_, err := c.start(ctx, d.job, r)
	if errors.Is(err, paas.ErrNotFound) {
		return nil // the app was deleted meanwhile
	}
	if err != nil {
		c.again(d, d.at)
	}
	return err
}

// again makes a job due since a time that has passed already.
func (c *Cron) again(d due, since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.plans[key{d.app.Tenant, d.app.App, d.job.Name}]; p != nil && p.text == d.job.Schedule {
		p.next = since
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
