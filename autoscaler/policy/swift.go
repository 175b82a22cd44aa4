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
	startsKept  = 2.0              // times its start that a replica is kept at least: giving it back sooner would not pay
	settled     = 10 * time.Second // pause before a step down

	workRequests = 50  // requests that make a mean worth going by
	doubt        = 2.0 // standard deviations by which a rate may be chance
	firstStart   = 2.0 // s that a start is taken to last before one was seen
	oftener      = 8.0 // times the window of the way down may grow
	waitShare    = 1.3 // more in flight than this share of the demand: requests wait
)

// SwiftState is what the policy swift keeps in mind.
type SwiftState struct {
	Start   float64   // s that replicas take to come up, as learned; 0: not known
	Order   Order     // the last step up; zero: none that is not judged
	Base    float64   // ms: the least that a request took on average, slowly forgotten
	Hold    time.Time // nothing is added before it
	Held    float64   // requests per second for which that holds
	Fails   int       // steps in a row that did not help
	Lowered time.Time // last step down
	Raised  time.Time // last step up
	Often   float64   // times that the window of the way down is longer, since steps down were regretted; 0: 1
}

// demand is what the requests need.
type demand struct {
	rate     float64 // requests per second
	work     float64 // ms that one takes, without waiting
	busy     float64 // slots that they keep busy
	waiting  float64 // requests that wait for a slot
	inflated bool    // requests take a multiple of what they can: something else is slow
	cost     float64 // ms of a replica's CPU that one takes; 0: not known
	cpu      float64 // replicas whose whole CPU they take
}

// swift is Kurama's own. By Little's law requests keep rate × work slots busy,
// whatever waits. As many slots are wanted as let no more than a share late of
// the requests wait longer than half of what time_up leaves them (Erlang's C),
// and as work the requests that wait off within drain, those included that
// will wait by the time a replica is up. CPU may need more replicas than slots
// do. Replicas that were ordered count from then on.
//
// Up: the rate is the highest that any window of 1 to 15 s shows beyond doubt,
// so that a strong rise counts after a second and a weak one once there are
// figures enough, extrapolated by the time that a replica takes to start. Down:
// the highest rate of any 5 s within down_window, in one step, unless requests
// wait; the window doubles each time that a step down was soon regretted. Where
// the days before show a pattern, what they had at this time is expected. A step
// up that did not help is taken back, and nothing added for hold.
func (r *round) swift() verdict {
	ready, known := r.ready()
	if !known {
		return verdict{}
	}
	if r.idle() {
		return verdict{sleep: true, why: fmt.Sprintf("nobody has asked for anything for %s; the next request is held until a replica is up", span(seconds(r.policy.Swift.Idle)))}
	}
	st := &r.next.Swift
	r.followOrder(ready)
	rate, told := r.rushRate()
	usual := r.samples.Usual.Known && told && r.samples.Usual.Value > rate
	if usual {
		rate = r.samples.Usual.Value
	}
	up, ok := r.demand(rate, told, ready)
	if !ok {
		return verdict{}
	}
	st.Base = base(st.Base, up.work)
	r.tell(up, ready)
	need := max(r.replicas(up), r.catchUp(up, ready))
	if v := r.judge(ready, need); v.to != 0 {
		return v
	}
	from := r.state.Desired
	if need > from {
		if held := r.mayNotAdd(up, ready); held != "" {
			return verdict{to: from, why: held}
		}
		why := r.whyUp(up, ready)
		if usual && up.waiting < 1 {
			why = fmt.Sprintf("at this time of day %s requests/s came on both days before, which keep %s slots busy, and %d × %s are there", figure(up.rate), figure(up.busy), ready, figure(r.slots()))
		}
		v := r.want(need, why)
		if v.to > from {
			r.ordered(v.to, up)
		}
		return v
	}
	return r.swiftDown(ready, need)
}

// demand works out what a rate of requests needs; false while it is not known.
func (r *round) demand(rate float64, known bool, ready int) (d demand, ok bool) {
	work, done := r.work()
	if !known || done == 0 && rate > 0 {
		return d, false
	}
	most := inflated * r.state.Swift.Base
	slowed := most > 0 && work >= most
	if slowed { // something else is slow: no reason for many more
		work = most
	}
	d = demand{rate: rate, work: work, inflated: slowed, busy: rate * work / 1000, cost: r.cost()}
	d.cpu = rate * d.cost / 1000
	if now, n := mean(r.last(2*time.Second), concurrencyOf); n > 0 {
		d.waiting = max(0, now-float64(ready)*r.slots())
	}
	return d, true
}

// replicas returns the number of replicas that a demand needs.
func (r *round) replicas(d demand) int {
	p, slots := r.policy.Swift, r.slots()
	work := d.work / 1000
	room := max(p.TimeUp/1000-work, work) / 2
	n := max(int(math.Ceil(d.cpu/(p.CPU/100)-1e-9)), int(math.Ceil(d.busy/slots)), fewestActive)
	for n < r.policy.Max && Waits(d.busy, float64(n)*slots, work, room) > p.Late/100 {
		n++
	}
	return n
}

// catchUp returns the number of replicas that also work off what waits, or
// will wait by the time that a replica is up. What waits for something else
// than a slot is not worked off by replicas.
func (r *round) catchUp(d demand, ready int) int {
	if d.inflated {
		return 0
	}
	work, waiting := d.work/1000, d.waiting
	if waiting >= 1 && work > 0 {
		waiting += max(0, d.rate-float64(ready)*r.slots()/work) * r.untilUp()
	}
	return int(math.Ceil((d.busy+waiting*work/r.policy.Swift.Drain)/r.slots() - 1e-9))
}

// untilUp returns the seconds until a replica ordered now, or one on its way,
// will be up.
func (r *round) untilUp() float64 {
	st := r.next.Swift
	start := st.Start
	if start == 0 {
		start = firstStart
	}
	if st.Order.pending() {
		start -= r.now.Sub(st.Order.At).Seconds()
	}
	return max(0, start)
}

// swiftDown takes away what neither the highest demand of the window needs nor
// that of now.
func (r *round) swiftDown(ready, need int) verdict {
	st := r.next.Swift
	from := r.state.Desired
	window := r.downWindow()
	if from <= max(r.policy.Floor(r.now), fewestActive) || st.Order.pending() && !r.stuck() || r.now.Sub(r.state.Changed) < settled {
		return verdict{}
	}
	rate, told := r.highest(window)
	d, ok := r.demand(rate, told, ready)
	to := max(r.replicas(d), need)
	if !ok || to >= from || d.waiting >= 1 {
		return verdict{}
	}
	if r.slow(d) {
		return verdict{to: from, why: fmt.Sprintf("%s would do, but p95 of response time is %s ms (limit %s ms) and requests wait.",
			count(to, "replica"), figure(r.samples.Time.P95), figure(r.policy.Swift.TimeUp))}
	}
	r.next.Swift.Lowered = r.now
	return r.want(to, fmt.Sprintf("at most %s requests/s in %s keep %s slots busy, and %d × %s are there",
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
