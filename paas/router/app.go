package router

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kurama/internal/config"
	"kurama/paas"
)

// Why a request got no target.
var (
	errQueueFull = errors.New("the queue of the app is full")
	errQueueWait = errors.New("no replica became free in time")
	errHoldWait  = errors.New("no replica came up in time")
	errNoReplica = errors.New("the app has no replica")
)

// app balances the requests of one app over its targets. It outlives tables.
type app struct {
	tenant, name string
	cfg          config.Router
	log          *slog.Logger
	knock        func(*app)    // tells at once that a request waits for an app that sleeps
	perTarget    int           // requests in flight per target
	queueLimit   int           // requests that wait
	holdTimeout  time.Duration // wait for a first target
	queueTimeout time.Duration // wait for a free one

	gate   atomic.Pointer[gate]        // nil: open to all
	canary atomic.Pointer[paas.Canary] // nil: none
	bounds atomic.Pointer[bounds]      // of one request; there from the first table on
	static atomic.Pointer[statics]     // nil: none

	mu       sync.Mutex
	state    paas.AppState
	targets  []*target
	draining []*target // left the table, still at work
	waiting  []*waiter // longest first
	changed  chan struct{}
	turn     int // where the next look over targets begins
	level    level

	told time.Time // when a sample last said that nothing is asked for; the sampler's own

	requests  atomic.Int64 // since the last sample
	classes   [6]atomic.Int64
	ejections atomic.Int64
}

// waiter is a request that waits for a target.
type waiter struct{ grant chan grant }

type grant struct {
	target *target
	err    error
}

func newApp(tenant, name string, cfg config.Router, log *slog.Logger, knock func(*app)) *app {
	return &app{
		tenant: tenant, name: name, cfg: cfg, log: log, knock: knock,
		perTarget: max(cfg.InFlight, 1), queueLimit: cfg.QueueLimit,
		holdTimeout: cfg.HoldTimeout, queueTimeout: cfg.RequestTimeout,
		changed: make(chan struct{}),
	}
}

func (a *app) key() string { return a.tenant + "/" + a.name }

// acquire returns the target that is likely to answer first, with one request in
// flight more, the caller's, who must release it. Targets in tried are taken only
// when nothing else is there. It waits while all are busy or none is up yet.
func (a *app) acquire(ctx context.Context, tried []*target, want choice) (*target, error) {
	now := time.Now()
	a.mu.Lock()
	if t := a.pick(now, tried, want); t != nil {
		t.inflight++
		t.asked(now)
		a.level.add(1, now)
		a.mu.Unlock()
		return t, nil
	}
	timeout, late := a.queueTimeout, errQueueWait
	if len(a.targets) == 0 {
		if !a.coming() {
			a.mu.Unlock()
			return nil, errNoReplica
		}
		timeout, late = a.holdTimeout, errHoldWait
	}
	if len(a.waiting) >= a.queueLimit {
		a.mu.Unlock()
		return nil, errQueueFull
	}
	w := &waiter{grant: make(chan grant, 1)}
	a.waiting = append(a.waiting, w)
	a.level.add(1, now)
	knocks := a.state == paas.AppAsleep && len(a.waiting) == 1
	a.mu.Unlock()
	if knocks {
		a.knock(a)
	}
	return a.wait(ctx, w, timeout, late)
}

func (a *app) wait(ctx context.Context, w *waiter, timeout time.Duration, late error) (*target, error) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	var err error
	select {
	case g := <-w.grant:
		return g.target, g.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = late
	}
	a.mu.Lock()
	if i := slices.Index(a.waiting, w); i >= 0 {
		a.waiting = slices.Delete(a.waiting, i, i+1)
		a.level.add(-1, time.Now())
	}
	a.mu.Unlock()
	select {
	case g := <-w.grant: // granted in the same moment
		if g.target != nil && ctx.Err() != nil {
			a.began(g.target, time.Now(), false, nil, errClient)
			a.release(g.target)
			return nil, err
		}
		return g.target, g.err
	default:
		return nil, err
	}
}

