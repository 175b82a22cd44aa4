package sim

import (
	"container/heap"
	"math/rand/v2"
	"slices"
)

// world is the plant at work: the router's queue, replicas, the database and
// what happens next. It advances from event to event; times are in seconds.
type world struct {
	plant    Plant
	work     *rand.Rand // what requests need: the same for every policy, request by request
	starts   *rand.Rand
	now      float64
	events   events
	replicas []*replica
	unplaced int       // ordered replicas that the host has no room for
	queue    []request // in the router, longest first
	outside  []request // due, and not sent yet
	conns    conns
	tally    *tally

	inSystem int     // requests in flight or waiting
	area     float64 // requests × s since the last look
	since    float64
	arrived  int       // since the last look
	worked   float64   // s that the requests which ended took, without their waiting
	took     []float64 // ms of the requests that ended since the last look
}

// replica is one replica of the plant.
type replica struct {
	ready    bool
	draining bool
	inflight int
	busy     int       // slots in use
	waiting  []request // for a slot
	core     float64   // until when its core is busy
	spent    float64   // s of its core that are given away
	seen     float64   // s of it that were used at the last look
}

// event is a request that ends, or a replica that comes up.
type event struct {
	at      float64
	replica *replica
	request request
	began   float64 // when the request got its slot
	isReady bool
}

func newWorld(p Plant, seed uint64, t *tally) *world {
	return &world{plant: p, work: rand.New(rand.NewPCG(seed, 1)), starts: rand.New(rand.NewPCG(seed, 2)), conns: make(conns, p.Conns), tally: t}
}

// advance lets happen what happens until a time.
func (w *world) advance(to float64) {
	for len(w.events) > 0 && w.events[0].at <= to {
		e := heap.Pop(&w.events).(event)
		w.settle(e.at)
		if e.isReady {
			e.replica.ready = !e.replica.draining
			w.dispatch()
			continue
		}
		w.end(e)
	}
	w.settle(to)
}

// settle moves the clock on.
func (w *world) settle(to float64) {
	w.area += float64(w.inSystem) * (to - w.since)
	w.now, w.since = to, to
}

// arrive lets a request in at a time.
func (w *world) arrive(at float64) {
	w.advance(at)
	w.tally.requests++
	req := w.plant.draw(w.work, at)
	if w.plant.AtOnce > 0 && w.inSystem >= w.plant.AtOnce {
		w.outside = append(w.outside, req)
		return
	}
	w.enter(req)
}

// enter lets a request into the router.
func (w *world) enter(req request) {
	w.arrived++
	r := w.pick()
	switch {
	case r != nil:
		w.inSystem++
		w.give(r, req)
	case len(w.queue) >= w.plant.Queue:
		w.tally.failed(req.arrived)
	default:
		w.inSystem++
		w.queue = append(w.queue, req)
	}
}

// pick returns the ready replica with the fewest requests in flight, or nil
// when all have as many as they may.
func (w *world) pick() *replica {
	var best *replica
	for _, r := range w.replicas {
		if r.ready && !r.draining && r.inflight < w.plant.InFlight && (best == nil || r.inflight < best.inflight) {
			best = r
		}
	}
	return best
}

// dispatch gives waiting requests to replicas that may take them.
func (w *world) dispatch() {
	for len(w.queue) > 0 {
		r := w.pick()
		if r == nil {
			return
		}
		req := w.queue[0]
		w.queue = w.queue[1:]
		if w.now-req.arrived > w.plant.Timeout {
			w.inSystem--
			w.tally.failed(req.arrived)
			continue
		}
		w.give(r, req)
	}
}

// give sends a request to a replica, where it may wait for a slot.
func (w *world) give(r *replica, req request) {
	r.inflight++
	if r.busy >= w.plant.Slots {
		r.waiting = append(r.waiting, req)
		return
	}
	w.begin(r, req)
}

