package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/paas"
	"kurama/paas/api"
)

func TestSimulatedTrafficGoesThroughTheRouter(t *testing.T) {
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
	ctx, stop := context.WithCancel(t.Context())
	s := newSimulator(ctx, cfg, slog.New(slog.DiscardHandler))
	traffic := api.Traffic{Tenant: "acme", App: "hello", Paths: []string{"/a"}, Rate: 50, Lasting: time.Hour, Ensure: []string{"error_rate == 0%"}}
	must(t, s.Simulate(traffic))

	if err := s.Simulate(traffic); !errors.Is(err, paas.ErrConflict) {
		t.Errorf("a second run is %v", err)
	}
	for _, app := range []string{"b", "c", "d"} {
		must(t, s.begin(app))
	}
	if err := s.begin("e"); !errors.Is(err, paas.ErrConflict) {
		t.Errorf("the fifth app is %v", err)
	}
	for deadline := time.Now().Add(20 * time.Second); asked.Load() < 5; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d requests came", asked.Load())
		}
	}
	if runs := s.Runs("acme", "hello"); len(runs) != 1 || runs[0].State != "running" || !s.StopRun("acme", "hello") || s.StopRun("acme", "b") {
		t.Errorf("%+v", runs)
	}
	s.wait()
	if runs := s.Runs("acme", "hello"); runs[0].State != "stopped" || !strings.Contains(string(runs[0].Report), `"series"`) || runs[0].Holds == nil || !*runs[0].Holds {
		t.Errorf("%+v", runs)
	}
	traffic.Ensure = []string{"often"}
	if err := s.Simulate(traffic); err == nil || !strings.Contains(err.Error(), "is not a condition") {
		t.Errorf("%v", err)
	}
	stop()
	if strange.Load() > 0 || s.running["hello.acme.localhost"] {
		t.Errorf("%d requests went elsewhere; running %v", strange.Load(), s.running)
	}
}