// pick returns the target with room that is likely to answer first, or nil: the
// one with the fewest requests in flight, where one that is slower than the
// fastest counts them as often as it is slower, and a new one as often as it is
// not warm yet. The caller holds mu.
func (a *app) pick(now time.Time, tried []*target, want choice) *target {
	var best *target
	bestCost := 0.0
	fastest := a.fastest(now)
	a.turn++
	for i := range a.targets {
		t := a.targets[(a.turn+i)%len(a.targets)]
		a.silent(t, now, fastest)
		if t.inflight >= a.perTarget {
			continue
		}
		cost := float64(t.inflight+1) * t.slowness(now, fastest) / t.warmth(now, a.cfg.SlowStart)
		if now.Before(t.downUntil) || t.out(now) {
			cost += 1e9
		}
		if !want.fits(t) {
			cost += 1e8 // of the other release only where its own has no room
		}
		if slices.Contains(tried, t) {
			cost += 1e10
		}
		if best == nil || cost < bestCost {
			best, bestCost = t, cost
		}
	}
	return best
}

// coming reports whether replicas are on their way while none is there. The
// caller holds mu.
func (a *app) coming() bool {
	return a.state == paas.AppRunning || a.state == paas.AppDeploying || a.state == paas.AppAsleep
}

// release gives the caller's request on t back, to the longest waiting one.
func (a *app) release(t *target) {
	a.mu.Lock()
	t.inflight--
	a.level.add(-1, time.Now())
	if t.inflight == 0 && t.left {
		a.draining = slices.DeleteFunc(a.draining, func(d *target) bool { return d == t })
	}
	a.grantWaiting()
	a.mu.Unlock()
}

// grantWaiting gives free targets to those who wait. The caller holds mu.
func (a *app) grantWaiting() {
	for len(a.waiting) > 0 {
		now := time.Now()
		t := a.pick(now, nil, choice{})
		if t == nil {
			return
		}
		t.inflight++
		t.asked(now)
		a.waiting[0].grant <- grant{target: t}
		a.waiting = slices.Delete(a.waiting, 0, 1)
	}
}

// update puts the targets of a new table in the place of the old ones.
func (a *app) update(state paas.AppState, targets []paas.Target) {
	now := time.Now()
	a.mu.Lock()
	known := append(a.targets, a.draining...)
	next := make([]*target, 0, len(targets))
	for _, want := range targets {
		i := slices.IndexFunc(known, func(t *target) bool { return t.Target == want })
		if i < 0 {
			next = append(next, newTarget(want, now))
			continue
		}
		known[i].left = false
		known[i].revive()
		next = append(next, known[i])
	}
	var left []*target
	a.draining = nil
	for _, t := range known {
		if slices.Contains(next, t) {
			continue
		}
		t.left = true
		left = append(left, t)
		if t.inflight > 0 {
			a.draining = append(a.draining, t)
		}
	}
	a.state, a.targets = state, next
	close(a.changed)
	a.changed = make(chan struct{})
	a.grantWaiting()
	if len(next) == 0 && !a.coming() {
		for _, w := range a.waiting {
			w.grant <- grant{err: errNoReplica}
		}
		a.level.add(-len(a.waiting), time.Now())
		a.waiting = nil
	}
	a.mu.Unlock()
	for _, t := range left {
		t.retire()
	}
}

// down notes that t refused a connection, so that others are preferred for a
// while, and returns a channel that closes at the next table.
func (a *app) down(t *target) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	t.downUntil = time.Now().Add(refusedPause)
	return a.changed
}

// others reports whether a target is there that is not in tried.
func (a *app) others(tried []*target) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(a.targets, func(t *target) bool { return !slices.Contains(tried, t) })
}

// concurrency returns the mean of requests in flight or waiting since it was
// last asked for.
func (a *app) concurrency(now time.Time) float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.level.mean(now)
}

// load returns what a sample says of the app.
func (a *app) load() (inflight, queued, targets int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.targets {
		inflight += t.inflight
	}
	for _, t := range a.draining {
		inflight += t.inflight
	}
	return inflight, len(a.waiting), len(a.targets)
}

// count adds the requests in flight per replica to counts and returns how many
// replicas of the app it saw.
func (a *app) count(counts map[string]int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.targets {
		counts[t.Replica] += t.inflight
	}
	for _, t := range a.draining {
		counts[t.Replica] += t.inflight
	}
	return len(a.targets) + len(a.draining)
}

// hear adds to heard how often something came from each replica in the table.
func (a *app) hear(heard map[string]int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.targets {
		heard[t.Replica] += t.heard.Load()
	}
}

// currentState returns the state that the table gives.
func (a *app) currentState() paas.AppState {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state
}

// closeIdle closes connections that have been idle since before limit; the zero
// limit closes all.
func (a *app) closeIdle(limit time.Time) {
	a.mu.Lock()
	targets := slices.Clone(a.targets)
	a.mu.Unlock()
	for _, t := range targets {
		t.closeIdle(limit)
	}
}
