package autoscaler

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"kurama/paas"
)

// The names of the policies.
const (
	PolicyKurama = "kurama"
	PolicyOff    = "off"
)

const (
	upShare      = 0.2 // of a window that must be filled before it may scale up
	downShare    = 0.8 // of the load window's seconds that must have a value before it may scale down
	upRequests   = 20  // requests below which a p95 of response time says nothing
	helpful      = 0.9 // an added replica has helped when p95 fell to this share of what it was
	fewestActive = 1   // a running app is never scaled to none
)

// Reading is the 95th percentile of one figure over a window.
type Reading struct {
	P95   float64
	Count int           // values behind it; 0: it is not known
	Span  time.Duration // how much of the window has been watched since it was last emptied
}

// Samples are the figures that a decision is made from.
type Samples struct {
	Load Reading // percent: mean CPU over the replicas, one value a second
	Time Reading // ms: response times
}

// State is what a decision must know beside the figures.
type State struct {
	Desired   int       // replicas wanted now
	Release   int       // live release
	Deploying bool      // a release is being started
	Changed   time.Time // when Desired or Release last changed; zero: not known
	Last      time.Time // when Decide was last asked; zero: never

	// Futile is the p95 of response time (ms) at which replicas were last added
	// for its sake; 0 where none were, or p95 has been within its limit since.
	Futile float64
}

// Decide says how many replicas the policy wants. It is pure. A decision is
// valid when something is to change; otherwise its Reason is empty, or says
// why what the figures ask for is not done.
//
// The policy kurama: up when the 95th percentile of load over load_window is
// above load_up, or that of response time over time_window above time_up; down
// when that of load is below load_down. Up by as many replicas as the figure
// exceeds its limit in times, rounded up, at most to double; down by one. No
// figure is read as 0: up needs a fifth of the window, down a full one, since
// the last change. Within cooldown of a change, while a release is started and
// after the clock went back nothing is decided. Two rules keep the two figures
// from working against each other:
//
//   - where replicas added for response time lowered its p95 by less than a
//     tenth, no more are added for it until it was within its limit once, or
//     another release is live: the app is slow, not loaded;
//   - while response time is above its limit and more replicas may still help,
//     none is taken away.
func Decide(now time.Time, policy paas.Policy, state State, samples Samples) paas.Decision {
	d := paas.Decision{At: now, Policy: policy.Name, From: state.Desired, To: state.Desired, Inputs: inputs(policy, samples)}
	if policy.Name != PolicyKurama || state.Desired < fewestActive || state.Deploying || now.Before(state.Last) {
		return d
	}
	if to := min(max(state.Desired, policy.Min, fewestActive), max(policy.Max, fewestActive)); to != state.Desired {
		bound, is := "smallest", policy.Min
		if to < state.Desired {
			bound, is = "largest", policy.Max
		}
		return decided(d, to, fmt.Sprintf("the policy's %s number is %d", bound, is))
	}
	if now.Before(state.Changed) || now.Sub(state.Changed) < seconds(policy.Cooldown) {
		return d
	}
	load := loadAbove(policy, samples.Load)
	slow := timeAbove(policy, samples.Time)
	futile := slow > 0 && state.Futile > 0 && samples.Time.P95 > helpful*state.Futile
	switch {
	case load > 0 || slow > 0 && !futile:
		return up(d, policy, samples, load, slow, futile)
	case loadBelow(policy, samples.Load) && state.Desired > max(policy.Min, fewestActive):
		return decided(d, state.Desired-1, fmt.Sprintf("p95 of load over %s is %s %% (below %s %%)",
			over(samples.Load, policy.LoadWindow), figure(samples.Load.P95), figure(policy.LoadDown)))
	case futile:
		d.Reason = fmt.Sprintf("%s, and it was %s ms before replicas were added for it: more would not help.", tooSlow(policy, samples), figure(state.Futile))
	}
	return d
}

