// Package autoscaler adds and removes replicas: it reads samples and requests
// from the tail of the stream, asks each running app's policy once per
// interval, and stores the decision and the wanted number of replicas at once.
//
// It goes by processing time: a figure counts when it is read, and one that
// comes late is left out. The windows live in memory; after a restart they are
// empty, so that nothing is scaled down before a full window was watched.
package autoscaler

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/logship/stream"
	"kurama/paas"
)

// Store is where apps with their policies are read from and decisions written
// to; store.Policies is one. Apply stores nothing, and reports false, where the
// app has changed meanwhile.
type Store interface {
	ScaledApps(ctx context.Context) ([]paas.ScaledApp, error)
	Apply(ctx context.Context, d paas.Decision) (applied bool, err error)
}

// Past tells what came before the autoscaler started: the requests of each
// minute from a whole one on.
type Past interface {
	Minutes(ctx context.Context, tenant, app string, from, to time.Time) ([]int, error)
}

// Sender takes event records for the stream; wire.Client is one. Send never
// blocks; false means dropped.
type Sender interface {
	Send(r *record.Record) bool
}

// Options are what the autoscaler works with. Store and Stream must be given.
type Options struct {
	Store    Store
	Stream   *stream.Stream
	Sender   Sender       // nil: no event records
	Past     Past         // nil: daily patterns show after two days only
	Listener net.Listener // serves /healthz, /readyz and /metrics; nil: none
	Log      *slog.Logger // nil: discarded
	Now      func() time.Time
}

// Autoscaler is the role autoscaler.
type Autoscaler struct {
	cfg     config.Autoscaler
	opts    Options
	log     *slog.Logger
	metrics *metrics
	apps    map[appKey]*app
	knocked bool
	scratch []byte // memory of a batch
}

// New returns the autoscaler; Run starts it.
func New(cfg config.Autoscaler, opts Options) *Autoscaler {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Autoscaler{cfg: cfg, opts: opts, log: opts.Log, metrics: newMetrics(opts.Stream), apps: map[appKey]*app{}}
}

// Run reads and decides until ctx ends; then it returns nil. While the stream
// or the database is away it decides nothing.
func (a *Autoscaler) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if a.opts.Listener != nil {
		g.Go(func() error { return a.metrics.serve(ctx, a.opts.Listener) })
	}
	g.Go(func() error { a.loop(ctx); return nil })
	return g.Wait()
}

