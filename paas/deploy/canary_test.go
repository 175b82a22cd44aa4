package deploy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kurama/paas"
)

// releases returns how many healthy replicas each release has in the table.
func (p *platform) releases(app string) map[int]int {
	n := map[int]int{}
	for _, target := range p.router.targets(app) {
		n[target.Release]++
	}
	return n
}

// tryOut deploys code as a canary and waits until it is one.
func (p *platform) tryOut(code string, share int) paas.Release {
	p.t.Helper()
	up := p.upload(map[string]string{"app.py": code})
	up.Canary = share
	rel, err := p.Deploy(p.t.Context(), paas.DefaultTenant, "shop", "ann", up)
	if err != nil {
		p.t.Fatal(err)
	}
	p.until(60*time.Second, "the canary serves", func() bool {
		r, err := p.store.Release(p.t.Context(), paas.DefaultTenant, "shop", rel.Number)
		if err != nil || r.State == paas.ReleaseFailed {
			p.t.Fatalf("%+v, %v", r, err)
		}
		return r.State == paas.ReleaseCanary && p.releases("shop")[rel.Number] > 0
	})
	return rel
}

func says(version string) string {
	return "from flask import Flask\napp = Flask(__name__)\n\n@app.get('/')\ndef home():\n    return '" + version + "'\n"
}

func TestCanary(t *testing.T) {
	p := newPlatform(t, nil)
	kill := p.run()
	p.live("shop", p.upload(map[string]string{"app.py": says("one")}))
	if err := p.store.SetDesired(t.Context(), paas.DefaultTenant, "shop", 2); err != nil {
		t.Fatal(err)
	}
	serves := func(t *testing.T, what string, want map[int]int) {
		t.Helper()
		p.until(60*time.Second, what, func() bool {
			now := p.releases("shop")
			for release, n := range want {
				if now[release] != n {
					return false
				}
			}
			return len(now) == len(want)
		})
	}
	serves(t, "two replicas of release 1", map[int]int{1: 2})

	t.Run("serves beside the live release, with replicas for its share", func(t *testing.T) {
		p.tryOut(says("two"), 10)
		serves(t, "one replica of the canary", map[int]int{1: 2, 2: 1})
		if err := p.ShareCanary(t.Context(), paas.DefaultTenant, "shop", 90); err != nil {
			t.Fatal(err)
		}
		serves(t, "two replicas of the canary", map[int]int{1: 2, 2: 2})
		if app := p.app("shop"); app.Release != 1 || app.Canary != (paas.Canary{Release: 2, Share: 90}) {
			t.Errorf("app %+v", app)
		}
	})
	t.Run("another one has to wait for its end", func(t *testing.T) {
		up := p.upload(map[string]string{"app.py": says("three")})
		up.Canary = 5
		if _, err := p.Deploy(t.Context(), paas.DefaultTenant, "shop", "ann", up); err == nil || !strings.Contains(err.Error(), "Release 2 is the app's canary already") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("goes on when Kurama starts again", func(t *testing.T) {
		kill()
		p.router.mu.Lock()
		p.router.last = paas.Table{}
		p.router.mu.Unlock()
		kill = p.run()
		serves(t, "both releases are taken over", map[int]int{1: 2, 2: 2})
	})
	t.Run("that is promoted becomes the live release", func(t *testing.T) {
		if _, err := p.PromoteCanary(t.Context(), paas.DefaultTenant, "shop"); err != nil {
			t.Fatal(err)
		}
		serves(t, "release 2 alone", map[int]int{2: 2})
		p.until(20*time.Second, "it is live", func() bool { a := p.app("shop"); return a.Release == 2 && a.Canary == paas.Canary{} })
	})
	t.Run("that is ended leaves the live release alone", func(t *testing.T) {
		rel := p.tryOut(says("four"), 50)
		if err := p.EndCanary(t.Context(), paas.DefaultTenant, "shop", "ann"); err != nil {
			t.Fatal(err)
		}
		serves(t, "release 2 alone", map[int]int{2: 2})
		if r, err := p.store.Release(t.Context(), paas.DefaultTenant, "shop", rel.Number); err != nil || r.State != paas.ReleaseFailed || r.Reason != "ann ended this canary." {
			t.Errorf("%+v, %v", r, err)
		}
		if err := p.EndCanary(t.Context(), paas.DefaultTenant, "shop", "ann"); !errors.Is(err, paas.ErrNotFound) {
			t.Errorf("a second time: %v", err)
		}
	})
	t.Run("that is ended while it is promoted does not go live", func(t *testing.T) {
		rel := p.tryOut("import time\ntime.sleep(2)\n"+says("slow"), 50)
		if _, err := p.PromoteCanary(t.Context(), paas.DefaultTenant, "shop"); err != nil {
			t.Fatal(err)
		}
		p.until(20*time.Second, "replicas for all clients start", func() bool {
			n := 0
			for _, r := range p.Replicas(paas.DefaultTenant, "shop") {
				if r.Release == rel.Number {
					n++
				}
			}
			return n > 1
		})
		if err := p.EndCanary(t.Context(), paas.DefaultTenant, "shop", "ann"); err != nil {
			t.Fatal(err)
		}
		p.until(30*time.Second, "the build log says that it was not promoted", func() bool {
			lines, err := p.store.BuildLog(t.Context(), rel.Tenant, rel.App, rel.Number, 0)
			return err == nil && strings.Contains(lines[len(lines)-1].Line, fmt.Sprintf("It was not promoted: Release %d ended before it went live: ann ended this canary.", rel.Number))
		})
		serves(t, "release 2 alone", map[int]int{2: 2})
		if a := p.app("shop"); a.Release != 2 || a.Canary != (paas.Canary{}) {
			t.Errorf("app %+v", a)
		}
	})
	t.Run("gives way to a deploy for everybody", func(t *testing.T) {
		trial := p.tryOut(says("five"), 30)
		next := p.live("shop", p.upload(map[string]string{"app.py": says("six")}))
		serves(t, "the new release alone", map[int]int{next.Number: 2})
		if r, err := p.store.Release(t.Context(), paas.DefaultTenant, "shop", trial.Number); err != nil || r.State != paas.ReleaseFailed {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
