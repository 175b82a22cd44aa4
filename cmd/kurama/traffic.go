package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

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
	kept    map[string][]*trafficRun
	runs    sync.WaitGroup
}

// keptRuns is how many runs of an app are remembered.
const keptRuns = 10

// trafficRun is a run with what ends it. The simulator's mu guards it.
type trafficRun struct {
	api.TrafficRun
	stop context.CancelFunc
}

// newSimulator returns a simulator whose runs end with ctx.
func newSimulator(ctx context.Context, cfg config.Config, log *slog.Logger) *simulator {
	host, port, _ := net.SplitHostPort(cfg.Router.Listen) // the configuration was checked
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return &simulator{ctx: ctx, router: net.JoinHostPort(host, port), domain: cfg.Domain, log: log, running: map[string]bool{}, kept: map[string][]*trafficRun{}}
}

// Simulate begins a run. It returns paas.ErrConflict, wrapped, where one of the
// same app or as many as are allowed are under way, and *paas.Invalid where the
// run cannot be.
func (s *simulator) Simulate(t api.Traffic) error {
	host := paas.Hosts(t.Tenant, t.App, s.domain)[0]
	plan := reqsim.Plan{URL: "http://" + s.router, Host: host, Shape: reqsim.Shape(t.Shape), Rate: t.Rate, Peak: cmp.Or(t.Peak, t.Rate), Duration: t.Lasting, MaxInFlight: maxInFlight}
	for _, path := range t.Paths {
		plan.Paths = append(plan.Paths, reqsim.Path{Path: path, Weight: 1})
	}
	for _, text := range t.Ensure {
		e, err := reqsim.ParseEnsure(text)
		if err != nil {
			return &paas.Invalid{Reason: err.Error()}
		}
		plan.Ensure = append(plan.Ensure, e)
	}
	if err := s.begin(host); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(s.ctx)
	run := s.keep(host, t, stop)
	s.runs.Go(func() {
		defer s.end(host)
		defer stop()
		report, err := reqsim.Run(ctx, plan, func(now reqsim.Snapshot) { s.progress(run, now) })
		if err != nil && s.ctx.Err() == nil {
			s.log.Warn("simulated requests could not be sent", "tenant", t.Tenant, "app", t.App, "err", err)
		}
		s.over(run, report, ctx.Err() != nil)
	})
	return nil
}

// keep remembers a run that begins.
func (s *simulator) keep(host string, t api.Traffic, stop context.CancelFunc) *trafficRun {
	now := time.Now().UTC()
	run := &trafficRun{TrafficRun: api.TrafficRun{Began: now, Ends: now.Add(t.Lasting), State: "running", Shape: cmp.Or(t.Shape, string(reqsim.Constant))}, stop: stop}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[host] = append([]*trafficRun{run}, s.kept[host]...)
	s.kept[host] = s.kept[host][:min(len(s.kept[host]), keptRuns)]
	return run
}

func (s *simulator) progress(run *trafficRun, now reqsim.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	run.Answered, run.Failed, run.Rate, run.P50, run.P95, run.P99 = now.Answered, now.Failed, now.Rate, now.P50, now.P95, now.P99
}

// over keeps the report of a run that has ended.
func (s *simulator) over(run *trafficRun, report reqsim.Report, stopped bool) {
	text, err := json.Marshal(report)
	s.mu.Lock()
	defer s.mu.Unlock()
	if run.State = "done"; stopped {
		run.State = "stopped"
	}
	if run.Rate = report.Rate; err == nil {
		run.Report = text
	}
	if len(report.Ensure) > 0 {
		holds := report.Holds()
		run.Holds = &holds
	}
}

// Runs returns the last runs against an app, newest first.
func (s *simulator) Runs(tenant, app string) (list []api.TrafficRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, run := range s.kept[paas.Hosts(tenant, app, s.domain)[0]] {
		list = append(list, run.TrafficRun)
	}
	return list
}

// StopRun ends the run under way against an app; false where there is none.
func (s *simulator) StopRun(tenant, app string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, run := range s.kept[paas.Hosts(tenant, app, s.domain)[0]] {
		if run.State == "running" {
			run.stop()
			return true
		}
	}
	return false
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
