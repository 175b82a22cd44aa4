package deploy_test

import (
	"errors"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"kurama/paas"
)

// cancels tests that a deploy ends where it is, and that nothing of it stays.
func cancels(p *platform, app string) func(*testing.T) {
	return func(t *testing.T) {
		serving := p.router.targets(app)[0].Replica
		code := "from flask import Flask\napp = Flask(__name__)\n"
		for step, files := range map[string]map[string]string{
			"dependencies": {"app.py": code, "requirements.txt": "./slow\n", "slow/setup.py": "import time\ntime.sleep(60)\n"},
			"release":      {"app.py": code, "kurama.yaml": "release: sleep 60\n"},
			"start":        {"app.py": "import time\ntime.sleep(60)\n" + code},
		} {
			rel, err := p.Deploy(t.Context(), paas.DefaultTenant, app, "tester", p.upload(files))
			if err != nil {
				t.Fatal(err)
			}
			p.until(30*time.Second, "it is at "+step+" and a container runs", func() bool {
				lines, err := p.store.BuildLog(t.Context(), rel.Tenant, rel.App, rel.Number, 0)
				return err == nil && len(lines) > 0 && lines[len(lines)-1].Step == step && p.working(app, serving) > 0
			})
			began := time.Now()
			ended, err := p.Cancel(t.Context(), paas.DefaultTenant, app, rel.Number, "ann")
			if err != nil || ended.State != paas.ReleaseFailed || ended.Reason != "Cancelled by ann." {
				t.Errorf("%s: got %s %q, %v", step, ended.State, ended.Reason, err)
			}
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("%s: took %s", step, took)
			}
			p.until(10*time.Second, "nothing of it works", func() bool { return p.working(app, serving) == 0 })
			if now := p.router.targets(app); len(now) != 1 || now[0].Replica != serving {
				t.Errorf("%s: the router sends to %v", step, now)
			}
		}
		_, err := p.Cancel(t.Context(), paas.DefaultTenant, app, 1, "ann")
		if _, ok := errors.AsType[*paas.Invalid](err); !ok {
			t.Errorf("of one that has ended: %v", err)
		}
		if _, err := p.Cancel(t.Context(), paas.DefaultTenant, app, 999, "ann"); !errors.Is(err, paas.ErrNotFound) {
			t.Errorf("of none: %v", err)
		}
	}
}

// working counts the installation's builds and commands, and the app's
// replicas beside the one that serves.
func (p *platform) working(app, serving string) int {
	p.t.Helper()
	n := 0
	for _, kind := range []string{"build", "run"} {
		found, err := p.docker.ContainerList(p.t.Context(), container.ListOptions{
			Filters: filters.NewArgs(filters.Arg("label", "kurama.instance="+p.Instance), filters.Arg("label", "kurama.kind="+kind))})
		if err != nil {
			p.t.Fatal(err)
		}
		n += len(found)
	}
	for _, c := range p.containers(app) {
		if c.ID != serving {
			n++
		}
	}
	return n
}
