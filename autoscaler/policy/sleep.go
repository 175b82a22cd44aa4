package policy

import (
	"fmt"
	"math"
)

// idle reports whether nobody has asked for anything for as long as an app may
// be idle before its last replica goes: no request came and none was in flight,
// as far as is known for four fifths of that time.
func (r *round) idle() bool {
	window := seconds(r.policy.Swift.Idle)
	if !r.policy.Sleeps() || r.policy.Floor(r.now) > 0 || r.state.Desired != fewestActive || r.now.Sub(r.state.Changed) < window {
		return false
	}
	known := 0
	for _, s := range r.last(window) {
		if s.Arrived.Value > 0 || s.Concurrency.Value > 0 || s.Done > 0 {
			return false
		}
		if s.Arrived.Known && s.Concurrency.Known {
			known++
		}
	}
	return float64(known) >= downShare*window.Seconds()
}

// wake gives an app that sleeps replicas again: when a request waits for one, by
// its schedule, or because its policy lets nothing sleep any more.
func (r *round) wake() verdict {
	if floor := r.policy.Floor(r.now); floor > 0 || !r.policy.Sleeps() {
		to := r.policy.Bound(1, r.now)
		if floor > r.policy.Min {
			return verdict{to: to, why: fmt.Sprintf("the schedule's smallest number is now %d", floor)}
		}
		return verdict{to: to, why: fmt.Sprintf("the policy's smallest number is %d", max(r.policy.Min, fewestActive))}
	}
	n := len(r.samples.Seconds)
	if n == 0 {
		return verdict{}
	}
	newest := r.samples.Seconds[n-1]
	waiting := math.Ceil(newest.Concurrency.Value)
	if r.now.Sub(newest.At) > blockWindow || waiting < 1 {
		return verdict{}
	}
	r.inputs["waiting"], r.inputs["slots"] = waiting, r.slots()
	to := r.policy.Bound(int(math.Ceil(waiting/r.slots())), r.now)
	r.next.Swift.Order = Order{At: r.now, To: to}
	return verdict{to: to, why: fmt.Sprintf("%s and the app sleeps", waits(int(waiting)))}
}

func waits(n int) string {
	if n == 1 {
		return "1 request waits"
	}
	return fmt.Sprintf("%d requests wait", n)
}
