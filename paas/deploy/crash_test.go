package deploy_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"kurama/internal/config"
	"kurama/paas"
)

const cutOff = "Kurama was stopped during this deploy. Deploy again."

func TestCrash(t *testing.T) {
	p := newPlatform(t, func(c *config.Config) { c.App.StopTimeout = 20 * time.Second })
	// step waits until a release's build log has reached a step.
	step := func(app string, release int, step string) {
		t.Helper()
		p.until(60*time.Second, "the deploy reaches "+step, func() bool {
			lines, err := p.store.BuildLog(t.Context(), paas.DefaultTenant, app, release, 0)
			return err == nil && len(lines) > 0 && lines[len(lines)-1].Step == step
		})
	}
	// restart does what the role does at its start.
	restart := func(t *testing.T) {
		t.Helper()
		if err := p.engine.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		kill := p.run()
		t.Cleanup(kill)
	}
	failed := func(t *testing.T, app string, release int) {
		t.Helper()
		rel := p.ended(paas.Release{Tenant: paas.DefaultTenant, App: app, Number: release})
		if rel.State != paas.ReleaseFailed || rel.Reason != cutOff {
			t.Errorf("release %d is %s: %q", release, rel.State, rel.Reason)
		}
	}

	t.Run("a deploy that is killed while it installs fails with a sentence and leaves nothing", func(t *testing.T) {
		kill := p.process("install", p.upload(map[string]string{"app.py": fmt.Sprintf(counter, 1), "requirements.txt": "./slow\n",
			"slow/setup.py": "import time\nprint('here', flush=True)\ntime.sleep(300)\n"}))
		building := filters.NewArgs(filters.Arg("label", "kurama.instance="+p.Instance), filters.Arg("label", "kurama.kind=build"))
		builds := func() int {
			own, err := p.docker.ContainerList(t.Context(), container.ListOptions{All: true, Filters: building})
			if err != nil {
				t.Fatal(err)
			}
			return len(own)
		}
		step("install", 1, "dependencies")
		p.until(30*time.Second, "the build runs", func() bool { return builds() == 1 })
		kill()
		again, err := p.world.open(t.Context(), p.log())
		if err != nil {
			t.Fatal(err)
		}
		defer again.close()
		restart(t)
		failed(t, "install", 1)
		if a := p.app("install"); a.State != paas.AppFailed || a.Reason != cutOff {
			t.Errorf("app: %s %q", a.State, a.Reason)
		}
		if n := builds(); n != 0 {
			t.Errorf("%d build containers are left", n)
		}
		unfinished(t, p.Data)
	})
	t.Run("a deploy that is killed while the app starts leaves the release before", func(t *testing.T) {
		func() {
			defer p.run()()
			p.live("start", p.upload(map[string]string{"app.py": fmt.Sprintf(counter, 1)}))
		}()
		before := p.containers("start")[0]
		kill := p.process("start", p.upload(map[string]string{"app.py": "import time\ntime.sleep(300)\n" + fmt.Sprintf(counter, 2)}))
		step("start", 2, "start")
		kill()
		if n := len(p.containers("start")); n != 2 {
			t.Errorf("%d containers", n)
		}
		restart(t)
		failed(t, "start", 2)
		p.until(30*time.Second, "the replica of release 1 serves alone", func() bool {
			own := p.containers("start")
			return len(own) == 1 && own[0].ID == before.ID && own[0].StartedAt.Equal(before.StartedAt) && len(p.router.targets("start")) == 1
		})
		if a := p.app("start"); a.State != paas.AppRunning || a.Release != 1 {
			t.Errorf("app: %+v", a)
		}
	})
	t.Run("a deletion that is killed half-way is ended", func(t *testing.T) {
		// It ignores SIGTERM, so that the deletion takes a while.
		server := "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" +
			"import http.server\nhttp.server.test(http.server.SimpleHTTPRequestHandler, port=8000, bind='0.0.0.0')\n"
		func() {
			defer p.run()()
			p.live("delete", p.upload(map[string]string{"server.py": server, "Procfile": "web: python3 server.py\n"}))
		}()
		kill := p.process("delete", paas.Upload{})
		p.until(30*time.Second, "the deletion has begun", func() bool { return p.app("delete").State == paas.AppDeleting })
		kill()
		if own := p.containers("delete"); len(own) != 1 {
			t.Errorf("containers: %v", own)
		}
		restart(t)
		p.until(60*time.Second, "all is gone", func() bool {
			_, err := p.store.App(t.Context(), paas.DefaultTenant, "delete")
			_, source := os.Stat(filepath.Dir(p.build.SourceFolder(paas.DefaultTenant, "delete", 1)))
			return err != nil && os.IsNotExist(source) && len(p.containers("delete")) == 0
		})
	})
	t.Run("whenever a deploy is killed, one release serves and no other is under way", func(t *testing.T) {
		func() {
			defer p.run()()
			p.live("any", p.upload(map[string]string{"app.py": fmt.Sprintf(counter, 1)}))
		}()
		for n := 2; n <= 7; n++ {
			kill := p.process("any", p.upload(map[string]string{"app.py": fmt.Sprintf(counter, n)}))
			p.until(30*time.Second, "the deploy has begun", func() bool {
				_, err := p.store.Release(t.Context(), paas.DefaultTenant, "any", n)
				return err == nil
			})
			wait := time.After(rand.N(1800 * time.Millisecond))
			<-wait
			kill()
			p.settled(t, n)
		}
	})
}

// settled starts a deployer on what a killed one left and waits until the app
// "any" is as it has to be, whose n-th deploy it was.
func (p *platform) settled(t *testing.T, n int) {
	t.Helper()
	defer p.run()()
	p.until(30*time.Second, "one release serves", func() bool {
		a, own, targets := p.app("any"), p.containers("any"), p.router.targets("any")
		return a.State == paas.AppRunning && len(own) == 1 && own[0].Release == a.Release && len(targets) == 1 && targets[0].Replica == own[0].ID
	})
	a := p.app("any")
	if _, body := p.get("any", "/"); body != fmt.Sprintf("v%d ", a.Release) {
		t.Errorf("release %d answers %q", a.Release, body)
	}
	last := p.ended(paas.Release{Tenant: a.Tenant, App: a.Name, Number: n})
	if ok := last.State == paas.ReleaseLive && a.Release == n || last.State == paas.ReleaseFailed && last.Reason == cutOff && a.Release < n; !ok {
		t.Errorf("release %d is %s %q, and %d is live", n, last.State, last.Reason, a.Release)
	}
}

// unfinished fails the test for each file that is half done.
func unfinished(t *testing.T, data string) {
	t.Helper()
	err := filepath.WalkDir(data, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".tmp") {
			t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
