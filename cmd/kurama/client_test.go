package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/logship/record"
	"kurama/paas"
	"kurama/paas/api"
	"kurama/paas/auth"
	"kurama/paas/database"
	"kurama/paas/domain"
	"kurama/paas/git"
	"kurama/paas/store"
	"kurama/paas/store/storetest"
	"kurama/services/alert"
	"kurama/services/archive"
)

// desk is a command line before the API, in this process, over a real store
// and real sign-ins; the parts that need an engine or the log are fakes.
type desk struct {
	fake  *platformFake
	t     *testing.T
	store *store.Store
	auth  *auth.Auth
	in    string // what is typed
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	pool, cfg, data := pgtest.New(t), config.Default(), t.TempDir()
	d := &desk{t: t, store: store.New(pool), auth: auth.New(cfg.Console, pool)}
	must(t, first(d.auth.Bootstrap(t.Context(), data)))
	token, err := os.ReadFile(filepath.Join(data, "admin.token"))
	must(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	platform := &platformFake{store: d.store, Trials: storetest.Trials{Store: d.store}}
	d.fake = platform
	apps := pgtest.NewApps()
	pushes, err := git.New(cfg.Git, git.Options{Releases: filepath.Join(data, "releases"), Temp: filepath.Join(data, "uploads"), Hooks: filepath.Join(data, "hooks"),
		SourceMax: cfg.Build.SourceMax, Entries: cfg.Build.Entries, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	a, err := api.New(cfg.Console, api.Options{Pushes: pushes, Listener: listener, Log: slog.New(slog.DiscardHandler), DataDir: data, Domain: "localhost",
		RouterPort: 8080, DashboardPort: 5005, MaxEntries: 20, Pages: http.NotFoundHandler(), Policy: "default-src 'self'",
		Sessions: d.auth, Tenants: d.auth, Users: d.auth, Tokens: d.auth, Invitations: d.auth, Audit: d.auth, Store: d.store, Policies: store.NewPolicies(pool, cfg.Autoscaler.Default()), Deployer: platform, Logs: platform,
		Cron:      platform,
		Databases: database.New(cfg.Databases, database.Deps{Store: d.store, Address: apps.Address, Socket: apps.Socket, Want: apps.Start, Log: slog.New(slog.DiscardHandler)}),
		Domains:   domain.New(config.Domains{Interval: time.Minute}, "localhost", "k3f9a2b1", d.store, nil, slog.New(slog.DiscardHandler)), Bounds: cfg.Router.Most(),
		Archive: platform, Alerts: platform, Outbox: platform, Profile: platform, Course: platform, Status: platform, LoadTester: platform, Reports: reportFiles{}, Disk: platform, Engine: platform, Logged: platform, Replayer: platform, Pipelines: pipelines{store: d.store, rules: alert.NewRules(pool, cfg.Alert, cfg.SMTP, ""), archive: archiveQuery{archive.NewReader(data, "", slog.New(slog.DiscardHandler)), cfg.Archive}}})
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Setenv("KURAMA_URL", "http://"+listener.Addr().String())
	t.Setenv("KURAMA_TOKEN", strings.TrimSpace(string(token)))
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	return d
}

func first[T any](_ T, err error) error { return err }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run runs a command line and returns what it printed, what it said on the
// way, and its error.
func (d *desk) run(args ...string) (out, said string, err error) {
	d.t.Helper()
	root := &cobra.Command{Use: "kurama", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(clientCommands()...)
	var stdout, stderr bytes.Buffer
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	root.SetIn(strings.NewReader(d.in))
	root.SetArgs(args)
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	err = root.ExecuteContext(ctx)
	return stdout.String(), stderr.String(), err
}

// must runs a command line that has to succeed and returns what it printed.
func (d *desk) must(args ...string) string {
	d.t.Helper()
	out, said, err := d.run(args...)
	if err != nil {
		d.t.Fatalf("kurama %s: %v\n%s%s", strings.Join(args, " "), err, said, out)
	}
	return out
}

func (d *desk) fails(part string, args ...string) {
	d.t.Helper()
	if out, _, err := d.run(args...); err == nil || !strings.Contains(err.Error(), part) {
		d.t.Errorf("kurama %s: got %v and %q, want %q", strings.Join(args, " "), err, out, part)
	}
}

func (d *desk) app(files map[string]string) string {
	d.t.Helper()
	dir := filepath.Join(d.t.TempDir(), "Hello World")
	must(d.t, os.MkdirAll(dir, 0o755))
	for name, text := range files {
		must(d.t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func TestDeploy(t *testing.T) {
	d := newDesk(t)
	dir := d.app(map[string]string{"app.py": "app = 1", "x.pyc": "no"})
	t.Run("each step is a line, and the address is the last one", func(t *testing.T) {
		out, said, err := d.run("deploy", dir)
		must(t, err)
		if out != "http://hello-world.localhost:8080\n" {
			t.Errorf("got %q", out)
		}
		for _, part := range []string{"✓ packed 1 file, ", "✓ uploaded ", "✓ unpack  1 file", "✓ detect  app.py holds app", "✓ release 1 is live"} {
			if !strings.Contains(said, part) {
				t.Errorf("no %q in\n%s", part, said)
			}
		}
	})
	t.Run("with --json it prints one document and nothing else", func(t *testing.T) {
		out, said, err := d.run("deploy", dir, "--app", "hello", "--json")
		var end releaseEnd
		if err != nil || json.Unmarshal([]byte(out), &end) != nil || end.State != paas.ReleaseLive || end.Release != 1 || end.Address == "" || said != "" {
			t.Errorf("got %s %s %v", out, said, err)
		}
	})
	t.Run("one that fails says why, with the last lines", func(t *testing.T) {
		bad := d.app(map[string]string{"app.py": "BAD"})
		_, said, err := d.run("deploy", bad, "--app", "hello")
		if err == nil || err.Error() != "release 2 of hello failed: no version fits" || !strings.Contains(said, "✗ dependencies") || !strings.Contains(said, "  pip: looking") {
			t.Errorf("got %v\n%s", err, said)
		}
		out, _, err := d.run("deploy", bad, "--app", "hello", "--json")
		var exit exitError
		if !errors.As(err, &exit) || exit.code != 1 || !strings.Contains(out, `"state": "failed"`) {
			t.Errorf("got %v\n%s", err, out)
		}
	})
	t.Run("what cannot be sent is refused with what to do", func(t *testing.T) {
		d.fails("does not exist", "deploy", filepath.Join(dir, "nope"))
		d.fails("Name the app with --app", "deploy", dir, "--app", "No Name")
		notes := filepath.Join(dir, "notes.txt")
		must(t, os.WriteFile(notes, []byte("hi"), 0o600))
		d.fails("notes.txt is not a zip, a tar.gz or a Python file", "deploy", notes, "--app", "fresh")
		d.fails("There is no tenant nobody", "deploy", dir, "--tenant", "nobody")
	})
	t.Run("releases, rollback and settings follow it", func(t *testing.T) {
		d.must("deploy", dir, "--app", "hello")
		if out := d.must("rollback", "hello"); out != "http://hello.localhost:8080\n" {
			t.Errorf("got %q", out)
		}
		if out := d.must("releases", "hello"); !strings.Contains(out, "rollback to 1") {
			t.Errorf("got\n%s", out)
		}
		d.must("releases", "hello", "cancel", "1")
		if out := d.must("releases", "hello", "diff"); !strings.Contains(out, "~ app.py") || !strings.Contains(out, "setting ~ KEY") || !strings.Contains(out, "other dependencies") {
			t.Errorf("got %q", out)
		}
		if out := d.must("releases", "hello", "tell", "https://example.org/hook"); out != "https://example.org/hook\n" {
			t.Errorf("got %q", out)
		}
		d.fails("no release of hello is on its way", "releases", "hello", "cancel")
		d.fails(`"2x" is not the number of a release`, "releases", "hello", "cancel", "2x")
		d.must("env", "hello", "set", "A=1", "B=x=y")
		d.must("env", "hello", "unset", "A")
		if out := d.must("env", "hello"); out != "B=x=y\n" {
			t.Errorf("got %q", out)
		}
		d.fails("A is not set", "env", "hello", "unset", "A")
		d.fails("C=VALUE", "env", "hello", "set", "C")
		d.fails("no release 99", "rollback", "hello", "99")
	})
}

func TestAppCommands(t *testing.T) {
	d := newDesk(t)
	p := d.fake
	d.must("deploy", d.app(map[string]string{"app.py": "app = 1"}), "--app", "hello")

	t.Run("cron jobs are shown and run", func(t *testing.T) {
		out, _, err := d.run("cron", "hello", "run", "nightly")
		if exit, ok := errors.AsType[exitError](err); !ok || exit.code != 3 || out != "no such mail\n" {
			t.Errorf("got %q, %v", out, err)
		}
		if out := d.must("cron", "hello", "runs"); !strings.Contains(out, "failed (exit code 3)") {
			t.Errorf("got %q", out)
		}
		if out := d.must("cron", "hello"); out != "" {
			t.Errorf("got %q", out)
		}
	})

	t.Run("apps are a table for people and a document for programs", func(t *testing.T) {
		if out := d.must("apps"); !strings.Contains(out, "APP ") || !strings.Contains(out, "hello") || !strings.Contains(out, "http://hello.localhost:8080") {
			t.Errorf("got\n%s", out)
		}
		var list struct{ Apps []api.AppView }
		if err := json.Unmarshal([]byte(d.must("apps", "--json")), &list); err != nil || len(list.Apps) != 1 {
			t.Errorf("got %+v, %v", list, err)
		}
		if out := d.must("open", "hello"); out != "http://hello.localhost:8080\n" {
			t.Errorf("got %q", out)
		}
	})
	t.Run("scaling by hand and by policy", func(t *testing.T) {
		if _, said, err := d.run("scale", "hello", "3"); err != nil || !strings.Contains(said, "at least 3") {
			t.Errorf("got %s %v", said, err)
		}
		d.fails("not a number of replicas", "scale", "hello", "many")
		if out := d.must("scaling", "hello", "--max", "6", "--load-up", "70"); !strings.Contains(out, "3 to 6 replicas") || !strings.Contains(out, "above 70 %") {
			t.Errorf("got\n%s", out)
		}
		d.fails("load_down is 99", "scaling", "hello", "--load-down", "99")
		if out := d.must("scaling", "hello", "--policy", "step", "--set", "up=55", "--schedule", "Mon 08:00-09:00 4"); !strings.Contains(out, "policy    step, 3 to 6 replicas") ||
			!strings.Contains(out, "up               55 % of CPU") || !strings.Contains(out, "schedule  Mon 08:00-09:00 4 (UTC)") {
			t.Errorf("got\n%s", out)
		}
		d.fails(`no number called "drain". The policy step has step.up`, "scaling", "hello", "--set", "drain=1")
		d.fails("not of the form NAME=VALUE", "scaling", "hello", "--set", "up")
		if out := d.must("scaling", "hello", "--set", "swift.drain=7", "--json"); !strings.Contains(out, `"drain": 7`) || !strings.Contains(out, `"up": 55`) {
			t.Errorf("got\n%s", out)
		}
		if _, said, err := d.run("decisions", "hello"); err != nil || !strings.Contains(said, "nothing") {
			t.Errorf("got %s %v", said, err)
		}
	})
	t.Run("logs come oldest first, and a log that is followed goes on", func(t *testing.T) {
		out := d.must("logs", "hello", "--since", "10m", "--level", "warning", "--limit", "2")
		if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 2 || !strings.HasSuffix(lines[0], "line 8") || !strings.HasSuffix(lines[1], "line 9") {
			t.Errorf("got\n%s", out)
		}
		out = d.must("logs", "hello", "--json")
		var r record.Record
		if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 10 || json.Unmarshal([]byte(lines[0]), &r) != nil || r.Msg != "line 0" {
			t.Errorf("got\n%s", out)
		}
		out, _, err := d.run("logs", "hello", "-f", "--limit", "2")
		if lines := strings.Split(strings.TrimSpace(out), "\n"); err == nil || len(lines) != 3 || !strings.HasSuffix(lines[2], "line 10") {
			t.Errorf("got %v\n%s", err, out)
		}
		d.fails("There is no app nosuch", "logs", "nosuch")
		d.fails("not a time", "logs", "hello", "--since", "yesterday")
		d.fails("not a level", "logs", "hello", "--level", "loud")
	})
	t.Run("an archive is downloaded whole", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "hello.jsonl")
		if _, said, err := d.run("archive", "download", "hello", "--from", "1d", "-o", file); err != nil || !strings.Contains(said, "20 records") {
			t.Errorf("got %s %v", said, err)
		}
		if text, err := os.ReadFile(file); err != nil || string(text) != strings.Repeat("{}\n", 20) {
			t.Errorf("got %q %v", text, err)
		}
		if out := d.must("archive", "download", "hello", "-o", "-"); out != strings.Repeat("{}\n", 20) {
			t.Errorf("got %q", out)
		}
	})
	t.Run("a download that breaks off is gone on with, by itself and by the next call", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "hello.jsonl")
		p.breaks, p.begun = 2, nil
		d.must("archive", "download", "hello", "--from", "1d", "-o", file)
		if text, err := os.ReadFile(file); err != nil || string(text) != strings.Repeat("{}\n", 20) || fmt.Sprint(p.begun) != "[0 20 40]" {
			t.Errorf("got %q %v, begun at %v", text, err, p.begun)
		}
		p.breaks, p.begun = 5, nil
		d.fails("goes on with it", "archive", "download", "hello", "--from", "2d", "-o", file)
		d.must("archive", "download", "hello", "--from", "2d", "-o", file)
		text, err := os.ReadFile(file)
		if err != nil || string(text) != strings.Repeat("{}\n", 20) || p.begun[5] < 50 {
			t.Errorf("got %q %v, begun at %v", text, err, p.begun)
		}
		if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
			t.Errorf("left %v", left)
		}
	})
	t.Run("a condition is tried, and a mistake in one is pointed at", func(t *testing.T) {
		if _, said, err := d.run("alerts", "try", "hello", "--when", "cpu > 90"); err != nil || !strings.Contains(said, "held for 10 s of the last hour and would have fired once. Now: cpu 95 %.") {
			t.Errorf("got %q %v", said, err)
		}
		d.fails("  mem > cpuu\n        ^", "alerts", "try", "hello", "--when", "mem > cpuu")
	})
	t.Run("a damaged archive is told", func(t *testing.T) {
		_, said, err := d.run("archive", "verify", "hello")
		var exit exitError
		if !errors.As(err, &exit) || exit.code != 1 || !strings.Contains(said, "✗ b: 4 bytes are missing") {
			t.Errorf("got %q %v", said, err)
		}
	})
	t.Run("a command's output and exit code are passed on", func(t *testing.T) {
		out, said, err := d.run("run", "hello", "--", "echo", "-n", "hi")
		var exit exitError
		if !errors.As(err, &exit) || exit.code != 3 || out != "echo -n hi\n" || said != "warned\n" {
			t.Errorf("got %q %q %v", out, said, err)
		}
	})
	t.Run("an isolation that stands, and one that does not", func(t *testing.T) {
		if out := d.must("isolation", "hello"); !strings.Contains(out, "✓") || strings.Contains(out, "✗") || !strings.Contains(out, "The code runs as user 20001.") {
			t.Errorf("got\n%s", out)
		}
		must(t, first(d.store.CreateApp(t.Context(), "default", "open")))
		if out := d.must("runtime", "hello", "runsc"); !strings.Contains(out, "runsc") {
			t.Errorf("got\n%s", out)
		}
		if out := d.must("runtime", "hello", "--default"); !strings.Contains(out, "runc") || !strings.Contains(out, "could be chosen") {
			t.Errorf("got\n%s", out)
		}
		if out, _, err := d.run("isolation", "open"); err == nil || !strings.Contains(out, "✗") {
			t.Errorf("got %v\n%s", err, out)
		}
	})
	t.Run("profile and alerts", func(t *testing.T) {
		if out := d.must("profile", "hello", "--window", "15m"); !strings.Contains(out, "/user/<id>") || !strings.Contains(out, "–") {
			t.Errorf("got\n%s", out)
		}
		if _, said, err := d.run("alerts", "add", "hello", "--when", "cpu > 90", "--for", "1m", "--to", "ann@example.org"); err != nil || !strings.Contains(said, "when cpu > 90 for 1m0s") {
			t.Errorf("got %s %v", said, err)
		}
		if out := d.must("alerts", "list", "hello"); !strings.Contains(out, "ann@example.org") {
			t.Errorf("got\n%s", out)
		}
		d.must("alerts", "test", "hello", "r1")
		d.must("alerts", "rm", "hello", "r1")
		d.fails("required flag", "alerts", "add", "hello")
	})
	t.Run("delete asks first", func(t *testing.T) {
		d.fails("--yes", "delete", "hello")
		d.in = "wrong\n"
		d.fails("nothing was deleted", "delete", "hello")
		d.in = "hello\n"
		d.must("delete", "hello")
		d.fails("There is no app hello", "delete", "hello", "--yes")
	})
}

func TestAccountCommands(t *testing.T) {
	d := newDesk(t)
	d.must("tenants", "add", "acme")
	d.in = "correct horse\n"
	d.must("users", "add", "ann", "--role", "owner", "--tenant", "acme")
	if out := d.must("users", "list", "--tenant", "acme"); !strings.Contains(out, "ann") {
		t.Errorf("got\n%s", out)
	}
	if out := d.must("quota", "--tenant", "acme", "--apps", "5", "--memory", "2GiB"); !strings.Contains(out, "2GiB") || !strings.Contains(out, "no bound") || !strings.Contains(out, "log records dropped today  3") {
		t.Errorf("got\n%s", out)
	}
	if out := d.must("egress", "--tenant", "acme", "listed", "api.example.org:443"); !strings.Contains(out, "listed") || !strings.Contains(out, "203.0.113.7") {
		t.Errorf("got\n%s", out)
	}
	d.fails("is no destination", "egress", "--tenant", "acme", "listed", "nowhere")
	if out := d.must("egress", "--tenant", "acme", "--default", "--json"); !strings.Contains(out, `"open"`) {
		t.Errorf("got\n%s", out)
	}
	d.fails("--memory", "quota", "--tenant", "acme", "--memory", "much")
	if out := d.must("quota", "--tenant", "acme", "--default", "--json"); !strings.Contains(out, `"own": false`) && !strings.Contains(out, `"own":false`) {
		t.Errorf("got\n%s", out)
	}
	t.Setenv("KURAMA_TOKEN", "kt_wrong")
	d.fails("Run `kurama login`", "apps")

	t.Setenv("KURAMA_TOKEN", "")
	d.fails("Run `kurama login`", "apps")
	d.in = "ann\nwrong\n"
	d.fails("Name or password is wrong", "login")
	d.in = "ann\ncorrect horse\n"
	if _, said, err := d.run("login"); err != nil || !strings.Contains(said, "as ann (owner of tenant acme)") {
		t.Fatalf("got %s %v", said, err)
	}
	file := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "kurama", "credentials")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if _, said, err := d.run("apps"); err != nil || !strings.Contains(said, "No app yet") {
		t.Errorf("got %s %v", said, err)
	}
	token := d.must("tokens", "add", "ci", "--role", "viewer", "--expires", "24h")
	if !strings.HasPrefix(token, "kt_") || strings.Count(token, "\n") != 1 {
		t.Errorf("got %q", token)
	}
	if out := d.must("tokens", "list"); !strings.Contains(out, "kurama login on") || !strings.Contains(out, "viewer") {
		t.Errorf("got\n%s", out)
	}
	d.fails("needs the role operator", "tenants", "list")
}

func TestPeopleCommands(t *testing.T) {
	d := newDesk(t)
	link := strings.TrimSpace(d.must("users", "invite", "ann@example.org", "--role", "developer"))
	_, path, _ := strings.Cut(link, "/#/")
	link = os.Getenv("KURAMA_URL") + "/#/" + path // the address of this test's console
	if out := d.must("users", "invitations"); !strings.Contains(out, "ann@example.org") || !strings.Contains(out, "open until") {
		t.Errorf("got\n%s", out)
	}
	operator := os.Getenv("KURAMA_TOKEN")
	t.Setenv("KURAMA_TOKEN", "")
	d.in = "correct horse\n"
	if _, said, err := d.run("join", link, "--name", "ann"); err != nil || !strings.Contains(said, "as ann (developer of tenant default)") {
		t.Fatalf("got %s %v", said, err)
	}
	d.fails("used already", "join", link, "--name", "bob")
	d.fails("/#/join/", "join", "http://localhost")
	d.in = "correct horse\nfresh horses\n"
	d.must("password", "--name", "ann")
	d.in = "ann\ncorrect horse\n"
	d.fails("Name or password is wrong", "login")
	if out := d.must("tokens", "add", "ci", "--scopes", "deploy", "--app", "hello"); !strings.HasPrefix(out, "kt_") {
		t.Errorf("got %s", out)
	}
	if out := d.must("tokens", "list"); !strings.Contains(out, "deploy of hello") {
		t.Errorf("got\n%s", out)
	}
	d.fails("needs the role owner", "audit")

	t.Setenv("KURAMA_TOKEN", operator)
	d.must("users", "role", "ann", "viewer")
	t.Setenv("KURAMA_TOKEN", "")
	d.in = "ann\nfresh horses\n"
	if _, said, err := d.run("login"); err != nil || !strings.Contains(said, "as ann (viewer of tenant default)") {
		t.Errorf("got %s %v", said, err)
	}
	d.fails("You cannot give the role developer", "tokens", "add", "more", "--role", "developer")
	d.fails("needs the role owner", "users", "list")
	t.Setenv("KURAMA_TOKEN", operator)
	if out := d.must("audit", "--who", "ann", "--limit", "3"); strings.Count(out, "\n") != 4 || !strings.Contains(out, "list-audit") && !strings.Contains(out, "create-token") {
		t.Errorf("got\n%s", out)
	}
	if out := d.must("disk"); !strings.Contains(out, "default") || !strings.Contains(out, "layers") {
		t.Errorf("got\n%s", out)
	}
	if out := d.must("audit", "--action", "sign-in", "--refused"); !strings.Contains(out, "Name or password is wrong") {
		t.Errorf("got\n%s", out)
	}
}

func TestARoleAndAQuestionShareTheirName(t *testing.T) {
	ran := ""
	role := func(name string) *cobra.Command {
		return &cobra.Command{Use: name, RunE: func(*cobra.Command, []string) error { ran = name; return nil }}
	}
	clients := clientCommands()
	alone := joinRoles([]*cobra.Command{role("router"), role("profile"), role("archive")}, clients)
	if len(alone) != 1 || alone[0].Name() != "router" {
		t.Errorf("alone: %v", alone)
	}
	for _, name := range []string{"profile", "archive"} {
		root := &cobra.Command{Use: "kurama", SilenceErrors: true, SilenceUsage: true}
		root.AddCommand(clients...)
		root.SetArgs([]string{name})
		if err := root.Execute(); err != nil || ran != name {
			t.Errorf("%s: ran %q, %v", name, ran, err)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"10m", "3d", "2026-11-20", "2026-11-20T10:00:00Z", "-1h", "1e308d", "NaNd"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		if at, err := parseTime(s, now); err == nil && at.After(now) && strings.HasSuffix(s, "d") {
			t.Errorf("%q is in the future: %s", s, at)
		}
	})
}

func TestPipelineCommand(t *testing.T) {
	d := newDesk(t)
	d.must("deploy", d.app(map[string]string{"app.py": "app = 1"}), "--app", "hello")
	d.must("alerts", "add", "hello", "--when", "cpu > 90", "--to", "ann@example.org")
	if out := d.must("pipeline", "hello"); out != "pipeline:\n  receivers: []\n" {
		t.Errorf("an app without one has\n%s", out) // its alerts are the fake's
	}
	d.in = "pipeline:\n  persist:\n    take:\n      - when: level > DEBUG\n  profile: off\n  receivers:\n    - when: cpu > 80 for 1m\n      to: ops@example.org\n"
	d.must("pipeline", "hello", "--file", "-", "--dry-run")
	if out := d.must("pipeline", "hello"); strings.Contains(out, "profile") {
		t.Errorf("a dry run changed\n%s", out)
	}
	d.must("pipeline", "hello", "--file", "-")
	want := "pipeline:\n  persist:\n    take:\n      - when: level > DEBUG\n  profile: off\n  receivers:\n    - when: cpu > 80\n      to: ops@example.org\n      for: 60\n"
	if out := d.must("pipeline", "hello"); out != want {
		t.Errorf("it is\n%s", out)
	}
	d.in = "pipeline:\n  persist:\n    take:\n      - when: levle > DEBUG\n"
	d.fails("The pipeline before persist, branch 1: A record has no field called `levle`", "pipeline", "hello", "--file", "-")
	d.in = "pipeline:\n  receivers:\n    - when: cpu > 80\n      to: nobody\n"
	d.fails("neither an e-mail address nor a webhook", "pipeline", "hello", "--file", "-")
	d.fails("hello2", "pipeline", "hello2")
}
