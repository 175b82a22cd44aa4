package policy

import (
	"fmt"
	"math"
	"strings"
	"time"

	"kurama/paas"
)

const (
	upShare    = 0.2 // of a window that must be filled before it may scale up
	downShare  = 0.8 // of the load window's seconds that must have a value before it may scale down
	upRequests = 20  // requests below which a p95 of response time says nothing
	helpful    = 0.9 // an added replica has helped when p95 fell to this share of what it was
)

// KuramaState is what the policy kurama keeps in mind.
type KuramaState struct {
	// Futile is the p95 of response time (ms) at which replicas were last added
	// for its sake; 0 where none were, or p95 has been within its limit since.
	Futile float64
}

// kurama is the product's own policy: up when the 95th percentile of load over
// load_window is above load_up, or that of response time over time_window
// above time_up; down when that of load is below load_down. Up by as many
// replicas as the figure exceeds its limit in times, rounded up, at most to
// double; down by one. No figure is read as 0: up needs a fifth of the window,
// down a full one, since the last change. Within cooldown of a change nothing
// is decided. Two rules keep the two figures from working against each other:
//
//   - where replicas added for response time lowered its p95 by less than a
//     tenth, no more are added for it until it was within its limit once, or
//     another release is live: the app is slow, not loaded;
//   - while response time is above its limit and more replicas may still help,
//     none is taken away.
func (r *round) kurama() verdict {
	p, s := r.policy, r.samples
	r.note(p, s)
	if s.Time.Count >= upRequests && s.Time.P95 <= p.TimeUp {
		r.next.Kurama.Futile = 0
	}
	if r.now.Before(r.state.Changed) || r.now.Sub(r.state.Changed) < seconds(p.Cooldown) {
		return verdict{}
	}
	load, slow := loadAbove(p, s.Load), timeAbove(p, s.Time)
	was := r.state.Kurama.Futile
	futile := slow > 0 && was > 0 && s.Time.P95 > helpful*was
	switch {
	case load > 0 || slow > 0 && !futile:
		return r.kuramaUp(load, slow, futile)
	case loadBelow(p, s.Load):
		return r.want(r.state.Desired-1, fmt.Sprintf("p95 of load over %s is %s %% (below %s %%)",
			over(s.Load, p.LoadWindow), figure(s.Load.P95), figure(p.LoadDown)))
	case futile:
		return verdict{to: r.state.Desired, why: fmt.Sprintf("%s, and it was %s ms before replicas were added for it: more would not help.", r.tooSlow(), figure(was))}
	}
	return verdict{}
}

// kuramaUp adds replicas for the figure that asks for more of them.
func (r *round) kuramaUp(load, slow float64, futile bool) verdict {
	var why []string
	ratio := load
	if load > 0 {
		why = append(why, fmt.Sprintf("p95 of load over %s is %s %% (limit %s %%)",
			over(r.samples.Load, r.policy.LoadWindow), figure(r.samples.Load.P95), figure(r.policy.LoadUp)))
	}
	if slow > 0 && !futile {
		why = append(why, r.tooSlow())
		ratio = max(ratio, slow)
	}
	from := r.state.Desired
	v := r.want(from+int(min(math.Ceil(ratio), float64(from))), strings.Join(why, ", and "))
	if v.to > from && load == 0 {
		r.next.Kurama.Futile = r.samples.Time.P95
	}
	return v
}

func (r *round) tooSlow() string {
	return fmt.Sprintf("p95 of response time over %s is %s ms (limit %s ms)",
		over(r.samples.Time, r.policy.TimeWindow), figure(r.samples.Time.P95), figure(r.policy.TimeUp))
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

// note keeps what the policy kurama looked at as the inputs of its decision.
func (r *round) note(p paas.Policy, s Samples) {
	r.inputs["load_up"], r.inputs["load_down"], r.inputs["time_up"] = p.LoadUp, p.LoadDown, p.TimeUp
	r.inputs["load_seconds"], r.inputs["requests"] = float64(s.Load.Count), float64(s.Time.Count)
	if s.Load.Count > 0 {
		r.inputs["load_p95"] = tidy(s.Load.P95)
	}
	if s.Time.Count > 0 {
		r.inputs["time_p95"] = tidy(s.Time.P95)
	}
}

// over says how much time a reading is about: its window, or less while that
// is still filling.
func over(r Reading, window float64) string {
	return span(min(seconds(window), max(r.Span.Truncate(time.Second), time.Second)))
}
