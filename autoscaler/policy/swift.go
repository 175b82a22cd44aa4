package policy

import (
	"fmt"
	"math"
	"time"
)

// What swift goes by beside its numbers. They were tuned in the simulator on
// the first half of its loads; docs/autoscaling.md has the figures.
const (
	rushWindow  = 15 * time.Second // in which a rise of the rate is looked for
	workWindow  = 30 * time.Second // over which a request's cost is averaged
	workLongest = 2 * time.Minute  // where fewer than workRequests ended in it
	blockWindow = 5 * time.Second  // whose mean rates are compared on the way down
	settled     = 10 * time.Second // pause before a step down

	workRequests = 50  // requests that make a mean worth going by
	doubt        = 2.0 // standard deviations by which a rate may be chance
	waitShare    = 1.3 // more in flight than this share of the demand: requests wait
)

// SwiftState is what the policy swift keeps in mind.
type SwiftState struct {
	Start float64   // s that replicas take to come up, as learned; 0: not known
	Order Order     // the last step up; zero: none that is not judged
	Base  float64   // ms: the least that a request took on average, slowly forgotten
	Hold  time.Time // nothing is added before it
	Held  float64   // requests per second for which that holds
	Fails int       // steps in a row that did not help
}

// demand is what the requests need.
type demand struct {
	rate    float64 // requests per second
	work    float64 // ms that one takes, without waiting
	busy    float64 // slots that they keep busy
	waiting float64 // requests that wait for a slot
	cost    float64 // ms of a replica's CPU that one takes; 0: not known
	cpu     float64 // replicas whose whole CPU they take
}

// swift is Kurama's own. By Little's law requests keep rate × work slots busy,
// whatever waits; the slots needed are these, headroom times their square root
// for what varies (square-root staffing: Halfin and Whitt, "Heavy-Traffic
// Limits for Queues with Many Exponential Servers", 1981), and as many as work
// the waiting requests off within drain. CPU may need more replicas than
// slots do. Replicas that were ordered count from then on.
//
// Up: the rate is the highest that any window of 1 to 15 s shows beyond doubt,
// so that a strong rise counts after a second and a weak one once there are
// figures enough, extrapolated by the time that a replica takes to start. Down:
// the highest rate of any 5 s within down_window, in one step, unless requests
// wait. A step that did not help is taken back, and nothing added for hold.
func (r *round) swift() verdict {
	ready, known := r.ready()
	if !known {
		return verdict{}
	}
	st := &r.next.Swift
	r.followOrder(ready)
	rate, told := r.rushRate()
	up, ok := r.demand(rate, told, ready)
	if !ok {
		return verdict{}
	}
	st.Base = base(st.Base, up.work)
	r.tell(up, ready)
	need := r.replicas(up)
	if v := r.judge(ready, need); v.to != 0 {
		return v
	}
	from := r.state.Desired
	if need > from {
		if held := r.mayNotAdd(up, ready); held != "" {
			return verdict{from, held}
		}
		v := r.want(need, r.whyUp(up, ready))
		if v.to > from {
			st.Order = Order{At: r.now, From: from, To: v.to, Rate: up.rate, Done: r.doneRate(), Response: r.response()}
		}
		return v
	}
	return r.swiftDown(ready)
}

// demand works out what a rate of requests needs; false while it is not known.
func (r *round) demand(rate float64, known bool, ready int) (d demand, ok bool) {
	work, done := r.work()
	if !known || done == 0 && rate > 0 {
		return d, false
	}
	d = demand{rate: rate, work: work, busy: rate * work / 1000, cost: r.cost()}
	d.cpu = rate * d.cost / 1000
	if now, n := mean(r.last(2*time.Second), concurrencyOf); n > 0 {
		d.waiting = max(0, now-float64(ready)*r.slots())
	}
	return d, true
}

// replicas returns the number of replicas that a demand needs.
func (r *round) replicas(d demand) int {
	p := r.policy.Swift
	slots := d.busy + p.Headroom*math.Sqrt(d.busy) + d.waiting*d.work/1000/p.Drain
	return max(int(math.Ceil(slots/r.slots()-1e-9)), int(math.Ceil(d.cpu/(p.CPU/100)-1e-9)), fewestActive)
}

// swiftDown takes away what the highest demand of the window does not need.
func (r *round) swiftDown(ready int) verdict {
	st := r.next.Swift
	from := r.state.Desired
	window := max(seconds(r.policy.Swift.DownWindow), seconds(10*st.Start))
	if from <= max(r.policy.Floor(r.now), fewestActive) || st.Order.pending() && !r.stuck() || r.now.Sub(r.state.Changed) < settled {
		return verdict{}
	}
	rate, told := r.highest(window)
	d, ok := r.demand(rate, told, ready)
	if !ok || r.replicas(d) >= from {
		return verdict{}
	}
	if r.slow(d) {
		return verdict{from, fmt.Sprintf("%s would do, but p95 of response time is %s ms (limit %s ms) and requests wait.",
			count(r.replicas(d), "replica"), figure(r.samples.Time.P95), figure(r.policy.Swift.TimeUp))}
	}
	return r.want(r.replicas(d), fmt.Sprintf("at most %s requests/s in %s keep %s slots busy, and %d × %s are there",
		figure(d.rate), span(window), figure(d.busy), ready, figure(r.slots())))
}

// slow reports whether response time is above its limit because requests wait.
func (r *round) slow(d demand) bool {
	t := r.samples.Time
	inFlight, n := mean(r.last(blockWindow), concurrencyOf)
	return t.Count >= upRequests && t.P95 > r.policy.Swift.TimeUp && n > 0 && inFlight > waitShare*max(d.busy, 1)
}

func (r *round) whyUp(d demand, ready int) string {
	why := fmt.Sprintf("%s requests/s that take %s ms keep %s slots busy, and %d × %s are there", figure(d.rate), figure(d.work), figure(d.busy), ready, figure(r.slots()))
	if d.waiting >= 1 {
		why = fmt.Sprintf("%s requests wait for %d × %s slots, which %s requests/s of %s ms keep busy", figure(d.waiting), ready, figure(r.slots()), figure(d.rate), figure(d.work))
	}
	if d.cpu/(r.policy.Swift.CPU/100) > d.busy/r.slots() {
		why = fmt.Sprintf("%s requests/s that cost %s ms of CPU take up %s replicas, planned for %s %%", figure(d.rate), figure(d.cost), figure(d.cpu), figure(r.policy.Swift.CPU))
	}
	if start := r.next.Swift.Start; start > 0 {
		why += fmt.Sprintf("; a replica takes %s s to start", figure(start))
	}
	return why
}

// tell keeps what swift looked at as the inputs of its decision.
func (r *round) tell(d demand, ready int) {
	r.inputs["rate"], r.inputs["work_ms"], r.inputs["busy"] = tidy(d.rate), tidy(d.work), tidy(d.busy)
	r.inputs["waiting"], r.inputs["cpu_replicas"], r.inputs["ready"] = tidy(d.waiting), tidy(d.cpu), float64(ready)
	r.inputs["slots"], r.inputs["start_s"] = r.slots(), tidy(r.next.Swift.Start)
}
