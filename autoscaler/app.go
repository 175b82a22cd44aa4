package autoscaler

import (
	"encoding/json"
	"strings"
	"time"

	"kurama/autoscaler/window"
	"kurama/logship/record"
	"kurama/logship/stream"
	"kurama/paas"
)

const (
	sampleAge  = 3 * time.Second  // a replica's sample older than this is no part of the mean
	requestAge = 60 * time.Second // a request that is read later than this after its time is left out
	router     = "router"         // the replica of samples that are about an app's queue
)

// appKey names an app.
type appKey struct{ tenant, app string }

// app is what the autoscaler knows of one app.
type app struct {
	policy   paas.Policy
	state    State
	watched  time.Time // since when the windows are filling
	held     bool      // it was told that what the figures ask for is not done
	replicas map[string]sample
	load     *window.Values
	times    *window.Sketches
}

// sample is the last CPU figure of a replica.
type sample struct {
	at      time.Time // as read
	release int
	cpu     float64 // percent of the replica's limit
}

func newApp(t Target, now time.Time) *app {
	a := &app{replicas: map[string]sample{}, state: State{Desired: t.Desired, Release: t.Release, Changed: t.Decided}}
	if t.Decided.After(now) { // the clock was set back meanwhile
		a.state.Changed = now
	}
	a.usePolicy(t.Policy, now)
	return a
}

// usePolicy takes a policy over; windows of another length begin empty.
func (a *app) usePolicy(p paas.Policy, now time.Time) {
	if a.load == nil || a.policy.LoadWindow != p.LoadWindow || a.policy.TimeWindow != p.TimeWindow {
		a.load, a.times = window.NewValues(seconds(p.LoadWindow)), window.NewSketches(seconds(p.TimeWindow))
		a.watched = now
	}
	a.policy = p
}

// reset empties the windows, so that figures of before a change do not cause
// another one.
func (a *app) reset(now time.Time) {
	a.load.Reset()
	a.times.Reset()
	a.watched = now
}

// follow takes over what others changed since the last round, and adds the
// load of this round to the window.
func (a *app) follow(now time.Time, t Target) {
	if t.Policy != a.policy {
		a.usePolicy(t.Policy, now)
	}
	if t.Release != a.state.Release {
		a.state.Futile = 0 // another program
	}
	if t.Desired != a.state.Desired || t.Release != a.state.Release {
		a.state.Desired, a.state.Release, a.state.Changed = t.Desired, t.Release, now
		a.reset(now)
	}
	if now.Before(a.state.Last) { // the clock went back: what the windows hold lies in the future
		a.reset(now)
		a.state.Changed = now
	}
	a.state.Deploying = t.Deploying
	if v, ok := a.meanLoad(now); ok {
		a.load.Add(now, v)
	}
}

// meanLoad returns the mean CPU percentage over the replicas of the live
// release that have told theirs lately, and whether there is one.
func (a *app) meanLoad(now time.Time) (mean float64, ok bool) {
	sum, n := 0.0, 0
	for id, s := range a.replicas {
		switch {
		case now.Sub(s.at).Abs() > sampleAge:
			delete(a.replicas, id)
		case s.release == a.state.Release:
			sum += s.cpu
			n++
		}
	}
	if n == 0 {
		return 0, false
	}
	return sum / float64(n), true
}

// samples reads the windows.
func (a *app) samples(now time.Time) Samples {
	var s Samples
	s.Load.P95, s.Load.Count = a.load.Quantile(now, 0.95)
	s.Time.P95, s.Time.Count = a.times.Quantile(now, 0.95)
	s.Load.Span = min(now.Sub(a.watched), seconds(a.policy.LoadWindow))
	s.Time.Span = min(now.Sub(a.watched), seconds(a.policy.TimeWindow))
	return s
}

// observe takes the figures of a batch that concern known apps.
func (a *Autoscaler) observe(b stream.Batch) {
	now := a.opts.Now()
	err := record.Each(b.Data, func(r *record.Record) error {
		if r.Kind != record.KindSample && r.Kind != record.KindRequest {
			return nil
		}
		app := a.apps[appKey{r.Tenant, r.App}]
		if app == nil {
			return nil
		}
		late := now.Sub(r.Time)
		switch {
		case r.Kind == record.KindRequest && r.Dur.Known && late <= requestAge:
			app.times.Add(now, r.Dur.Value)
		case r.Kind == record.KindSample && r.CPU.Known && r.Replica != router && late <= sampleAge:
			app.replicas[strings.Clone(r.Replica)] = sample{at: now, release: r.Release, cpu: r.CPU.Value}
		}
		return nil
	})
	if err != nil { // the rest of a batch that cannot be read is left out: no retry would mend it
		a.log.Warn("A batch could not be read to its end.", "seq", b.Seq, "host", b.Host, "error", err)
	}
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
