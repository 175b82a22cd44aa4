// Package watch keeps what is known of one app over time and asks its policy:
// the windows of figures, what empties them, and the policy's state. The role
// feeds it from the stream, the simulator from its plant.
package watch

import (
	"slices"
	"time"

	"kurama/autoscaler/policy"
	"kurama/autoscaler/window"
	"kurama/paas"
)

// swiftTimes is the window of response times that the policy swift goes by.
const swiftTimes = time.Minute

// App is what is known of one app. It is not safe for concurrent use.
type App struct {
	policy  paas.Policy
	state   policy.State
	next    policy.State // as of the last decision
	watched time.Time    // since when the windows are filling
	seconds []policy.Second
	load    *window.Values
	times   *window.Sketches
	days    *window.Days // nil: the policy does not go by them
}

// New begins to watch an app: its windows are empty.
func New(t paas.ScaledApp, now time.Time) *App {
	a := &App{state: policy.State{Desired: t.Desired, Asleep: t.Asleep, Release: t.Release, Changed: t.Decided}}
	if t.Decided.After(now) { // the clock was set back meanwhile
		a.state.Changed = now
	}
	a.usePolicy(t.Policy, now)
	return a
}

// Policy returns the policy in force.
func (a *App) Policy() paas.Policy { return a.policy }

// Release returns the live release.
func (a *App) Release() int { return a.state.Release }

// usePolicy takes a policy over; windows of another length begin empty, and
// another policy remembers nothing.
func (a *App) usePolicy(p paas.Policy, now time.Time) {
	if p.Name != a.policy.Name {
		a.state = policy.State{Desired: a.state.Desired, Asleep: a.state.Asleep, Release: a.state.Release, Changed: a.state.Changed, Last: a.state.Last}
	}
	load, times := windows(p)
	if a.load == nil || a.load.Length() != load || a.times.Length() != times {
		a.load, a.times = window.NewValues(load), window.NewSketches(times)
		a.watched = now
	}
	if p.Name == paas.PolicySwift && a.days == nil {
		a.days = &window.Days{}
	}
	a.policy = p
}

// ahead is how much longer than a start takes a daily pattern is looked ahead:
// its figures are those of minutes.
const ahead = time.Minute

// Remember adds what is known of the time before the app was watched: the mean
// rate (1/s) of each minute from a time on.
func (a *App) Remember(from time.Time, rates []float64) {
	for i, rate := range rates {
		if a.days != nil {
			a.days.Remember(from.Add(time.Duration(i)*time.Minute), rate)
		}
	}
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
func (a *App) reset(now time.Time) {
	a.load.Reset()
	a.times.Reset()
	a.watched = now
}

// Follow takes over what others changed since the last round, as t tells it.
// It reports whether the clock went back meanwhile: what was known then lies in
// the future, and is forgotten.
func (a *App) Follow(now time.Time, t paas.ScaledApp) (back bool) {
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
	if back = now.Before(a.state.Last); back {
		a.reset(now)
		a.seconds = nil
		a.state.Changed = now
	}
	a.state.Asleep = t.Asleep
	a.state.Deploying, a.state.Concurrency = t.Deploying, t.Concurrency
	return back
}

// Took adds the response time of one request, in ms.
func (a *App) Took(now time.Time, ms float64) { a.times.Add(now, ms) }

// Asleep reports whether the app has no replica.
func (a *App) Asleep() bool { return a.state.Asleep }

// Due reports whether a second is over since the last that was added.
func (a *App) Due(now time.Time) bool {
	n := len(a.seconds)
	return n == 0 || now.Sub(a.seconds[n-1].At) >= 900*time.Millisecond
}

// Add adds what a second told.
func (a *App) Add(s policy.Second) {
	if s.CPU.Known {
		a.load.Add(s.At, s.CPU.Value)
	}
	if a.days != nil && s.Arrived.Known {
		a.days.Add(s.At, s.Arrived.Value)
	}
	if len(a.seconds) >= 2*policy.Memory {
		a.seconds = slices.Clone(a.seconds[len(a.seconds)-policy.Memory:])
	}
	a.seconds = append(a.seconds, s)
}

// Decide asks the policy. The decision counts once Carried is called.
func (a *App) Decide(now time.Time) paas.Decision {
	d, next := policy.Decide(now, a.policy, a.state, a.samples(now))
	a.next = next
	return d
}

// Carried says that the last decision is carried out, if it asked for anything.
func (a *App) Carried(d paas.Decision) {
	a.state = a.next
	if d.Valid {
		a.reset(d.At)
	}
}

// samples reads the windows.
func (a *App) samples(now time.Time) policy.Samples {
	s := policy.Samples{Seconds: a.seconds}
	s.Time.P95, s.Time.Count = a.times.Quantile(now, 0.95)
	s.Time.Span = min(now.Sub(a.watched), a.times.Length())
	if a.policy.Name == paas.PolicySwift {
		s.Usual.Value, s.Usual.Known = a.days.Usual(now, ahead+seconds(a.state.Swift.Start))
	}
	if a.policy.Name == paas.PolicyKurama { // the only one that goes by it
		s.Load.P95, s.Load.Count = a.load.Quantile(now, 0.95)
		s.Load.Span = min(now.Sub(a.watched), a.load.Length())
	}
	return s
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
