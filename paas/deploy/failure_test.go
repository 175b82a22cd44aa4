package deploy_test

import (
	"fmt"
	"slices"
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
			p.gone(app)
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

func TestOutOfMemory(t *testing.T) {
	p := newPlatform(t, nil)
	p.run()
	const hog = `from flask import Flask
app = Flask(__name__)
@app.get("/")
def index(): return "here"
@app.get("/hog")
def hog(): return str(len(bytearray(400 << 20)))
`
	told := func(t *testing.T, app, what string) {
		t.Helper()
		own := p.containers(app)[0]
		p.get(app, "/hog")
		want := own.ID + " used more than 256MiB of memory. " + what + " Load less at a time, or raise app.memory."
		p.until(20*time.Second, "the event tells it once", func() bool { return slices.Contains(p.events.all("oom_killed"), want) })
		p.until(20*time.Second, "it serves again", func() bool { status, _ := p.get(app, "/"); return status == 200 })
		n := 0
		for _, text := range p.events.all("oom_killed") {
			if strings.HasPrefix(text, own.ID) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("told %d times: %q", n, p.events.all("oom_killed"))
		}
	}
	t.Run("of one worker is told, and the replica goes on", func(t *testing.T) {
		p.live("worker", p.upload(map[string]string{"app.py": hog}))
		before := p.containers("worker")[0]
		told(t, "worker", "The kernel ended a process of it.")
		if after := p.containers("worker")[0]; !after.StartedAt.Equal(before.StartedAt) {
			t.Error("the replica was restarted")
		}
	})
	t.Run("of the whole replica is told, and it is started again", func(t *testing.T) {
		p.live("whole", p.upload(map[string]string{"app.py": hog, "Procfile": "web: flask run --host 0.0.0.0 --port $PORT\n"}))
		told(t, "whole", "The kernel ended a process of it.")
		p.until(20*time.Second, "the crash is told", func() bool {
			return slices.ContainsFunc(p.events.all("crashed"), func(text string) bool {
				return strings.HasPrefix(text, "Your app used more than its 256MiB of memory and was ended. Load less, or raise app.memory.")
			})
		})
		p.until(20*time.Second, "the restart is told", func() bool { return len(p.events.all("restarted")) == 1 })
	})
}
