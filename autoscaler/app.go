package autoscaler

import (
	"slices"
	"time"

	"kurama/autoscaler/policy"
	"kurama/autoscaler/window"
	"kurama/paas"
)

// swiftTimes is the window of response times that the policy swift goes by.
const swiftTimes = time.Minute

// appKey names an app.
type appKey struct{ tenant, app string }

// app is what the autoscaler knows of one app.
type app struct {
	policy  paas.Policy
	state   policy.State
	watched time.Time // since when the windows are filling
	held    bool      // it was told that what the figures ask for is not done
	figures figures
	seconds []policy.Second
	load    *window.Values
	times   *window.Sketches
}

func newApp(t paas.ScaledApp, now time.Time) *app {
	a := &app{figures: newFigures(), state: policy.State{Desired: t.Desired, Release: t.Release, Changed: t.Decided}}
	if t.Decided.After(now) { // the clock was set back meanwhile
		a.state.Changed = now
	}
	a.usePolicy(t.Policy, now)
	return a
}

// usePolicy takes a policy over; windows of another length begin empty, and
// another policy remembers nothing.
func (a *app) usePolicy(p paas.Policy, now time.Time) {
	if p.Name != a.policy.Name {
		a.state = policy.State{Desired: a.state.Desired, Release: a.state.Release, Changed: a.state.Changed, Last: a.state.Last}
	}
	load, times := windows(p)
	if a.load == nil || a.load.Length() != load || a.times.Length() != times {
		a.load, a.times = window.NewValues(load), window.NewSketches(times)
		a.watched = now
	}
	a.policy = p
}

// windows returns the windows of load and of response time that a policy asks for.
func windows(p paas.Policy) (load, times time.Duration) {
	if p.Name == paas.PolicySwift {
		return seconds(p.LoadWindow), swiftTimes
	}
	return seconds(p.LoadWindow), seconds(p.TimeWindow)
}

// reset empties the windows, so that figures of before a change do not cause
// another one.
func (a *app) reset(now time.Time) {
	a.load.Reset()
	a.times.Reset()
	a.watched = now
}

// follow takes over what others changed since the last round, and adds the
// figures of this round.
func (a *app) follow(now time.Time, t paas.ScaledApp) {
	if t.Policy != a.policy {
		a.usePolicy(t.Policy, now)
	}
	if t.Release != a.state.Release { // another program
		a.state.Kurama = policy.KuramaState{}
		a.state.Swift = policy.SwiftState{Start: a.state.Swift.Start}
	}
	if t.Desired != a.state.Desired || t.Release != a.state.Release {
		a.state.Desired, a.state.Release, a.state.Changed = t.Desired, t.Release, now
		a.reset(now)
	}
	if now.Before(a.state.Last) { // the clock went back: what the windows hold lies in the future
		a.reset(now)
		a.figures, a.seconds = newFigures(), nil
		a.state.Changed = now
	}
	a.state.Deploying, a.state.Concurrency = t.Deploying, t.Concurrency
	a.look(now)
}

// look turns what has come since the last look into one second; a look that
// comes sooner adds nothing.
func (a *app) look(now time.Time) {
	if n := len(a.seconds); n > 0 && now.Sub(a.seconds[n-1].At) < 900*time.Millisecond {
		return
	}
	s := a.figures.second(now, a.state.Release)
	if s.CPU.Known {
		a.load.Add(now, s.CPU.Value)
	}
	if len(a.seconds) >= 2*policy.Memory {
		a.seconds = slices.Clone(a.seconds[len(a.seconds)-policy.Memory:])
	}
	a.seconds = append(a.seconds, s)
}

// samples reads the windows.
func (a *app) samples(now time.Time) policy.Samples {
	s := policy.Samples{Seconds: a.seconds}
	s.Load.P95, s.Load.Count = a.load.Quantile(now, 0.95)
	s.Time.P95, s.Time.Count = a.times.Quantile(now, 0.95)
	s.Load.Span = min(now.Sub(a.watched), a.load.Length())
	s.Time.Span = min(now.Sub(a.watched), a.times.Length())
	return s
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
