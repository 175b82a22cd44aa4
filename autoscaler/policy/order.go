package policy

import (
	"fmt"
	"math"
	"time"
)

const (
	judged   = 10 * time.Second // after its replicas are up a step is judged
	patience = 30 * time.Second // for ordered replicas, at the least
	better   = 0.1              // share by which a step must better something to have helped
	inflated = 2.0              // times its base that a response takes where something is wrong
	regrown  = 1.2              // share of the rate at which a hold no longer holds
)

// Order is a step up: what was ordered, and how the app did then.
type Order struct {
	At       time.Time
	From, To int
	Up       time.Time // when all of them were ready; zero: not yet
	Rate     float64   // requests per second
	Work     float64   // ms that one took, without waiting
	Done     float64   // requests answered per second
	Response float64   // ms
}

// ordered keeps in mind that replicas were added. Where a step down was soon
// regretted, since requests wait again, the next one waits longer.
func (r *round) ordered(to int, d demand) {
	st := &r.next.Swift
	window := r.downWindow()
	if d.waiting >= 1 && !st.Lowered.IsZero() && r.now.Sub(st.Lowered) < 4*window {
		st.Often = min(max(st.Often, 1)*2, oftener)
	}
	st.Raised = r.now
	if st.Order.To > 0 { // not judged yet: both are judged as one
		st.Order.At, st.Order.To, st.Order.Up, st.Order.Rate = r.now, to, time.Time{}, max(st.Order.Rate, d.rate)
		return
	}
	st.Order = Order{At: r.now, From: r.state.Desired, To: to, Rate: d.rate, Work: d.work, Done: r.doneRate(), Response: r.response()}
}

// downWindow is the window whose highest demand says what must stay: longer
// where replicas take long to start, and where steps down were regretted. That
// is forgotten by and by while nothing is added.
func (r *round) downWindow() time.Duration {
	st := r.next.Swift
	window := max(seconds(r.policy.Swift.DownWindow), seconds(startsKept*st.Start))
	often := max(st.Often, 1)
	calm := r.now.Sub(st.Raised)
	for often > 1 && calm > 8*window {
		often /= 2
		calm -= 8 * window
	}
	return min(time.Duration(often*float64(window)), Memory*time.Second)
}

// pending reports whether replicas are still on their way.
func (o Order) pending() bool { return o.To > 0 && o.Up.IsZero() }

// stuck reports whether replicas that were ordered should long be up.
func (r *round) stuck() bool {
	st := r.next.Swift
	return st.Order.pending() && r.now.Sub(st.Order.At) > max(patience, seconds(5*st.Start))
}

// followOrder notes when what was ordered is up, and learns from it how long
// that takes.
func (r *round) followOrder(ready int) {
	st := &r.next.Swift
	switch {
	case st.Order.To == 0:
	case r.state.Desired < st.Order.To: // somebody wants less now
		st.Order = Order{}
	case st.Order.pending() && ready >= st.Order.To:
		st.Order.Up = r.now
		took := r.now.Sub(st.Order.At).Seconds()
		if st.Start == 0 {
			st.Start = took
		}
		st.Start += 0.3 * (took - st.Start)
	}
}

// judge looks at a step once its replicas have been up for a while. Where more
// requests are not answered, nor sooner, though as much is asked for as then
// and responses take a multiple of what they can, replicas are not what is
// missing: the step is taken back and nothing added for a while.
func (r *round) judge(ready, need int) verdict {
	st := &r.next.Swift
	o := st.Order
	if o.Up.IsZero() || r.now.Sub(o.Up) < judged {
		return verdict{}
	}
	st.Order = Order{}
	done, response := r.doneRate(), r.response()
	if keep := r.crowd(o); keep < o.To && response >= inflated*st.Base && need > o.From {
		return r.takeBack(o, keep, fmt.Sprintf("requests take %s times as long in their slots as before %s: %s serve as many",
			figure(r.slowed(o)), count(o.To-o.From, "more replica"), count(keep, "replica")))
	}
	helped := done >= (1+better)*o.Done || response <= (1-better)*o.Response
	if helped || response < inflated*st.Base || need < o.To || ready < o.To {
		st.Fails = 0
		return verdict{}
	}
	return r.takeBack(o, o.From, fmt.Sprintf("%s did not help: %s requests/s were answered in %s ms before, and %s in %s ms now",
		count(o.To-o.From, "more replica"), figure(o.Done), figure(o.Response), figure(done), figure(response)))
}

// takeBack undoes a step, or the part of it that did not help, and adds nothing
// for a while: the longer, the more often that happened.
func (r *round) takeBack(o Order, keep int, why string) verdict {
	st := &r.next.Swift
	pause := seconds(r.policy.Swift.Hold * math.Pow(2, float64(min(st.Fails, 3))))
	st.Hold, st.Held, st.Fails = r.now.Add(pause), o.Rate, st.Fails+1
	return r.want(keep, fmt.Sprintf("%s. None is added for %s", why, span(pause)))
}

// slowed returns how many times longer than before a step requests are worked
// on, now that its replicas are up.
func (r *round) slowed(o Order) float64 {
	sum, done := 0.0, 0
	for _, s := range r.last(blockWindow) {
		sum, done = sum+s.Work, done+s.Done
	}
	if done == 0 || o.Work == 0 {
		return 1
	}
	return sum / float64(done) / o.Work
}

// crowd returns how many replicas would do what those after a step do. Where
// requests take a multiple of the time in their slots since then, replicas get
// in each other's way at something that they share: by Little's law as many
// slots were enough as the answers kept busy before.
func (r *round) crowd(o Order) int {
	by := r.slowed(o)
	if by < inflated {
		return o.To
	}
	return min(max(int(math.Ceil(float64(o.To)/by)), o.From, fewestActive), o.To)
}

// mayNotAdd returns why no replica is added although more are needed; "" where
// they may be.
func (r *round) mayNotAdd(d demand, ready int) string {
	st := &r.next.Swift
	if o := st.Order; r.stuck() {
		return fmt.Sprintf("More replicas are needed, but of %d only %d have come up within %s: the host may be full.", o.To, ready, span(r.now.Sub(o.At).Truncate(time.Second)))
	}
	if d.inflated && st.Order.To > 0 {
		return "More replicas are needed, but requests take a multiple of what they can: first it is seen whether the last step helps."
	}
	if r.now.Before(st.Hold) {
		if d.rate <= regrown*st.Held {
			return fmt.Sprintf("More replicas are needed, but the last did not help; none is added for another %s.", span(st.Hold.Sub(r.now).Truncate(time.Second)))
		}
		st.Hold = time.Time{}
	}
	return ""
}
