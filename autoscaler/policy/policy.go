// Package policy holds the rules by which replicas are added and removed. A
// policy is a pure function of the time, its settings, what is known of the
// app and its figures; it gives a decision with its reason, and the state that
// follows. Nothing here looks at a clock, so that the simulator runs the very
// rules that run in production.
package policy

import (
	"fmt"
	"time"

	"kurama/logship/record"
	"kurama/paas"
)

// fewestActive is the least that a running app is scaled to.
const fewestActive = 1

// Reading is the 95th percentile of one figure over a window.
type Reading struct {
	P95   float64
	Count int           // values behind it; 0: it is not known
	Span  time.Duration // how much of the window has been watched since it was last emptied
}

// Second is what one second told of an app. A figure that did not come is
// unknown, which is not 0.
type Second struct {
	At          time.Time
	CPU         record.Number // percent of the limit, mean over the replicas of the live release
	Concurrency record.Number // requests in flight or waiting, mean over the second
	Arrived     record.Number // requests that came
	Ready       record.Number // replicas that take requests
	Done        int           // requests that ended
	Work        float64       // ms that they took in all, without their waiting
}

// Samples are the figures that a decision is made from.
type Samples struct {
	Load    Reading  // percent: mean CPU over the replicas, one value a second
	Time    Reading  // ms: response times
	Seconds []Second // oldest first; as many as Memory says, fewer after a start
	// Usual is the rate (1/s) that the days before had at this time of day, and
	// until a replica ordered now is up; unknown where they show no pattern.
	Usual record.Number
}

// Memory is how many Seconds the policies look back at most.
const Memory = 3600

// State is what a decision must know beside the figures.
type State struct {
	Desired     int       // replicas wanted now
	Asleep      bool      // … and it is 0 because nobody asked for the app; otherwise 0 is a person's will
	Release     int       // live release
	Concurrency int       // requests that a replica works on at once, by its start command; 0: not known
	Deploying   bool      // a release is being started
	Changed     time.Time // when Desired or Release last changed; zero: not known
	Last        time.Time // when Decide was last asked; zero: never

	Kurama KuramaState
	Target TargetState
	HPA    HPAState
	Swift  SwiftState
}

// round is one call of Decide: what the rules of the policies work with.
type round struct {
	now     time.Time
	policy  paas.Policy
	state   State // as it was
	samples Samples
	next    *State // as it will be
	inputs  map[string]float64
}

// verdict is what a policy says: the replicas it wants and why. With to 0 it
// says nothing; with to the number there are, why is the reason for which what
// the figures ask for is not done.
type verdict struct {
	to    int
	why   string
	sleep bool // the app is to have no replica
}

// rules are the policies by name.
var rules = map[string]func(*round) verdict{
	paas.PolicyKurama: (*round).kurama,
	paas.PolicyStep:   (*round).step,
	paas.PolicyTarget: (*round).target,
	paas.PolicyHPA:    (*round).hpa,
	paas.PolicySwift:  (*round).swift,
}

// Decide says how many replicas the policy wants, and returns the state that
// follows once that is carried out. It is pure. A decision is valid when
// something is to change; otherwise its Reason is empty, or says why what the
// figures ask for is not done.
//
// Whatever the policy, an app outside its bounds is brought inside at once.
// While a release is started and after the clock went back nothing is decided.
func Decide(now time.Time, p paas.Policy, state State, samples Samples) (paas.Decision, State) {
	d := paas.Decision{At: now, Policy: p.Name, From: state.Desired, To: state.Desired}
	next := state
	next.Last = now
	rule := rules[p.Name]
	if rule == nil || state.Desired < fewestActive && !state.Asleep || state.Deploying || now.Before(state.Last) {
		return d, next
	}
	r := &round{now: now, policy: p, state: state, samples: samples, next: &next, inputs: map[string]float64{}}
	v := verdict{}
	if state.Desired == 0 {
		v = r.wake()
	} else if v = r.bounds(); v.to == 0 {
		v = rule(r)
	}
	d.Inputs = r.inputs
	switch {
	case v.sleep:
		d.To, d.Valid = 0, true
		d.Reason = fmt.Sprintf("%d → 0 replicas: %s.", d.From, v.why)
		next.Desired, next.Asleep, next.Changed = 0, true, now
	case v.to == 0:
	case v.to == d.From:
		d.Reason = v.why
	default:
		noun := "replicas"
		if v.to == 1 {
			noun = "replica"
		}
		d.To, d.Valid = v.to, true
		d.Reason = fmt.Sprintf("%d → %d %s: %s.", d.From, v.to, noun, v.why)
		next.Desired, next.Asleep, next.Changed = v.to, false, now
	}
	return d, next
}

// bounds brings an app within the policy's smallest and largest number.
func (r *round) bounds() verdict {
	to := r.policy.Bound(r.state.Desired, r.now)
	floor := r.policy.Floor(r.now)
	switch {
	case to < r.state.Desired:
		return verdict{to: to, why: fmt.Sprintf("the policy's largest number is %d", r.policy.Max)}
	case to > r.state.Desired && floor > r.policy.Min:
		return verdict{to: to, why: fmt.Sprintf("the schedule's smallest number is now %d", floor)}
	case to > r.state.Desired:
		return verdict{to: to, why: fmt.Sprintf("the policy's smallest number is %d", r.policy.Min)}
	}
	return verdict{}
}

// want bounds what a policy wants and says so. Where a bound leaves nothing to
// do, the reason tells that it is reached.
func (r *round) want(to int, why string) verdict {
	bounded := r.policy.Bound(to, r.now)
	if bounded == r.state.Desired {
		if to <= bounded {
			return verdict{}
		}
		return verdict{to: bounded, why: fmt.Sprintf("%s, but the policy's largest number of replicas, %d, is reached.", why, r.policy.Max)}
	}
	return verdict{to: bounded, why: why}
}

// slots is how many requests one replica works on at once.
func (r *round) slots() float64 {
	if r.policy.Concurrency > 0 {
		return r.policy.Concurrency
	}
	return float64(max(r.state.Concurrency, 1))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
