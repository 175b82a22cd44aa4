package deploy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/paas"
)

func TestDeployFailure(t *testing.T) {
	p := newPlatform(t, func(c *config.Config) { c.App.HealthTimeout = 20 * time.Second })
	p.run()
	fails := func(name, app string, files map[string]string, want string) {
		t.Run(name, func(t *testing.T) {
			rel := p.deploy(app, p.upload(files))
			if rel.State != paas.ReleaseFailed || !strings.HasPrefix(rel.Reason, want) {
				t.Errorf("got %s %q", rel.State, rel.Reason)
			}
			if a := p.app(app); a.State != paas.AppFailed || a.Reason != rel.Reason {
				t.Errorf("app: %s %q", a.State, a.Reason)
			}
			if own := p.containers(app); len(own) != 0 {
				t.Errorf("containers: %v", own)
			}
		})
	}
	const flask = "from flask import Flask\napp = Flask(__name__)\n"
	fails("names the wrong port", "wrongport", map[string]string{"app.py": flask + "app.run()\n", "Procfile": "web: python3 app.py\n"},
		"Your app answered on 127.0.0.1:5000, where the router cannot reach it. Listen on 0.0.0.0:$PORT, or remove `app.run()` and let Kurama start it.")
	fails("names the exception at the start", "raises", map[string]string{"app.py": flask + "raise KeyError('SECRET')\n"},
		"Your app ended at its start with KeyError in app.py, line 3: 'SECRET'. It wrote last:\n")
	fails("names a missing package", "missing", map[string]string{"app.py": flask + "import pandas\n"},
		"Your app ended at its start with ModuleNotFoundError in app.py, line 3: No module named 'pandas'.")
	fails("names a command that is not there", "nocommand", map[string]string{"Procfile": "web: uvicorn app:app\n"},
		"Your app's command was not found.")
	fails("says when there is no Flask app", "noapp", map[string]string{"readme.txt": "hi"}, "No Flask app was found.")
	fails("says when memory runs out", "memory", map[string]string{"app.py": "x = bytearray(400 << 20)\n" + flask, "Procfile": "web: python3 app.py\n"},
		"Your app used more than its 256MiB of memory and was ended.")

	t.Run("says when an archive leaves its folder", func(t *testing.T) {
		rel := p.deploy("escape", p.upload(map[string]string{"../../etc/passwd": "x"}))
		if rel.Reason != "The archive holds a path that leaves its folder: `../../etc/passwd`. Nothing was stored." {
			t.Errorf("got %q", rel.Reason)
		}
	})
	t.Run("serves after a failed first release is mended by a setting", func(t *testing.T) {
		rel := p.deploy("setting", p.upload(map[string]string{"app.py": "import os\n" + flask + "os.environ['NEEDED']\n"}))
		if rel.State != paas.ReleaseFailed {
			t.Fatalf("got %s", rel.State)
		}
		if err := p.store.SetEnv(t.Context(), paas.DefaultTenant, "setting", map[string]string{"NEEDED": "1"}); err != nil {
			t.Fatal(err)
		}
		again, err := p.Redeploy(t.Context(), paas.DefaultTenant, "setting", "tester")
		if err != nil {
			t.Fatal(err)
		}
		if again = p.ended(again); again.State != paas.ReleaseLive {
			t.Errorf("got %s %q", again.State, again.Reason)
		}
	})
	t.Run("takes deploys of one app in turn", func(t *testing.T) {
		var last paas.Release
		for n := range 3 {
			rel, err := p.Deploy(t.Context(), paas.DefaultTenant, "turns", "tester", p.upload(map[string]string{"app.py": fmt.Sprintf(counter, n)}))
			if err != nil {
				t.Fatal(err)
			}
			last = rel
		}
		if last = p.ended(last); last.State != paas.ReleaseLive {
			t.Fatalf("got %s %q", last.State, last.Reason)
		}
		if _, body := p.get("turns", "/"); body != "v2 " {
			t.Errorf("got %q", body)
		}
	})
	t.Run("says that an app keeps dying, and that it is well again", func(t *testing.T) {
		p.live("mortal", p.upload(map[string]string{"app.py": flask + "import os, signal, threading\n" +
			"if os.environ.get('MORTAL', '1') == '1': threading.Timer(1, lambda: os.kill(os.getppid(), signal.SIGKILL)).start()\n"}))
		p.until(40*time.Second, "the app is failed", func() bool {
			a := p.app("mortal")
			return a.State == paas.AppFailed && strings.HasPrefix(a.Reason, "Your app ended with exit code 137.")
		})
		if err := p.store.SetEnv(t.Context(), paas.DefaultTenant, "mortal", map[string]string{"MORTAL": "0"}); err != nil {
			t.Fatal(err)
		}
		rel, err := p.Redeploy(t.Context(), paas.DefaultTenant, "mortal", "tester")
		if err != nil {
			t.Fatal(err)
		}
		if rel = p.ended(rel); rel.State != paas.ReleaseLive {
			t.Fatalf("got %s %q", rel.State, rel.Reason)
		}
		p.until(10*time.Second, "the app runs", func() bool { return p.app("mortal").State == paas.AppRunning })
	})
}
