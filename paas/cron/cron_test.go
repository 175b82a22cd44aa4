package cron

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/logship/record"
	"kurama/paas"
	"kurama/paas/store"
)

// runner stands in for the engine: what a command does is its first word.
type runner struct {
	mu   sync.Mutex
	ran  []string
	hold chan struct{} // a command `wait` ends when it is closed
}

func (r *runner) RunCommand(ctx context.Context, _, _ string, command []string, fn func(stream, line string)) (int, error) {
	line := command[2]
	r.mu.Lock()
	r.ran = append(r.ran, line)
	hold := r.hold
	r.mu.Unlock()
	fn("stdout", "this is "+line)
	switch line {
	case "fail":
		return 3, nil
	case "refuse":
		return 0, &paas.Invalid{Reason: "The app has no release."}
	case "break":
		return 0, errors.New("the engine is away")
	case "wait":
		select {
		case <-hold:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return 0, nil
}

// events keeps what was told.
type events struct {
	mu   sync.Mutex
	told []*record.Record
}

func (e *events) Send(r *record.Record) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told = append(e.told, r)
	return true
}

func (e *events) has(kind record.Kind, part string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.told, func(r *record.Record) bool {
		return r.Kind == kind && strings.Contains(string(r.Extra)+" "+r.Msg, part)
	})
}

// world is a Cron over a real store, whose clock is the test's.
type world struct {
	*testing.T
	store  *store.Store
	runner *runner
	events *events
	rel    paas.Release
	*Cron
}

