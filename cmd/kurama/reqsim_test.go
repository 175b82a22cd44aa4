package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kurama/internal/config"
	"kurama/sdk/reqsim"
)

func TestAPathOfReqsimMayHaveAWeight(t *testing.T) {
	f := func(text, path string, weight int) {
		t.Helper()
		got, err := weightedPath(text)
		if err != nil || got != (reqsim.Path{Path: path, Weight: weight}) {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
	f("/", "/", 1)
	f("/=6", "/", 6)
	f("/slow?ms=80", "/slow?ms=80", 1)
	f("/slow?ms=80=2", "/slow?ms=80", 2)
	f("/a?b=1&c=x", "/a?b=1&c=x", 1)
	f("/a?b=1&c=x=3", "/a?b=1&c=x", 3)
	f("/a=b", "/a=b", 1)
	for _, text := range []string{"", "x", "/=0", "/=-1", "=2"} {
		if got, err := weightedPath(text); err == nil {
			t.Errorf("%q is taken as %+v", text, got)
		}
	}
}

func TestReqsimFindsTheRouterOfASignedInPlatform(t *testing.T) {
	for _, c := range []struct{ address, tenant, want string }{
		{"http://hello.localhost:8380", "default", "http://localhost:8380"},
		{"https://hello.acme.apps.example", "acme", "https://apps.example"},
		{"https://shop.example.org/cart", "default", ""},
		{"", "default", ""},
	} {
		if got := routerOf(c.address, c.tenant, "hello"); got != c.want {
			t.Errorf("%s leads to %q, not %q", c.address, got, c.want)
		}
	}
}

func TestReqsimFindsItsTarget(t *testing.T) {
	cfg := config.Default()
	cfg.Reqsim.Allow = "staging.example:8443, 10.0.0.7"
	f := func(flags reqsimFlags, env, want string) {
		t.Helper()
		got, err := flags.target(routerAddress(cfg, env), cfg.Reqsim.Allow)
		if err != nil || got != want {
			t.Errorf("%+v gives %q, %v; not %q", flags, got, err, want)
		}
	}
	f(reqsimFlags{app: "hello", tenant: "default"}, "", "http://hello.localhost:8080")
	f(reqsimFlags{app: "hello", tenant: "acme"}, "", "http://hello.acme.localhost:8080")
	f(reqsimFlags{app: "hello", tenant: "default"}, "http://localhost:9090", "http://hello.localhost:9090")
	f(reqsimFlags{app: "hello", tenant: "default"}, "https://apps.example", "https://hello.apps.example")
	f(reqsimFlags{url: "http://hello.localhost:8080/x"}, "", "http://hello.localhost:8080/x")
	f(reqsimFlags{url: "https://hello.acme.apps.example/"}, "https://apps.example:443", "https://hello.acme.apps.example/")
	f(reqsimFlags{url: "https://staging.example:8443/x"}, "", "https://staging.example:8443/x")
	f(reqsimFlags{url: "http://10.0.0.7:1234"}, "", "http://10.0.0.7:1234")
	no := func(flags reqsimFlags, want string) {
		t.Helper()
		if got, err := flags.target("http://localhost:8080", cfg.Reqsim.Allow); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v gives %q, %v; not %q", flags, got, err, want)
		}
	}
	no(reqsimFlags{}, "name the app")
	no(reqsimFlags{app: "Not A Name"}, "cannot be the name of an app")
	no(reqsimFlags{url: "http://127.0.0.1:1/x"}, "is no app of this platform (http://localhost:8080)")
	no(reqsimFlags{url: "http://hello.localhost:8081"}, "is no app of this platform")
	no(reqsimFlags{url: "http://hello.localhost:8080.evil.example"}, "is not an address")
	no(reqsimFlags{url: "http://evil-localhost:8080"}, "is no app")
	no(reqsimFlags{url: "https://staging.example"}, `allow the address: `+"`"+`reqsim: {allow: "staging.example:443"}`)
	no(reqsimFlags{url: "hello"}, "is not an address")
}

func TestEnsureDecidesTheExitStatus(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			w.WriteHeader(500)
		}
	}))
	defer app.Close()
	t.Setenv("KURAMA_REQSIM_ALLOW", strings.TrimPrefix(app.URL, "http://"))
	f := func(want int, args ...string) {
		t.Helper()
		if got := run(append([]string{"reqsim", "--url", app.URL, "--rate", "40", "--duration", "500ms", "--json"}, args...)); got != want {
			t.Errorf("%v: exit status %d, want %d", args, got, want)
		}
	}
	f(0)
	f(0, "--ensure", "p95 < 10s", "--ensure", "error_rate == 0%", "--ensure", "apdex(5s) >= 1")
	f(3, "--ensure", "requests > 20")
	f(3, "--path", "/=1", "--path", "/broken=1", "--ensure", "error_rate < 1%")
	f(1, "--path", "/broken", "--ensure", "error_rate < 1%")
	f(1, "--ensure", "magic < 1")
}

