package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"kurama/internal/config"
	"kurama/paas"
	"kurama/paas/api"
	"kurama/sdk/reqsim"
)

// Of the requests that the console's users let simulate: runs at a time on the
// whole platform, and requests at a time of each.
const (
	maxRuns     = 4
	maxInFlight = 100
)

// simulator sends simulated requests through the router, as reqsim does.
type simulator struct {
	ctx    context.Context // of the role: its end ends every run
	router string          // host:port
	domain string
	log    *slog.Logger

	mu      sync.Mutex
	running map[string]bool // by host name
	runs    sync.WaitGroup
}

// newSimulator returns a simulator whose runs end with ctx.
func newSimulator(ctx context.Context, cfg config.Config, log *slog.Logger) *simulator {
	host, port, _ := net.SplitHostPort(cfg.Router.Listen) // the configuration was checked
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return &simulator{ctx: ctx, router: net.JoinHostPort(host, port), domain: cfg.Domain, log: log, running: map[string]bool{}}
}

// Simulate begins a run. It returns paas.ErrConflict, wrapped, where one of the
// same app or as many as are allowed are under way.
func (s *simulator) Simulate(t api.Traffic) error {
	host := paas.Hosts(t.Tenant, t.App, s.domain)[0]
	if err := s.begin(host); err != nil {
		return err
	}
	plan := reqsim.Plan{URL: "http://" + s.router, Host: host, Rate: t.Rate, Duration: t.Lasting, MaxInFlight: maxInFlight}
	for _, path := range t.Paths {
		plan.Paths = append(plan.Paths, reqsim.Path{Path: path, Weight: 1})
	}
	s.runs.Go(func() {
		defer s.end(host)
		if _, err := reqsim.Run(s.ctx, plan, func(reqsim.Snapshot) {}); err != nil && s.ctx.Err() == nil {
			s.log.Warn("simulated requests could not be sent", "tenant", t.Tenant, "app", t.App, "err", err)
		}
	})
	return nil
}

func (s *simulator) begin(host string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[host] {
		return fmt.Errorf("simulated requests to %s are under way: %w", host, paas.ErrConflict)
	}
	if len(s.running) >= maxRuns {
		return fmt.Errorf("%d apps are being sent simulated requests: %w", maxRuns, paas.ErrConflict)
	}
	s.running[host] = true
	return nil
}

func (s *simulator) end(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, host)
}

// wait returns once every run has ended.
func (s *simulator) wait() { s.runs.Wait() }
