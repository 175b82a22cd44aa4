package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

const (
	maxLoadTests   = 4                // at a time on the whole platform
	loadTestGrace  = 10 * time.Second // after its end, for visits that are under way
	keepingTimeout = 10 * time.Second // of a write of what came of a load test
)

// loadTestStore keeps load tests; store.Store is one.
type loadTestStore interface {
	AddLoadTest(ctx context.Context, tenant, app string, t paas.LoadTest) (int64, error)
	EndLoadTest(ctx context.Context, tenant, app string, t paas.LoadTest) error
}

// loadTester sends simulated requests through the router, as reqsim does. They
// are sent by this role: at the rates that it is bound to that takes a few
// percent of a core.
type loadTester struct {
	ctx    context.Context // of the role: its end ends every run
	router string          // host:port
	domain string
	https  bool // the router leads all visitors without TLS elsewhere
	bounds config.Reqsim
	kept   loadTestStore
	watch  func(tenant, app string) reqsim.Watch // nil: nobody watches the app
	log    *slog.Logger

	mu      sync.Mutex
	running map[string]*loadRun // by tenant
	runs    sync.WaitGroup
}

// loadRun is a load test that is under way. The tester's mu guards it.
type loadRun struct {
	tenant, app string
	told        paas.LoadTest
	points      []reqsim.Point
	stop        context.CancelFunc
}

// newLoadTester returns a load tester whose runs end with ctx.
func newLoadTester(ctx context.Context, cfg config.Config, kept loadTestStore, watch func(tenant, app string) reqsim.Watch, log *slog.Logger) *loadTester {
	host, port, _ := net.SplitHostPort(cfg.Router.Listen) // the configuration was checked
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return &loadTester{ctx: ctx, router: net.JoinHostPort(host, port), domain: cfg.Domain, https: cfg.Router.TLS.Redirect, bounds: cfg.Reqsim, kept: kept, watch: watch, log: log,
		running: map[string]*loadRun{}}
}

// Begin begins a load test.
func (l *loadTester) Begin(ctx context.Context, p api.LoadPlan) (paas.LoadTest, error) {
	plan, whole, err := l.plan(p)
	if err != nil {
		return paas.LoadTest{}, &paas.Invalid{Reason: err.Error()}
	}
	now := time.Now().UTC()
	told := paas.LoadTest{By: p.By, Began: now, Ends: now.Add(whole.Duration), State: paas.LoadTestRunning, Shape: string(whole.Shape), Scenario: p.Scenario}
	testing, stop := context.WithCancel(l.ctx)
	run := &loadRun{tenant: p.Tenant, app: p.App, told: told, stop: stop}
	if err := l.reserve(run); err != nil {
		stop()
		return told, err
	}
	id, err := l.kept.AddLoadTest(ctx, p.Tenant, p.App, told)
	if err != nil {
		stop()
		l.release(run)
		return told, err
	}
	l.mu.Lock()
	run.told.ID = id
	told = run.told
	l.mu.Unlock()
	l.runs.Go(func() {
		defer stop()
		l.run(testing, run, plan, whole)
	})
	return told, nil
}

// run sends the requests and keeps what came of them.
func (l *loadTester) run(ctx context.Context, run *loadRun, plan, whole reqsim.Plan) {
	defer l.release(run)
	sending, cancel := context.WithTimeout(ctx, whole.Duration+whole.Timeout+loadTestGrace)
	defer cancel()
	report, err := reqsim.Run(sending, plan, func(now reqsim.Snapshot) { l.progress(run, now) })
	if err != nil {
		l.log.Warn("simulated requests could not be sent", "tenant", run.tenant, "app", run.app, "err", err)
	}
	told := l.over(run, report, whole.Most(), ctx.Err() != nil)
	keeping, done := context.WithTimeout(paas.ForTenant(context.WithoutCancel(ctx), run.tenant), keepingTimeout)
	defer done()
	if err := l.kept.EndLoadTest(keeping, run.tenant, run.app, told); err != nil && !errors.Is(err, paas.ErrNotFound) { // the app may have been deleted
		l.log.Error("the report of a load test is lost", "tenant", run.tenant, "app", run.app, "err", err)
	}
}

// reserve lets one load test of a tenant run at a time.
func (l *loadTester) reserve(run *loadRun) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if other := l.running[run.tenant]; other != nil {
		return fmt.Errorf("simulated requests to %s are under way, until %s: %w", other.app, other.told.Ends.Format("15:04:05 MST"), paas.ErrConflict)
	}
	if len(l.running) >= maxLoadTests {
		return fmt.Errorf("%d load tests are under way, which is as many as the platform takes: %w", maxLoadTests, paas.ErrConflict)
	}
	l.running[run.tenant] = run
	return nil
}

func (l *loadTester) release(run *loadRun) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.running, run.tenant)
}

func (l *loadTester) progress(run *loadRun, now reqsim.Snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &run.told
	t.Wanted, t.Answered, t.Failed, t.Rate, t.P50, t.P95, t.P99 = now.Wanted, now.Answered, now.Failed, now.Rate, now.P50, now.P95, now.P99
	run.points = now.Points
}

// over returns what came of a run that has ended.
func (l *loadTester) over(run *loadRun, report reqsim.Report, most float64, stopped bool) paas.LoadTest {
	text, err := json.Marshal(report)
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &run.told
	if t.State = paas.LoadTestDone; stopped {
		t.State = paas.LoadTestStopped
	}
	if t.Rate, t.Wanted, t.Ends = report.Rate, most, time.Now().UTC(); err == nil {
		t.Report = text
	}
	if len(report.Ensure) > 0 {
		holds := report.Holds()
		t.Holds = &holds
	}
	return *t
}

// Live returns a load test that is under way with its last seconds.
func (l *loadTester) Live(id int64) (paas.LoadTest, bool) {
	run := l.find(id)
	if run == nil {
		return paas.LoadTest{}, false
	}
	l.mu.Lock()
	t, points := run.told, run.points
	l.mu.Unlock()
	t.Series, _ = json.Marshal(points) // numbers: it cannot fail
	return t, true
}

// Stop ends a load test; false where it is not under way.
func (l *loadTester) Stop(id int64) bool {
	run := l.find(id)
	if run != nil {
		run.stop()
	}
	return run != nil
}

func (l *loadTester) find(id int64) *loadRun {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, run := range l.running {
		if run.told.ID == id && id > 0 {
			return run
		}
	}
	return nil
}

// wait returns once every run has ended.
func (l *loadTester) wait() { l.runs.Wait() }

// reportFiles makes files of the simulator's reports.
type reportFiles struct{}

// Write returns a report in a format.
func (reportFiles) Write(text json.RawMessage, format string) ([]byte, error) {
	var r reqsim.Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("reading the report: %w", err)
	}
	return reportAs(r, format)
}

// reportAs returns a report as html, csv, json or plain text.
func reportAs(r reqsim.Report, format string) ([]byte, error) {
	switch format {
	case "html":
		page := bytes.Buffer{}
		err := r.HTML(&page)
		return page.Bytes(), err
	case "csv":
		return []byte(r.CSV()), nil
	case "json":
		return r.JSON()
	}
	return []byte(r.Text()), nil
}
