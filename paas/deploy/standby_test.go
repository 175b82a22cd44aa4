package deploy_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/paas"
)

// TestStandby deploys an app again and again: whoever works on one does not
// wait for containers.
func TestStandby(t *testing.T) {
	p := newPlatform(t, func(c *config.Config) { c.App.Standby = 1 })
	p.run()
	v := func(n int) paas.Upload { return p.upload(map[string]string{"app.py": fmt.Sprintf(counter, n)}) }
	stands := func(app string, release int) paas.Container {
		t.Helper()
		p.until(30*time.Second, fmt.Sprintf("a replica stands by for release %d of %s", release, app), func() bool {
			found := p.spares(app)
			return len(found) == 1 && found[0].Release == release && found[0].Running
		})
		return p.spares(app)[0]
	}
	used := func(rel paas.Release) bool {
		t.Helper()
		lines, err := p.store.BuildLog(t.Context(), rel.Tenant, rel.App, rel.Number, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			if strings.Contains(l.Line, "which stood by") {
				return true
			}
		}
		return false
	}

	t.Run("the second release is served by the replica that stood by", func(t *testing.T) {
		if used(p.live("count", v(1))) {
			t.Error("the first release had something to take")
		}
		waiting := stands("count", 2)
		rel := p.live("count", v(2))
		if _, body := p.get("count", "/"); body != "v2 " || !used(rel) {
			t.Errorf("got %q, used: %v", body, used(rel))
		}
		if own := p.router.targets("count"); len(own) != 1 || own[0].Replica != waiting.ID {
			t.Errorf("%s stood by, %v serves", waiting.ID, own)
		}
	})
	t.Run("it serves the same release after its process was killed", func(t *testing.T) {
		_, _ = http.Get("http://" + p.router.targets("count")[0].Address + "/die") // it cannot answer
		p.until(30*time.Second, "it is started again", func() bool {
			_, body := p.get("count", "/")
			return body == "v2 "
		})
	})
	t.Run("a release that fails says why, and the next has one again", func(t *testing.T) {
		stands("count", 3)
		rel := p.deploy("count", p.upload(map[string]string{"app.py": "from flask import Flask\napp = Flask(__name__)\nimport nowhere\n"}))
		if rel.State != paas.ReleaseFailed || !strings.Contains(rel.Reason, "nowhere") || !used(rel) {
			t.Errorf("release is %s: %s", rel.State, rel.Reason)
		}
		stands("count", 4)
	})
	t.Run("other settings and another kind of source start afresh", func(t *testing.T) {
		if err := p.store.SetEnv(t.Context(), paas.DefaultTenant, "count", map[string]string{"GREETING": "hi"}); err != nil {
			t.Fatal(err)
		}
		rel := p.live("count", v(4))
		if _, body := p.get("count", "/"); body != "v4 hi" || used(rel) {
			t.Errorf("got %q, used: %v", body, used(rel))
		}
		stands("count", 5)
		rel = p.live("count", p.upload(map[string]string{"app.py": fmt.Sprintf(counter, 5), "instance/seed.txt": "1"}))
		if _, body := p.get("count", "/"); body != "v5 hi" || used(rel) {
			t.Errorf("got %q, used: %v", body, used(rel))
		}
	})
	t.Run("the app that was deployed last has the only place", func(t *testing.T) {
		stands("count", 6)
		p.live("other", v(1))
		stands("other", 2)
		p.until(10*time.Second, "the former one is gone", func() bool { return len(p.spares("count")) == 0 })
	})
	t.Run("nothing of it stays when the app is deleted", func(t *testing.T) {
		for _, app := range []string{"other", "count"} {
			if err := p.Delete(t.Context(), paas.DefaultTenant, app); err != nil {
				t.Fatal(err)
			}
			p.gone(app)
		}
		if left, err := os.ReadDir(filepath.Join(p.Data, "standby")); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
}