func TestReqsimSendsAScenarioAndWritesItsReports(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer app.Close()
	t.Setenv("KURAMA_REQSIM_ALLOW", strings.TrimPrefix(app.URL, "http://"))
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("who.csv", "name\nann\n")
	scenario := write("s.yaml", "url: "+app.URL+`
data: {who: who.csv}
phases: [{name: one, rate: 40, for: 200ms}, {name: two, shape: poisson, rate: 40, for: 200ms}]
requests: [{get: "/hello/{{who.name}}"}]
ensure: ["error_rate == 0%"]
`)
	page, table := filepath.Join(dir, "r.html"), filepath.Join(dir, "r.csv")
	if got := run([]string{"reqsim", "--scenario", scenario, "--json", "--out", page, "--out", table}); got != 0 {
		t.Fatalf("exit status %d", got)
	}
	for file, part := range map[string]string{page: "/hello/{{who.name}}", table: "second,wanted,requests"} {
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), part) {
			t.Errorf("%s: %v %s", file, err, text)
		}
	}
	// Two minutes of 4 and 2 requests, 300 times faster: 0.2 s each.
	trace := write("t.csv", "2026-11-20 10:00,4\n2026-11-20 10:01,2\n")
	report := filepath.Join(dir, "t.json")
	if got := run([]string{"reqsim", "--url", app.URL, "--trace", trace, "--speed", "300", "--json", "--out", report, "--ensure", "requests == 6"}); got != 0 {
		text, _ := os.ReadFile(report)
		t.Errorf("exit status %d: %s", got, text)
	}
	if got := run([]string{"reqsim", "--url", app.URL, "--traffic", "1h"}); got != 1 {
		t.Errorf("stored traffic without an app: exit status %d", got)
	}
}

func TestReqsimSendsToNobodyElsesApp(t *testing.T) {
	d := newDesk(t)
	must(t, first(d.store.CreateApp(t.Context(), "default", "mine")))
	cfg := config.Default()
	aim := func(flags reqsimFlags, plan reqsim.Plan) error {
		cmd := reqsimCommand()
		cmd.SetContext(t.Context())
		flags.tenant = "default"
		return flags.aim(cmd, cfg, &plan)
	}
	must(t, aim(reqsimFlags{app: "mine"}, reqsim.Plan{}))
	must(t, aim(reqsimFlags{}, reqsim.Plan{URL: "http://mine.default.localhost:8080"}))
	for _, err := range []error{aim(reqsimFlags{app: "theirs"}, reqsim.Plan{}), aim(reqsimFlags{}, reqsim.Plan{URL: "http://mine.other.localhost:8080"}),
		aim(reqsimFlags{app: "mine"}, reqsim.Plan{Also: []string{"http://theirs.localhost:8080"}})} {
		if err == nil || !strings.Contains(err.Error(), "is no app of yours") {
			t.Errorf("%v", err)
		}
	}
	t.Setenv("KURAMA_TOKEN", "wrong")
	if err := aim(reqsimFlags{app: "mine"}, reqsim.Plan{}); err == nil || !strings.Contains(err.Error(), "it is not known whether mine is yours") {
		t.Errorf("%v", err)
	}
}
