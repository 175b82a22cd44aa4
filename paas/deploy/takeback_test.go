package deploy_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kurama/paas"
	"kurama/paas/deploy"
)

// figures are those of releases, all of whose requests go to /; those of a
// release that is bad fail by a fifth.
type figures struct {
	mu    sync.Mutex
	bad   map[int]bool
	asked map[int]time.Time // from when figures of a release were last asked for
}

func (f *figures) Figures(_ context.Context, _, _ string, release int, from, to, _ time.Time) (paas.ReleaseFigures, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked == nil {
		f.asked = map[int]time.Time{}
	}
	f.asked[release] = from
	r := paas.RouteFigures{Method: "GET", Route: "/", Requests: 400, Errors: 2}
	if f.bad[release] {
		r.Errors = 80
	}
	return paas.ReleaseFigures{Release: release, From: from, To: to, Routes: []paas.RouteFigures{r}}, nil
}

func (f *figures) askedFrom(release int) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[release]
}

func (f *figures) spoil(releases ...int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bad = map[int]bool{}
	for _, n := range releases {
		f.bad[n] = true
	}
}

// deeds keeps what is to go into the audit log, and whom releases were told to.
type deeds struct {
	mu    sync.Mutex
	notes []string
	told  []paas.Release
}

func (l *deeds) NoteDeed(_ context.Context, _, app, action, detail string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notes = append(l.notes, app+" "+action+": "+detail)
	return nil
}

func (l *deeds) TellRelease(_ context.Context, r paas.Release) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, r)
	return nil
}

func (l *deeds) seen() (notes []string, told []paas.Release) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.notes), slices.Clone(l.told)
}

const fails = "GET / clearly fails more often: 0.5 → 20 % of 400 requests."

// auto turns going back on for the app shop, and waits until the deployer knows.
func (p *platform) auto(on bool) {
	p.t.Helper()
	if err := p.store.SetAutoRollback(p.t.Context(), paas.DefaultTenant, "shop", paas.AutoRollbackChange{Auto: &on}); err != nil {
		p.t.Fatal(err)
	}
}