func newWorld(t *testing.T, jobs ...paas.CronJob) *world {
	pool := pgtest.New(t)
	w := &world{T: t, store: store.New(pool), runner: &runner{hold: make(chan struct{})}, events: &events{}}
	if _, err := pool.Exec(t.Context(), `INSERT INTO tenants (name) VALUES ('default') ON CONFLICT DO NOTHING`); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.CreateApp(t.Context(), "default", "shop"); err != nil {
		t.Fatal(err)
	}
	var err error
	w.rel, err = w.store.NewRelease(t.Context(), paas.Release{Tenant: "default", App: "shop", Start: paas.Start{Cron: jobs}})
	if err == nil {
		err = w.store.SetLive(t.Context(), "default", "shop", w.rel.Number)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.restart()
	return w
}

// restart puts another Cron in the place of the one before.
func (w *world) restart() {
	cfg := config.Default().Cron
	cfg.AtOnce, cfg.TenantAtOnce = 10, 10
	w.Cron = New(cfg, Deps{Jobs: w.store, Runs: w.store, Runner: w.runner, Events: w.events, Log: slog.New(slog.DiscardHandler)})
	w.life = w.T.Context()
}

// at looks at the clock once.
func (w *world) at(now time.Time) {
	w.Helper()
	if err := w.runOnce(w.T.Context(), now); err != nil {
		w.Fatal(err)
	}
}

func (w *world) runs() []paas.CronRun {
	w.Helper()
	runs, err := w.store.CronRuns(w.T.Context(), "default", "shop", 100)
	if err != nil {
		w.Fatal(err)
	}
	return runs
}

// outcomes are those of a job, newest first.
func (w *world) outcomes(job string) (found []paas.CronOutcome) {
	w.Helper()
	for _, r := range w.runs() {
		if r.Job == job {
			found = append(found, r.Outcome)
		}
	}
	return found
}

// failing keeps runs in a store that is away while broken.
type failing struct {
	Runs
	broken bool
}

func (f *failing) AddCronRun(ctx context.Context, r paas.CronRun, keep int) (int64, error) {
	if f.broken {
		return 0, errors.New("the database is away")
	}
	return f.Runs.AddCronRun(ctx, r, keep)
}

func TestRunsAreNotLostWithTheDatabase(t *testing.T) {
	hour := time.Now().UTC().Truncate(time.Hour).Add(time.Hour)
	w := newWorld(t, paas.CronJob{Name: "good", Schedule: "@hourly", Command: "ok"})
	runs := &failing{Runs: w.store}
	w.Cron.Runs = runs
	away := func(now time.Time) {
		t.Helper()
		runs.broken = true
		if err := w.runOnce(t.Context(), now); err == nil {
			t.Error("nothing is said of it")
		}
		runs.broken = false
	}
	w.at(hour.Add(-time.Second))
	t.Run("a run that cannot be noted begins when it can, within its grace", func(t *testing.T) {
		away(hour)
		w.at(hour.Add(5 * time.Second))
		w.at(hour.Add(6 * time.Second))
		w.work.Wait()
		if runs := w.runs(); len(runs) != 1 || runs[0].Outcome != paas.CronOK || !runs[0].DueAt.Equal(hour) {
			t.Errorf("got %+v", runs)
		}
	})
	t.Run("later it is told as missed, with all before it", func(t *testing.T) {
		away(hour.Add(time.Hour))
		away(hour.Add(2*time.Hour + 2*time.Minute))
		w.at(hour.Add(2*time.Hour + 3*time.Minute))
		if newest := w.runs()[0]; newest.Outcome != paas.CronMissed || newest.Count != 2 || !newest.DueAt.Equal(hour.Add(2*time.Hour)) {
			t.Errorf("got %+v", newest)
		}
		if !w.events.has(record.KindEvent, "The cron job good was missed 2 times") {
			t.Error("it is not told")
		}
	})
}

func TestCron(t *testing.T) {
	daily := func(name, command string) paas.CronJob {
		return paas.CronJob{Name: name, Schedule: "@hourly", Command: command}
	}
	hour := time.Now().UTC().Truncate(time.Hour).Add(time.Hour)
	w := newWorld(t, daily("good", "ok"), daily("bad", "fail"), daily("none", "refuse"), daily("away", "break"), daily("long", "wait"),
		paas.CronJob{Name: "both", Schedule: "@hourly", Command: "wait", Overlap: true}, paas.CronJob{Name: "short", Schedule: "@hourly", Command: "wait", Timeout: 0.05})
	ended := func(n int) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			working := 0
			for _, r := range w.runs() {
				if r.Outcome == paas.CronRunning {
					working++
				}
			}
			if working == n {
				return
			}
		}
		t.Fatalf("not %d runs are working: %+v", n, w.runs())
	}
	is := func(job string, want ...paas.CronOutcome) {
		t.Helper()
		if got := w.outcomes(job); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", job, got, want)
		}
	}

	t.Run("runs nothing before its time", func(t *testing.T) {
		w.at(hour.Add(-time.Second))
		if len(w.runs()) > 0 {
			t.Errorf("got %+v", w.runs())
		}
	})
	t.Run("runs what is due once, and keeps how it ended", func(t *testing.T) {
		w.at(hour)
		w.at(hour.Add(time.Second))
		close(w.runner.hold)
		ended(0)
		w.runner.hold = make(chan struct{})
		is("good", paas.CronOK)
		is("bad", paas.CronFailed)
		is("none", paas.CronFailed)
		is("away", paas.CronFailed)
		for _, r := range w.runs() {
			if r.Job == "bad" && (r.Exit == nil || *r.Exit != 3 || r.Said != "this is fail" || !r.DueAt.Equal(hour) || r.EndedAt == nil || r.Release != w.rel.Number) {
				t.Errorf("got %+v", r)
			}
		}
	})
	t.Run("makes records of the output, and events of failures", func(t *testing.T) {
		for part, kind := range map[string]record.Kind{
			`"cron":"good","run":`: record.KindLog, "this is ok": record.KindLog,
			`"event":"cron_failed"} The cron job bad ended with exit code 3 after 0s. It wrote last:` + "\nthis is fail": record.KindEvent,
			"The cron job none could not be run. The app has no release.":                                                record.KindEvent,
			"The cron job away could not be run. The platform could not run it":                                          record.KindEvent,
		} {
			if !w.events.has(kind, part) {
				t.Errorf("not told: %s", part)
			}
		}
	})
	t.Run("stops what takes too long, and skips what still works", func(t *testing.T) {
		next := hour.Add(time.Hour)
		w.at(next)
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && w.outcomes("short")[0] != paas.CronTimeout; time.Sleep(5 * time.Millisecond) {
		}
		w.at(next.Add(time.Hour))
		close(w.runner.hold)
		ended(0)
		w.runner.hold = make(chan struct{})
		if got := w.outcomes("short"); got[1] != paas.CronTimeout {
			t.Errorf("short: got %v", got)
		}
		is("long", paas.CronSkipped, paas.CronOK, paas.CronOK)
		is("both", paas.CronOK, paas.CronOK, paas.CronOK)
		if !w.events.has(record.KindEvent, `"event":"cron_missed"} A run of the cron job long was left out. Its run before was still working.`) {
			t.Error("the skipped run is not told")
		}
	})
	t.Run("says what was missed, and runs what is due just now", func(t *testing.T) {
		w.restart()
		w.at(hour.Add(5 * time.Hour))
		ended(3)
		close(w.runner.hold)
		ended(0)
		is("good", paas.CronOK, paas.CronMissed, paas.CronOK, paas.CronOK, paas.CronOK)
		for _, r := range w.runs() {
			if r.Outcome == paas.CronMissed && (!r.DueAt.Equal(hour.Add(4*time.Hour)) || r.Count != 2) {
				t.Errorf("got %+v", r)
			}
		}
		w.restart()
		w.at(hour.Add(7*time.Hour + 30*time.Minute))
		is("good", paas.CronMissed, paas.CronOK, paas.CronMissed, paas.CronOK, paas.CronOK, paas.CronOK)
		if got := w.runs()[0]; got.Count != 2 {
			t.Errorf("got %+v", got)
		}
		if !w.events.has(record.KindEvent, "The cron job good was missed 2 times: Kurama was not running or without its database when it was due") {
			t.Error("the missed runs are not told")
		}
	})
	t.Run("tells of runs that were cut off", func(t *testing.T) {
		if _, err := w.store.AddCronRun(t.Context(), paas.CronRun{Tenant: "default", App: "shop", Job: "good", Outcome: paas.CronRunning, DueAt: hour}, 50); err != nil {
			t.Fatal(err)
		}
		w.restart()
		w.at(hour.Add(7*time.Hour + 31*time.Minute))
		if w.outcomes("good")[0] != paas.CronLost || !w.events.has(record.KindEvent, "The cron job good did not come to its end") {
			t.Errorf("got %v", w.outcomes("good"))
		}
	})
	t.Run("runs a job when somebody asks, with their name", func(t *testing.T) {
		r, err := w.Start(t.Context(), w.rel, "good", "ann")
		if err != nil || r.By != "ann" || r.Outcome != paas.CronRunning {
			t.Fatalf("got %+v, %v", r, err)
		}
		ended(0)
		if _, err := w.Start(t.Context(), w.rel, "nothing", "ann"); !errors.Is(err, paas.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("lets the times of a stopped app pass", func(t *testing.T) {
		if err := w.store.SetAppState(t.Context(), "default", "shop", paas.AppStopped, ""); err != nil {
			t.Fatal(err)
		}
		before := len(w.runs())
		w.at(hour.Add(10 * time.Hour))
		if err := w.store.SetAppState(t.Context(), "default", "shop", paas.AppRunning, ""); err != nil {
			t.Fatal(err)
		}
		w.at(hour.Add(10*time.Hour + time.Minute))
		if len(w.runs()) != before {
			t.Errorf("got %+v", w.runs()[0])
		}
	})
	w.work.Wait()
}
