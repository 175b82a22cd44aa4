package cron

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kurama/internal/turns"
	"kurama/paas"
)

const (
	// maxOverlapping runs of a job that may overlap work at a time.
	maxOverlapping = 5
	// noteTimeout bounds what is written after the end of a run.
	noteTimeout = 10 * time.Second
)

// start begins a run beside the caller and returns it as it is noted: running,
// or skipped where the one before still works.
func (c *Cron) start(ctx context.Context, job paas.CronJob, r paas.CronRun) (paas.CronRun, error) {
	k := key{r.Tenant, r.App, r.Job}
	c.mu.Lock()
	life := c.life
	busy := c.working[k] > 0 && !job.Overlap || c.working[k] >= maxOverlapping
	if !busy {
		c.working[k]++
	}
	c.mu.Unlock()
	if busy {
		r.Outcome, r.Said = paas.CronSkipped, "Its run before was still working."
		return r, c.skip(ctx, r)
	}
	r.Outcome = paas.CronRunning
	id, err := c.Runs.AddCronRun(ctx, r, c.cfg.Keep)
	if err != nil {
		c.done(k)
		return r, err
	}
	r.ID = id
	c.work.Go(func() {
		defer c.done(k)
		c.run(life, job, r)
	})
	return r, nil
}

func (c *Cron) done(k key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.working[k]--; c.working[k] == 0 {
		delete(c.working, k)
	}
}

// run waits for the job's turn, runs it and notes how it ended.
func (c *Cron) run(ctx context.Context, job paas.CronJob, r paas.CronRun) {
	leave, err := c.queue.Enter(ctx, r.Tenant, func(int) {})
	if full, ok := errors.AsType[*turns.Full](err); ok {
		r.Outcome, r.Said = paas.CronSkipped, fmt.Sprintf("Too many runs wait: %v.", full)
		c.end(r)
		return
	}
	if err != nil {
		c.lose(r)
		return
	}
	defer leave()
	began := time.Now()
	r.StartedAt = &began
	limit := c.cfg.Timeout
	if own := time.Duration(job.Timeout * float64(time.Second)); own > 0 {
		limit = min(limit, own)
	}
	running, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out := &output{c: c, run: r}
	exit, err := c.Runner.RunCommand(running, r.Tenant, r.App, []string{"/bin/sh", "-c", job.Command}, out.line)
	out.flush()
	r.Said = out.tail()
	switch bad, _ := errors.AsType[*paas.Invalid](err); {
	case ctx.Err() != nil:
		c.lose(r)
		return
	case running.Err() != nil:
		r.Outcome = paas.CronTimeout
	case err == nil && exit == 0:
		r.Outcome, r.Exit = paas.CronOK, &exit
	case err == nil:
		r.Outcome, r.Exit = paas.CronFailed, &exit
	case bad != nil:
		r.Outcome, r.Said = paas.CronFailed, bad.Reason
	default:
		c.Log.Error("a cron job could not be run", "tenant", r.Tenant, "app", r.App, "job", r.Job, "error", err)
		r.Outcome, r.Said = paas.CronFailed, "The platform could not run it; its operator finds the cause in Kurama's log."
	}
	c.end(r)
	if r.Outcome != paas.CronOK {
		c.tell(r, eventFailed, failure(r, limit, time.Since(began)))
	}
}

// failure says in a sentence how a run failed.
func failure(r paas.CronRun, limit, took time.Duration) string {
	what := "could not be run."
	switch {
	case r.Outcome == paas.CronTimeout:
		what = fmt.Sprintf("was still running after %s and was stopped.", limit)
	case r.Exit != nil:
		what = fmt.Sprintf("ended with exit code %d after %s.", *r.Exit, took.Round(100*time.Millisecond))
	}
	text := fmt.Sprintf("The cron job %s %s", r.Job, what)
	if r.Said == "" {
		return text
	}
	if r.Exit == nil && r.Outcome == paas.CronFailed {
		return text + " " + r.Said
	}
	return text + " It wrote last:\n" + r.Said
}

// skip notes a run that does not happen.
func (c *Cron) skip(ctx context.Context, r paas.CronRun) error {
	if err := c.note(ctx, r); err != nil {
		return err
	}
	c.tell(r, eventMissed, fmt.Sprintf("A run of the cron job %s was left out. %s", r.Job, r.Said))
	return nil
}

func (c *Cron) note(ctx context.Context, r paas.CronRun) error {
	now := time.Now()
	r.EndedAt = &now
	_, err := c.Runs.AddCronRun(ctx, r, c.cfg.Keep)
	if errors.Is(err, paas.ErrNotFound) {
		return nil // the app was deleted meanwhile
	}
	return err
}

// end stores how a run ended, also after the end of the Cron.
func (c *Cron) end(r paas.CronRun) {
	now := time.Now()
	r.EndedAt = &now
	ctx, cancel := context.WithTimeout(context.Background(), noteTimeout)
	defer cancel()
	if err := c.Runs.EndCronRun(ctx, r); err != nil {
		c.Log.Error("the end of a cron job is not stored", "tenant", r.Tenant, "app", r.App, "job", r.Job, "error", err)
	}
	if r.Outcome == paas.CronSkipped {
		c.tell(r, eventMissed, fmt.Sprintf("A run of the cron job %s was left out. %s", r.Job, r.Said))
	}
}

const stopped = "Kurama was stopped during this run."

func (c *Cron) lose(r paas.CronRun) {
	r.Outcome = paas.CronLost
	r.Said = strings.TrimSpace(r.Said + "\n" + stopped)
	c.end(r)
	c.tellEnded(r)
}

// tellLost tells of the runs that died with an earlier process.
func (c *Cron) tellLost(ctx context.Context) error {
	lost, err := c.Runs.LoseCronRuns(ctx, stopped)
	for _, r := range lost {
		c.tellEnded(r)
	}
	return err
}

func (c *Cron) tellEnded(r paas.CronRun) {
	c.tell(r, eventFailed, fmt.Sprintf("The cron job %s did not come to its end: %s", r.Job, stopped))
}
