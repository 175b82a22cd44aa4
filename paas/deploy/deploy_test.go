package deploy_test

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kurama/paas"
)

const counter = `from flask import Flask
import os, signal
app = Flask(__name__)
@app.get("/")
def index(): return "v%d " + os.environ.get("GREETING", "")
@app.get("/die")
def die(): os.kill(os.getppid(), signal.SIGKILL); return ""
`

func TestDeploy(t *testing.T) {
	p := newPlatform(t, nil)
	kill := p.run()
	v := func(n int) paas.Upload { return p.upload(map[string]string{"app.py": fmt.Sprintf(counter, n)}) }

	t.Run("brings a first release live", func(t *testing.T) {
		began := time.Now()
		rel := p.live("hello", p.example("hello"))
		took := time.Since(began)
		t.Logf("live after %s", took)
		if took > 30*time.Second {
			t.Errorf("took %s", took)
		}
		if status, body := p.get("hello", "/"); status != 200 || body != "Hello from Kurama!\n" {
			t.Errorf("got %d %q", status, body)
		}
		if a := p.app("hello"); a.State != paas.AppRunning || a.Release != rel.Number || rel.SourceDigest == "" {
			t.Errorf("app %+v, release %+v", a, rel)
		}
		if p.events.has("deployed") == "" {
			t.Error("no event deployed")
		}
		if _, err := os.Stat(p.build.SourceFolder(rel.Tenant, rel.App, rel.Number)); err != nil {
			t.Error(err)
		}
	})
	t.Run("installs requirements and starts a factory", func(t *testing.T) {
		if rel := p.live("shop", p.example("shop")); rel.Layer == "" {
			t.Error("no layer")
		}
		if status, body := p.get("shop", "/"); status != 200 || !strings.Contains(body, "EUR") {
			t.Errorf("got %d %q", status, body)
		}
	})
	t.Run("replaces the release before", func(t *testing.T) {
		p.live("count", v(1))
		second := p.live("count", v(2))
		if status, body := p.get("count", "/"); status != 200 || body != "v2 " {
			t.Errorf("got %d %q", status, body)
		}
		p.until(60*time.Second, "the first release's replica is gone", func() bool {
			own := p.containers("count")
			return len(own) == 1 && own[0].Release == second.Number
		})
	})
	t.Run("keeps the old release when the new one fails", func(t *testing.T) {
		rel := p.deploy("count", p.upload(map[string]string{"app.py": "from flask import Flask\napp = Flask(__name__)\nx = 1 +\n"}))
		if rel.State != paas.ReleaseFailed || !strings.HasPrefix(rel.Reason, "`app.py`, line 3: SyntaxError: invalid syntax.\n    ") {
			t.Errorf("got %s %q", rel.State, rel.Reason)
		}
		if _, body := p.get("count", "/"); body != "v2 " {
			t.Errorf("got %q", body)
		}
		if a := p.app("count"); a.State != paas.AppRunning {
			t.Errorf("app is %s", a.State)
		}
	})
	t.Run("ends a deploy that is cancelled", cancels(p, "count"))
	t.Run("rolls back, and redeploys with new settings", func(t *testing.T) {
		rel, err := p.Rollback(t.Context(), paas.DefaultTenant, "count", 0, "tester")
		if err != nil {
			t.Fatal(err)
		}
		rel = p.ended(rel)
		if _, body := p.get("count", "/"); body != "v1 " || rel.RollbackOf != 1 {
			t.Errorf("got %q, rollback of %d", body, rel.RollbackOf)
		}
		if err := p.store.SetEnv(t.Context(), paas.DefaultTenant, "count", map[string]string{"GREETING": "hi"}); err != nil {
			t.Fatal(err)
		}
		if rel, err = p.Redeploy(t.Context(), paas.DefaultTenant, "count", "tester"); err != nil {
			t.Fatal(err)
		}
		p.ended(rel)
		if _, body := p.get("count", "/"); body != "v1 hi" {
			t.Errorf("got %q", body)
		}
	})
	t.Run("scales 1 → 2 → 1", func(t *testing.T) {
		for _, n := range []int{2, 1} {
			if err := p.store.SetDesired(t.Context(), paas.DefaultTenant, "count", n); err != nil {
				t.Fatal(err)
			}
			p.until(60*time.Second, fmt.Sprintf("%d replicas", n), func() bool {
				return len(p.router.targets("count")) == n && len(p.containers("count")) == n
			})
		}
		p.until(10*time.Second, "both changes are told", func() bool {
			return slices.Equal(p.events.all("scaled"), []string{"1 → 2 replicas.", "2 → 1 replica."})
		})
	})
	t.Run("leaves it to the autoscaler to tell of its own decisions", func(t *testing.T) {
		p.events.forget()
		decided := p.policies
		for _, d := range []paas.Decision{{From: 1, To: 2}, {From: 2, To: 1}} {
			d.Tenant, d.App, d.At, d.Policy, d.Reason = paas.DefaultTenant, "count", time.Now(), "kurama", "load"
			d.Inputs = map[string]float64{"load": 91}
			if ok, err := decided.Apply(t.Context(), d); err != nil || !ok {
				t.Fatal(ok, err)
			}
			p.until(60*time.Second, fmt.Sprintf("%d replicas", d.To), func() bool {
				return len(p.router.targets("count")) == d.To && len(p.containers("count")) == d.To
			})
		}
		// Changes by a person are told after them, so they would have been told by then.
		for _, n := range []int{2, 1} {
			if err := p.store.SetDesired(t.Context(), paas.DefaultTenant, "count", n); err != nil {
				t.Fatal(err)
			}
			p.until(60*time.Second, fmt.Sprintf("%d replicas", n), func() bool {
				return len(p.router.targets("count")) == n && len(p.containers("count")) == n
			})
		}
		p.until(10*time.Second, "what a person changed is told", func() bool { return len(p.events.all("scaled")) >= 2 })
		if told := p.events.all("scaled"); !slices.Equal(told, []string{"1 → 2 replicas.", "2 → 1 replica."}) {
			t.Errorf("told %q", told)
		}
	})
	t.Run("restarts a replica that crashed", func(t *testing.T) {
		before := p.containers("count")[0]
		p.get("count", "/die")
		p.until(60*time.Second, "it serves again", func() bool {
			r := p.Replicas(paas.DefaultTenant, "count")
			return len(r) == 1 && r[0].ID == before.ID && r[0].Restarts == 1 && r[0].State == paas.ReplicaHealthy && len(p.router.targets("count")) == 1
		})
		if status, _ := p.get("count", "/"); status != 200 {
			t.Errorf("got %d", status)
		}
		if p.events.has("crashed") == "" || p.events.has("restarted") == "" {
			t.Errorf("events: %v", p.events.told)
		}
	})
	t.Run("makes a replica anew that vanished", func(t *testing.T) {
		gone := p.containers("count")[0]
		if err := p.engine.Remove(t.Context(), gone.ID); err != nil {
			t.Fatal(err)
		}
		p.until(60*time.Second, "another serves", func() bool {
			own := p.router.targets("count")
			return len(own) == 1 && own[0].Replica != gone.ID
		})
	})
	t.Run("renews replicas when asked to restart", func(t *testing.T) {
		before := p.router.targets("count")[0].Replica
		if err := p.store.RequestRestart(t.Context(), paas.DefaultTenant, "count"); err != nil {
			t.Fatal(err)
		}
		p.until(60*time.Second, "another replica serves alone", func() bool {
			own := p.router.targets("count")
			return len(own) == 1 && own[0].Replica != before && len(p.containers("count")) == 1
		})
	})
	t.Run("runs a command", func(t *testing.T) {
		var lines []string
		code, err := p.RunCommand(t.Context(), paas.DefaultTenant, "count", []string{"sh", "-c", "echo $GREETING; exit 3"},
			func(stream, line string) { lines = append(lines, stream+" "+line) })
		if err != nil || code != 3 || strings.Join(lines, "|") != "stdout hi" {
			t.Errorf("got %d %q, %v", code, lines, err)
		}
	})
	t.Run("ties a command to pipes, byte for byte", func(t *testing.T) {
		var out, err strings.Builder
		code, failed := p.Attach(t.Context(), paas.DefaultTenant, "count", []string{"sh", "-c", "cat; echo end >&2; exit 4"},
			paas.Streams{In: strings.NewReader("a\x00b\r\n"), Out: &out, Err: &err})
		if failed != nil || code != 4 || out.String() != "a\x00b\r\n" || err.String() != "end\n" {
			t.Errorf("got %d %q %q, %v", code, out.String(), err.String(), failed)
		}
	})
	t.Run("gives a command a terminal with its size, its kind and Ctrl-C", func(t *testing.T) {
		in, typed := io.Pipe()
		defer typed.Close()
		sizes := make(chan paas.Size, 1)
		sizes <- paas.Size{Rows: 50, Cols: 132}
		out := &typist{typed: typed, on: map[string]string{"ready": "\x03", "interrupted": "exit 5\r"}}
		code, err := p.Attach(t.Context(), paas.DefaultTenant, "count",
			[]string{"bash", "-c", `until [ "$(stty size)" = "50 132" ]; do sleep 0.02; done; trap 'echo interrupted $TERM' INT; echo ready; sleep 30; read line; $line`},
			paas.Streams{In: in, Out: out, Terminal: true, Term: "vt100", Sizes: sizes})
		if err != nil || code != 5 || !strings.Contains(out.said, "interrupted vt100") {
			t.Errorf("got %d %q, %v", code, out.said, err)
		}
	})
	t.Run("adopts what runs after a restart of Kurama", func(t *testing.T) {
		before := p.containers("count")[0]
		kill()
		kill = p.run()
		p.until(60*time.Second, "it is known as healthy", func() bool {
			r := p.Replicas(paas.DefaultTenant, "count")
			return len(r) == 1 && r[0].State == paas.ReplicaHealthy
		})
		after := p.containers("count")[0]
		if after.ID != before.ID || !after.StartedAt.Equal(before.StartedAt) {
			t.Errorf("before %+v, after %+v", before, after)
		}
	})
	t.Run("starts again what a reboot ended, and removes strays", func(t *testing.T) {
		kill()
		own := p.containers("count")[0]
		if err := p.engine.Stop(t.Context(), own.ID, 0); err != nil {
			t.Fatal(err)
		}
		stray := paas.Spec{Replica: "count-999-strays", Tenant: paas.DefaultTenant, App: "count", Release: 999, UID: own.UID, Image: must(p.build.Base(t.Context(), func(string) {})),
			Source: p.build.SourceFolder(paas.DefaultTenant, "count", 1), Start: paas.Start{Command: []string{"sleep", "100"}}, Limits: paas.Limits{CPU: 1, Memory: 64 << 20, Disk: 1 << 20, Pids: 16, Nofile: 64}}
		if _, err := p.engine.Start(t.Context(), stray); err != nil {
			t.Fatal(err)
		}
		kill = p.run()
		p.until(60*time.Second, "it serves, alone", func() bool {
			c := p.containers("count")
			return len(c) == 1 && c[0].ID == own.ID && c[0].Running && len(p.router.targets("count")) == 1
		})
	})
	t.Run("scales to nothing and back", func(t *testing.T) {
		for _, want := range []struct {
			n     int
			state paas.AppState
		}{{0, paas.AppStopped}, {1, paas.AppRunning}} {
			if err := p.store.SetDesired(t.Context(), paas.DefaultTenant, "count", want.n); err != nil {
				t.Fatal(err)
			}
			p.until(60*time.Second, string(want.state), func() bool {
				return p.app("count").State == want.state && len(p.containers("count")) == want.n && len(p.router.targets("count")) == want.n
			})
		}
	})
	t.Run("deletes everything of an app", func(t *testing.T) {
		if err := p.Delete(t.Context(), paas.DefaultTenant, "count"); err != nil {
			t.Fatal(err)
		}
		if _, err := p.store.App(t.Context(), paas.DefaultTenant, "count"); err == nil {
			t.Error("the app is still stored")
		}
		if own := p.containers("count"); len(own) != 0 {
			t.Errorf("containers: %v", own)
		}
		if _, err := os.Stat(p.build.SourceFolder(paas.DefaultTenant, "count", 1)); !os.IsNotExist(err) {
			t.Errorf("source: %v", err)
		}
	})
	t.Run("stops its replicas at the end", func(t *testing.T) {
		d := p.Deployer
		if err := d.Stop(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if left, err := p.engine.List(t.Context()); err != nil || len(left) != 0 {
			t.Errorf("left %v, %v", left, err)
		}
	})
}

// typist types an answer once it reads what that answers.
type typist struct {
	typed io.Writer
	said  string
	on    map[string]string
}

func (t *typist) Write(p []byte) (int, error) {
	t.said += string(p)
	for word, answer := range t.on {
		if strings.Contains(t.said, word) {
			delete(t.on, word)
			go func() { _, _ = io.WriteString(t.typed, answer) }()
		}
	}
	return len(p), nil
}
