package policy

import (
	"fmt"
	"math"
	"time"
)

// targetTick is the time between two looks of Knative's autoscaler.
const targetTick = 2 * time.Second

// TargetState is what the policy target keeps in mind.
type TargetState struct {
	Looked  time.Time // last tick; zero: never
	Panic   time.Time // when the need last was a rush; zero: no rush
	Most    int       // largest need in the rush
	Delayed []Wanted  // needs within down_delay
}

// target is Knative's pod autoscaler (pkg/autoscaler/scaling/autoscaler.go in
// knative/serving, defaults of config-autoscaler): every 2 s it averages the
// requests in flight and waiting over a stable window and over a panic window,
// a share of it. Either average divided by the target per replica, rounded up,
// is a need. Where the panic need is panic_threshold times what is ready it
// panics: the number only rises, until a stable window has passed since it
// last was that high. A step is bounded by up_rate and down_rate, relative to
// what is ready. Started with more than one replica it starts in panic, since
// its windows are empty. Without figures there is no need.
func (r *round) target() verdict {
	p, st := r.policy.Target, &r.next.Target
	ready, known := r.ready()
	if !known || r.now.Sub(st.Looked) < targetTick {
		return verdict{}
	}
	first := st.Looked.IsZero()
	st.Looked = r.now
	if first && ready > 1 {
		st.Panic, st.Most = r.now, ready
	}
	short := max(seconds(p.StableWindow*p.PanicWindow/100), time.Second)
	stable, n := mean(r.last(seconds(p.StableWindow)), concurrencyOf)
	rush, m := mean(r.last(short), concurrencyOf)
	if n == 0 || m == 0 {
		return verdict{}
	}
	aim := r.slots() * p.Utilization / 100
	r.inputs["concurrency"], r.inputs["panic_concurrency"] = tidy(stable), tidy(rush)
	r.inputs["target"], r.inputs["ready"] = aim, float64(ready)
	have := max(1, float64(ready))
	least, most := math.Floor(have/p.DownRate), math.Ceil(have*p.UpRate)
	bounded := func(v float64) int { return int(min(max(math.Ceil(v/aim), least), most)) }
	want, window := bounded(stable), seconds(p.StableWindow)
	if rushNeed := bounded(rush); r.panics(math.Ceil(rush/aim) / have) {
		if rushNeed > want {
			want, stable, window = rushNeed, rush, short
		}
		st.Most = max(st.Most, want)
		want = st.Most
	}
	want = max(r.delayed(want), fewestActive)
	why := fmt.Sprintf("%s requests are in flight on average over %s, and a replica is to have %s", figure(stable), span(window), figure(aim))
	return r.want(want, why)
}

// panics moves the state of panic on and tells it.
func (r *round) panics(ratio float64) bool {
	p, st := r.policy.Target, &r.next.Target
	switch over := ratio >= p.PanicThreshold/100; {
	case over:
		st.Panic = r.now
	case !st.Panic.IsZero() && st.Panic.Add(seconds(p.StableWindow)).Before(r.now):
		st.Panic, st.Most = time.Time{}, 0
	}
	return !st.Panic.IsZero()
}

// delayed returns the largest need within down_delay.
func (r *round) delayed(want int) int {
	delay := seconds(r.policy.Target.DownDelay)
	if delay == 0 {
		return want
	}
	st := &r.next.Target
	st.Delayed = append(since(st.Delayed, r.now.Add(-delay)), Wanted{r.now, want})
	for _, w := range st.Delayed {
		want = max(want, w.N)
	}
	return want
}
