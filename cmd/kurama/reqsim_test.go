package main

import (
	"net/http"
	"net/http/httptest"
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