func TestTakeBack(t *testing.T) {
	p := newPlatform(t, nil)
	p.figures, p.deeds = &figures{}, &deeds{}
	kill := p.run()
	release := func(n int) paas.Release {
		t.Helper()
		r, err := p.store.Release(t.Context(), paas.DefaultTenant, "shop", n)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	// lookUntil looks as often as it takes until something has come to be.
	lookUntil := func(what string, ok func() bool) {
		t.Helper()
		p.until(60*time.Second, what, func() bool { p.Look(t.Context(), time.Now()); return ok() })
	}
	p.live("shop", p.upload(map[string]string{"app.py": says("one")}))
	p.live("shop", p.upload(map[string]string{"app.py": says("two")}))
	p.figures.spoil(2)

	t.Run("a release that is clearly worse stays where nobody asked for more", func(t *testing.T) {
		p.Look(t.Context(), time.Now())
		if r := release(2); r.RolledBack != "" || p.app("shop").Release != 2 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("it stays after its window, too", func(t *testing.T) {
		p.auto(true)
		// Whether the deployer knows of the setting already does not matter: it must do nothing either way.
		p.Look(t.Context(), time.Now().Add(10*time.Minute))
		if r := release(2); r.RolledBack != "" {
			t.Errorf("%+v", r)
		}
	})
	t.Run("within its window it is rolled back, once, and everybody is told why", func(t *testing.T) {
		lookUntil("release 3 is live", func() bool { return p.app("shop").Release == 3 })
		why := "Kurama rolled back to release 1: " + fails
		if back := release(3); back.RollbackOf != 1 || back.CreatedBy != deploy.Platform || back.State != paas.ReleaseLive {
			t.Errorf("%+v", back)
		}
		if bad := release(2); bad.RolledBack != why || bad.State != paas.ReleaseSuperseded {
			t.Errorf("%+v", bad)
		}
		p.until(30*time.Second, "both releases are told", func() bool { _, told := p.deeds.seen(); return len(told) == 4 })
		notes, told := p.deeds.seen()
		if want := "shop rollback: Release 2: " + why; len(notes) != 1 || notes[0] != want {
			t.Errorf("the audit log has %q, not %q", notes, want)
		}
		if taken := slices.IndexFunc(told, func(r paas.Release) bool { return r.RolledBack != "" }); taken < 0 || told[taken].Number != 2 || told[taken].RolledBack != why {
			t.Errorf("told of %+v", told)
		}
		if events := p.events.all("rolled_back"); len(events) != 1 || events[0] != "Release 2: "+why {
			t.Errorf("events %q", events)
		}
		if _, body := p.get("shop", "/"); body != "one" {
			t.Errorf("the app says %q", body)
		}
	})
	t.Run("a rollback is not rolled back", func(t *testing.T) {
		p.figures.spoil(3)
		p.Look(t.Context(), time.Now())
		if r := release(3); r.RolledBack != "" {
			t.Errorf("%+v", r)
		}
	})
	t.Run("the next one goes back to what was well, also when a restart comes between", func(t *testing.T) {
		next := p.live("shop", p.upload(map[string]string{"app.py": says("four")}))
		if err := p.store.TakeBack(t.Context(), paas.DefaultTenant, "shop", next.Number, "Kurama rolled back to release 3: it was slow."); err != nil {
			t.Fatal(err)
		}
		kill() // after it was decided, before it began
		kill = p.run()
		lookUntil("release 5 is live", func() bool { return p.app("shop").Release == 5 })
		if r := release(5); r.RollbackOf != 3 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a canary that is clearly worse is ended", func(t *testing.T) {
		trial := p.tryOut(says("six"), 50)
		p.figures.spoil(trial.Number)
		lookUntil("the canary is ended", func() bool { return p.app("shop").Canary.Release == 0 })
		r := release(trial.Number)
		if r.State != paas.ReleaseFailed || r.Reason != "Kurama ended this canary: "+fails {
			t.Errorf("%+v", r)
		}
		if from := p.figures.askedFrom(5); r.CanaryAt == nil || !from.Equal(*r.CanaryAt) {
			t.Errorf("the live release is asked about from %s, not of the canary's time alone", from)
		}
		if notes, _ := p.deeds.seen(); !strings.HasPrefix(notes[len(notes)-1], fmt.Sprintf("shop end-canary: Release %d: Kurama ended this canary: ", trial.Number)) {
			t.Errorf("the audit log has %q", notes)
		}
	})
	t.Run("one that a person promoted stays", func(t *testing.T) {
		p.figures.spoil()
		trial := p.tryOut(says("seven"), 50)
		if _, err := p.PromoteCanary(t.Context(), paas.DefaultTenant, "shop"); err != nil {
			t.Fatal(err)
		}
		p.until(60*time.Second, "it is live", func() bool { return p.app("shop").Release == trial.Number })
		p.figures.spoil(trial.Number)
		p.Look(t.Context(), time.Now())
		if r := release(trial.Number); r.RolledBack != "" || r.CanaryAt == nil {
			t.Errorf("%+v", r)
		}
	})
	t.Run("they are compared", func(t *testing.T) {
		p.figures.spoil(2)
		c, err := p.Compare(t.Context(), paas.DefaultTenant, "shop", 2, 0)
		if err != nil || c.Against != 1 || c.Verdict != paas.VerdictWorse || c.Says != fails {
			t.Errorf("%+v, %v", c, err)
		}
		if c, err = p.Compare(t.Context(), paas.DefaultTenant, "shop", 1, 0); err != nil || c.Against != 0 || c.Verdict != paas.VerdictFew {
			t.Errorf("%+v, %v", c, err)
		}
	})
}