// After returns the state that follows a decision of Decide, which was carried
// out where it is valid.
func (s State) After(d paas.Decision, policy paas.Policy, samples Samples) State {
	s.Last = d.At
	slow := timeAbove(policy, samples.Time) > 0
	if samples.Time.Count >= upRequests && samples.Time.P95 <= policy.TimeUp {
		s.Futile = 0
	}
	if d.Valid {
		if d.To > d.From && slow && loadAbove(policy, samples.Load) == 0 {
			s.Futile = samples.Time.P95
		}
		s.Desired, s.Changed = d.To, d.At
	}
	return s
}

// up adds replicas for the figure that asks for more of them.
func up(d paas.Decision, policy paas.Policy, samples Samples, load, slow float64, futile bool) paas.Decision {
	var why []string
	ratio := load
	if load > 0 {
		why = append(why, fmt.Sprintf("p95 of load over %s is %s %% (limit %s %%)",
			over(samples.Load, policy.LoadWindow), figure(samples.Load.P95), figure(policy.LoadUp)))
	}
	if slow > 0 && !futile {
		why = append(why, tooSlow(policy, samples))
		ratio = max(ratio, slow)
	}
	reason := strings.Join(why, ", and ")
	to := min(d.From+int(min(math.Ceil(ratio), float64(d.From))), policy.Max)
	if to <= d.From {
		d.Reason = fmt.Sprintf("%s, but the policy's largest number of replicas, %d, is reached.", reason, policy.Max)
		return d
	}
	return decided(d, to, reason)
}

func tooSlow(policy paas.Policy, samples Samples) string {
	return fmt.Sprintf("p95 of response time over %s is %s ms (limit %s ms)",
		over(samples.Time, policy.TimeWindow), figure(samples.Time.P95), figure(policy.TimeUp))
}

func decided(d paas.Decision, to int, why string) paas.Decision {
	noun := "replicas"
	if to == 1 {
		noun = "replica"
	}
	d.To, d.Valid = to, true
	d.Reason = fmt.Sprintf("%d → %d %s: %s.", d.From, to, noun, why)
	return d
}

// loadAbove returns how many times load exceeds its upper limit, 0 where it
// does not or too little is known.
func loadAbove(p paas.Policy, r Reading) float64 {
	if float64(r.Count) < upShare*p.LoadWindow || r.Count == 0 || r.P95 <= p.LoadUp {
		return 0
	}
	return r.P95 / p.LoadUp
}

// timeAbove is loadAbove for response time.
func timeAbove(p paas.Policy, r Reading) float64 {
	if r.Count < upRequests || r.Span < seconds(upShare*p.TimeWindow) || r.P95 <= p.TimeUp {
		return 0
	}
	return r.P95 / p.TimeUp
}

// loadBelow reports whether load was below its lower limit for a full window.
func loadBelow(p paas.Policy, r Reading) bool {
	return r.Span >= seconds(p.LoadWindow) && float64(r.Count) >= downShare*p.LoadWindow && r.P95 < p.LoadDown
}

func inputs(p paas.Policy, s Samples) map[string]float64 {
	in := map[string]float64{"load_up": p.LoadUp, "load_down": p.LoadDown, "time_up": p.TimeUp,
		"load_seconds": float64(s.Load.Count), "requests": float64(s.Time.Count)}
	if s.Load.Count > 0 {
		in["load_p95"] = round(s.Load.P95)
	}
	if s.Time.Count > 0 {
		in["time_p95"] = round(s.Time.P95)
	}
	return in
}

// over says how much time a reading is about: its window, or less while that
// is still filling.
func over(r Reading, window float64) string {
	d := min(seconds(window), max(r.Span.Truncate(time.Second), time.Second))
	switch {
	case d == time.Minute:
		return "1 minute"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + " minutes"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s"
}

// figure writes v with one decimal below 100 and none above.
func figure(v float64) string { return strconv.FormatFloat(round(v), 'f', -1, 64) }

// round keeps one decimal below 100.
func round(v float64) float64 {
	if math.Abs(v) >= 100 {
		return math.Round(v)
	}
	return math.Round(v*10) / 10
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