// begin puts a request into a slot: it computes on the replica's core, then
// has the database work, then waits for others; each in the order of arrival.
func (w *world) begin(r *replica, req request) {
	r.busy++
	r.core = max(r.core, w.now) + req.cpu
	r.spent += req.cpu
	end := r.core
	if req.db > 0 && len(w.conns) > 0 {
		end = w.conns.take(end, req.db)
	} else {
		end += req.db
	}
	heap.Push(&w.events, event{at: end + req.wait, replica: r, request: req, began: w.now})
}

// end lets a request go, and the next one in.
func (w *world) end(e event) {
	r := e.replica
	r.inflight--
	r.busy--
	w.inSystem--
	response := e.at - e.request.arrived
	w.worked += e.at - e.began
	w.took = append(w.took, response*1000)
	if response > w.plant.Timeout {
		w.tally.failed(e.request.arrived)
	} else {
		w.tally.answered(e.request.arrived, response)
	}
	if len(r.waiting) > 0 {
		next := r.waiting[0]
		r.waiting = r.waiting[1:]
		w.begin(r, next)
	}
	if r.draining && r.inflight == 0 {
		w.remove(r)
	}
	w.dispatch()
	for len(w.outside) > 0 && w.inSystem < w.plant.AtOnce {
		req := w.outside[0]
		w.outside = w.outside[1:]
		w.enter(req)
	}
}

// scale brings the number of replicas that are to stay to n: those that are not
// up go first, then the newest.
func (w *world) scale(n int) {
	stay := w.unplaced
	for _, r := range w.replicas {
		if !r.draining {
			stay++
		}
	}
	w.unplaced += max(0, n-stay)
	for ; stay > n && w.unplaced > 0; stay-- {
		w.unplaced--
	}
	for _, ready := range []bool{false, true} {
		for i := len(w.replicas) - 1; i >= 0 && stay > n; i-- {
			if r := w.replicas[i]; !r.draining && r.ready == ready {
				r.draining = true
				stay--
				if r.inflight == 0 {
					w.remove(r)
				}
			}
		}
	}
	w.place()
}

// place starts ordered replicas as far as the host has room.
func (w *world) place() {
	starting := 0
	for _, r := range w.replicas {
		if !r.ready {
			starting++
		}
	}
	for ; w.unplaced > 0 && len(w.replicas) < w.plant.Most; w.unplaced-- {
		r := &replica{}
		w.replicas = append(w.replicas, r)
		heap.Push(&w.events, event{at: w.now + w.plant.Start.draw(w.starts, starting), replica: r, isReady: true})
		starting++
	}
}

func (w *world) remove(r *replica) {
	w.replicas = slices.DeleteFunc(w.replicas, func(x *replica) bool { return x == r })
}

// ready returns the replicas that take requests.
func (w *world) ready() (n int) {
	for _, r := range w.replicas {
		if r.ready && !r.draining {
			n++
		}
	}
	return n
}

// load returns the mean percentage of their core that the ready replicas used
// since the last look.
func (w *world) load(length float64) (percent float64, known bool) {
	n := 0
	for _, r := range w.replicas {
		used := r.spent - max(0, r.core-w.now)
		if r.ready && !r.draining {
			percent += 100 * min(1, max(0, used-r.seen)/length)
			n++
		}
		r.seen = used
	}
	if n == 0 {
		return 0, false
	}
	return percent / float64(n), true
}

// conns are the times at which the database's connections are free, as a heap.
type conns []float64

// take books the connection that is free first, from a time on, and returns
// when the work is done.
func (c conns) take(from, length float64) float64 {
	end := max(from, c[0]) + length
	c[0] = end
	heap.Fix(&c, 0)
	return end
}

func (c conns) Len() int           { return len(c) }
func (c conns) Less(i, j int) bool { return c[i] < c[j] }
func (c conns) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }
func (c *conns) Push(x any)        { *c = append(*c, x.(float64)) }
func (c *conns) Pop() any          { old := *c; x := old[len(old)-1]; *c = old[:len(old)-1]; return x }

// events are what is to happen, the next one first.
type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at < e[j].at }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any          { old := *e; x := old[len(old)-1]; *e = old[:len(old)-1]; return x }