// loop reads the tail of the stream, and decides once per interval. Trouble is
// told when it begins and when it is over.
func (a *Autoscaler) loop(ctx context.Context) {
	failed := false
	for ctx.Err() == nil {
		err := a.read(ctx, func() {
			a.metrics.ready.Store(true)
			if failed {
				failed = false
				a.log.Info("Autoscaling is well again.")
			}
		})
		if ctx.Err() != nil {
			return
		}
		a.metrics.ready.Store(false)
		if !failed {
			failed = true
			a.log.Error("Autoscaling is held up and will go on by itself.", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// read works on one reader until an error; well is called after each round of
// decisions.
func (a *Autoscaler) read(ctx context.Context, well func()) error {
	reader, err := a.opts.Stream.Tail(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	next := a.opts.Now()
	for ctx.Err() == nil {
		wait := min(max(next.Sub(a.opts.Now()), 0), a.cfg.Interval)
		batches, err := reader.Next(ctx, 256, wait)
		if err != nil {
			return err
		}
		for _, b := range batches {
			a.observe(b)
		}
		now := a.opts.Now()
		if a.knocked { // a request waits for an app that sleeps: it is woken at once
			a.knocked, next = false, now
		}
		if now.Before(next) && next.Sub(now) <= a.cfg.Interval {
			continue
		}
		next = now.Add(a.cfg.Interval)
		if !a.opts.Stream.Connected() { // no figures come: what the windows hold grows old
			a.metrics.ready.Store(false)
			continue
		}
		if err := a.runOnce(ctx, now); err != nil {
			return err
		}
		well()
	}
	return nil
}

// runOnce decides for every app that runs.
func (a *Autoscaler) runOnce(ctx context.Context, now time.Time) error {
	targets, err := a.opts.Store.ScaledApps(ctx)
	if err != nil {
		return err
	}
	asked := a.opts.Past == nil
	present := make(map[appKey]bool, len(targets))
	for _, t := range targets {
		key := appKey{t.Tenant, t.App}
		present[key] = true
		if a.apps[key] == nil {
			a.apps[key] = newApp(t, now)
		}
		if !asked && !a.apps[key].asked && t.Policy.Name == paas.PolicySwift { // one in a round: it takes a moment
			asked = true
			a.remember(ctx, now, a.apps[key], key)
		}
		if err := a.decide(ctx, now, a.apps[key], t); err != nil {
			return err
		}
	}
	for key := range a.apps {
		if !present[key] {
			delete(a.apps, key)
		}
	}
	a.metrics.apps.Set(float64(len(a.apps)))
	return nil
}

const (
	pastSpan    = 49 * time.Hour // two days, and the hour that is compared with them
	pastTimeout = 5 * time.Second
)

// remember reads what came for an app in the days before. Without it, its daily
// pattern shows after two days.
func (a *Autoscaler) remember(ctx context.Context, now time.Time, app *app, key appKey) {
	app.asked = true
	ctx, cancel := context.WithTimeout(ctx, pastTimeout)
	defer cancel()
	to := now.Truncate(time.Minute)
	from := to.Add(-pastSpan)
	counts, err := a.opts.Past.Minutes(ctx, key.tenant, key.app, from, to)
	if err != nil {
		a.log.Warn("What came in the days before is not known: a daily pattern shows after two days.", "tenant", key.tenant, "app", key.app, "error", err)
		return
	}
	rates := make([]float64, len(counts))
	for i, n := range counts {
		rates[i] = float64(n) / 60
	}
	app.Remember(from, rates)
}

// decide asks the policy of one app and carries out what it says.
func (a *Autoscaler) decide(ctx context.Context, now time.Time, app *app, t paas.ScaledApp) error {
	app.look(now, t)
	d := app.Decide(now)
	d.Tenant, d.App = t.Tenant, t.App
	asked := d.Valid
	if asked {
		applied, err := a.opts.Store.Apply(ctx, d)
		refused, isRefused := errors.AsType[*paas.Invalid](err)
		switch {
		case isRefused: // by the tenant's quota, until that has room
			d.Valid, d.Reason = false, refused.Reason
		case err != nil:
			return err
		case !applied: // somebody else changed the app: the next round sees how
			return nil
		}
	}
	if d.Valid {
		a.log.Info("An app is scaled.", "tenant", d.Tenant, "app", d.App, "from", d.From, "to", d.To, "reason", d.Reason)
		a.metrics.decided(d)
		a.announce(d)
	}
	if held := !d.Valid && d.Reason != ""; held != app.held {
		if app.held = held; held {
			a.log.Info("An app is not scaled.", "tenant", d.Tenant, "app", d.App, "replicas", d.From, "reason", d.Reason)
		}
	}
	if d.Valid == asked { // what was refused leaves the policy's state as it was
		app.Carried(d)
	}
	return nil
}

// announce sends the event record of a decision that is stored. It may be lost
// in a crash; the decision is not.
func (a *Autoscaler) announce(d paas.Decision) {
	if a.opts.Sender == nil {
		return
	}
	extra, _ := json.Marshal(map[string]any{"event": "scaled", "from": d.From, "to": d.To}) // cannot fail
	r := &record.Record{Time: d.At, ID: record.NewID(d.At), Kind: record.KindEvent, Level: record.LevelInfo,
		Tenant: d.Tenant, App: d.App, Msg: d.Reason, Extra: extra}
	if !a.opts.Sender.Send(r) {
		a.log.Warn("The event record of a decision was dropped: the agent does not keep up.", "app", d.App)
	}
}
