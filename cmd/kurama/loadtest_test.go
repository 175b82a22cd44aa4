package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/paas"
	"kurama/paas/api"
	"kurama/sdk/reqsim"
)

// keptTests keeps load tests in memory.
type keptTests struct {
	mu    sync.Mutex
	n     int64
	ended []paas.LoadTest
}

func (k *keptTests) AddLoadTest(context.Context, string, string, paas.LoadTest) (int64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.n++
	return k.n, nil
}

func (k *keptTests) EndLoadTest(_ context.Context, _, _ string, t paas.LoadTest) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = append(k.ended, t)
	return nil
}

// steadyApp is an app whose replicas and figures do not change.
type steadyApp struct{}

func (steadyApp) Look(context.Context) (reqsim.Look, error) {
	two := 2.0
	return reqsim.Look{Wanted: &two, Ready: &two}, nil
}

func TestLoadTestsGoThroughTheRouter(t *testing.T) {
	var asked, strange atomic.Int64
	router := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Host != "hello.acme.localhost" || r.URL.Path != "/a" {
			strange.Add(1)
		}
		asked.Add(1)
	}))
	defer router.Close()
	cfg := config.Default()
	cfg.Router.Listen = ":" + portOf(strings.TrimPrefix(router.URL, "http://"))
	ctx, end := context.WithCancel(t.Context())
	kept := &keptTests{}
	l := newLoadTester(ctx, cfg, kept, func(string, string) reqsim.Watch { return steadyApp{} }, slog.New(slog.DiscardHandler))
	plan := api.LoadPlan{Tenant: "acme", App: "hello", By: "ann", Paths: []string{"/a"}, Rate: 50, Lasting: 10 * time.Minute, Ensure: []string{"error_rate == 0%"}}
	begun, err := l.Begin(ctx, plan)
	must(t, err)
	if _, err := l.Begin(ctx, api.LoadPlan{Tenant: "acme", App: "other", Paths: []string{"/"}, Rate: 1, Lasting: time.Second}); !errors.Is(err, paas.ErrConflict) {
		t.Errorf("a second load test of the tenant is %v", err)
	}
	for _, tenant := range []string{"b", "c", "d"} {
		must(t, l.reserve(&loadRun{tenant: tenant}))
	}
	if err := l.reserve(&loadRun{tenant: "e"}); !errors.Is(err, paas.ErrConflict) {
		t.Errorf("the fifth tenant is %v", err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if live, ok := l.Live(begun.ID); ok && live.Answered > 5 && strings.Contains(string(live.Series), `"ready":2`) && live.Wanted == 50 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d requests came", asked.Load())
		}
	}
	if !l.Stop(begun.ID) || l.Stop(begun.ID+1) || l.Stop(0) {
		t.Error("what is under way is not what is stopped")
	}
	l.wait()
	if _, ok := l.Live(begun.ID); ok || len(kept.ended) != 1 {
		t.Fatalf("kept %+v", kept.ended)
	}
	over := kept.ended[0]
	if over.ID != begun.ID || over.State != paas.LoadTestStopped || over.By != "ann" || over.Holds == nil || !*over.Holds {
		t.Errorf("%+v", over)
	}
	for format, want := range map[string]string{"html": "<svg", "csv": "replicas_ready", "json": `"series"`, "txt": "error_rate == 0%"} {
		if page, err := (reportFiles{}).Write(over.Report, format); err != nil || !strings.Contains(string(page), want) {
			t.Errorf("%s: %v\n%s", format, err, page)
		}
	}
	end()
	if strange.Load() > 0 {
		t.Errorf("%d requests went elsewhere", strange.Load())
	}
}

func TestPlansOfLoadTests(t *testing.T) {
	cfg := config.Default()
	l := newLoadTester(t.Context(), cfg, &keptTests{}, nil, slog.New(slog.DiscardHandler))
	for name, c := range map[string]struct {
		p    api.LoadPlan
		says string
	}{
		"another address":        {api.LoadPlan{Scenario: "url: http://10.0.0.1/"}, "goes to its app alone"},
		"another host":           {api.LoadPlan{Scenario: "host: other.localhost"}, "goes to its app alone"},
		"another app":            {api.LoadPlan{Scenario: "app: other"}, "is for the app other"},
		"a host as header":       {api.LoadPlan{Scenario: "headers: {hOST: other.localhost}"}, "sets the header Host"},
		"a host in a step":       {api.LoadPlan{Scenario: "requests: [{get: /, headers: {host: other}}]"}, "sets the header Host"},
		"a file":                 {api.LoadPlan{Scenario: "data: {people: /etc/passwd}"}, "reads no files"},
		"no scenario":            {api.LoadPlan{Scenario: "- 1"}, "cannot be read"},
		"too high a rate":        {api.LoadPlan{Rate: 201}, "give 0 to 200"},
		"too high a peak":        {api.LoadPlan{Shape: "ramp", Peak: 201}, "give 0 to 200"},
		"too long":               {api.LoadPlan{Lasting: 16 * time.Minute}, "at most 15m"},
		"many steps":             {api.LoadPlan{Rate: 150, Scenario: "requests: [{steps: [{get: /}, {get: /a}]}]"}, "300 requests/s"},
		"too long phases":        {api.LoadPlan{Scenario: "phases: [{rate: 1, for: 10m}, {rate: 1, for: 6m}]"}, "at most 15m"},
		"a private app":          {api.LoadPlan{Private: true}, "hello is private, and would answer each request with 401"},
		"a condition unheard of": {api.LoadPlan{Ensure: []string{"often"}}, "is not a condition"},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			c.p.Tenant, c.p.App, c.p.Paths = "acme", "hello", []string{"/"}
			if c.p.Rate == 0 {
				c.p.Rate = 10
			}
			if c.p.Lasting == 0 {
				c.p.Lasting = time.Minute
			}
			_, err := l.Begin(t.Context(), c.p)
			if invalid, ok := errors.AsType[*paas.Invalid](err); !ok || !strings.Contains(invalid.Reason, c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("an app that wants https gets requests as from a TLS proxy, and a private one with the scenario's password", func(t *testing.T) {
		p := api.LoadPlan{Tenant: "acme", App: "hello", Rate: 10, Lasting: time.Minute, Paths: []string{"/"}}
		if plan, _, err := l.plan(p); err != nil || plan.Headers.Get("X-Forwarded-Proto") != "" {
			t.Errorf("plain: %v, %v", plan.Headers, err)
		}
		p.HTTPS, p.Private, p.Scenario = true, true, "headers: {authorization: Basic YTpi}"
		if plan, _, err := l.plan(p); err != nil || plan.Headers.Get("X-Forwarded-Proto") != "https" || plan.Headers.Get("Authorization") != "Basic YTpi" {
			t.Errorf("https: %v, %v", plan.Headers, err)
		}
		cfg.Router.TLS.Redirect = true
		all := newLoadTester(t.Context(), cfg, &keptTests{}, nil, slog.New(slog.DiscardHandler))
		p.HTTPS = false
		if plan, _, err := all.plan(p); err != nil || plan.Headers.Get("X-Forwarded-Proto") != "https" {
			t.Errorf("router.tls.redirect: %v, %v", plan.Headers, err)
		}
	})
	t.Run("a scenario's own bounds stay below those of the configuration", func(t *testing.T) {
		plan, whole, err := l.plan(api.LoadPlan{Tenant: "acme", App: "hello", Rate: 10, Lasting: time.Minute, Scenario: "app: hello\ntimeout: 5h\nmax_in_flight: 5000\nphases: [{rate: 5, for: 2m}]"})
		if err != nil || plan.Timeout != maxLoadTimeout || plan.MaxInFlight != 100 || plan.Host != "hello.acme.localhost" || whole.Duration != 2*time.Minute || whole.Most() != 5 {
			t.Errorf("%+v, %v", plan, err)
		}
	})
}
