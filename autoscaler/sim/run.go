package sim

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"kurama/autoscaler/policy"
	"kurama/logship/record"
	"kurama/paas"
)

// Experiment is one run: a load on a plant under a scaler.
type Experiment struct {
	Load      Load
	Plant     Plant
	Scaler    string  // a policy's name, or a baseline's: see Scalers
	Objective float64 // s: response times above it violate
	Seed      uint64
	Policy    *paas.Policy        // its numbers; nil: the defaults
	Lag       int                 // s by which figures are late
	Lost      float64             // share of the seconds whose figures are lost
	Restart   int                 // second at which the autoscaler starts anew; 0: never
	Said      func(paas.Decision) // told of what a policy says; nil: nobody
	Curve     bool                // keep the numbers of replicas, second by second
	Exact     bool                // the policy keeps its own bounds and its own objective
	From      time.Time           // when the load begins, for schedules; zero: on a whole hour of a Monday
}

// Outcome is what a run came to.
type Outcome struct {
	Requests       int     `json:"requests"`
	Late           float64 `json:"late"`   // share of requests above the objective or failed
	Errors         float64 `json:"errors"` // share of requests that failed
	P95            float64 `json:"p95"`    // s; +Inf is told as the time-out
	P99            float64 `json:"p99"`
	ReplicaSeconds float64 `json:"replica_seconds"` // of all that were started, until they were gone
	Under          float64 `json:"under"`           // share of the time with fewer ready than needed
	Over           float64 `json:"over"`            // share of the time with more
	Actions        float64 `json:"actions"`         // changes per hour
	Reversals      float64 `json:"reversals"`       // changes of direction per hour
	Recovery       float64 `json:"recovery"`        // s: longest stretch of seconds in which 5 % or more were late

	Replicas []Counts `json:"replicas,omitempty"`
}

// Counts are numbers of replicas in one second.
type Counts struct {
	Wanted int     `json:"wanted"`
	Ready  int     `json:"ready"`
	Needed int     `json:"needed"`
	Rate   float64 `json:"rate"`
}

// epoch is when simulated time begins: a whole hour of the clock.
var epoch = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func (e Experiment) from() time.Time {
	if e.From.IsZero() {
		return epoch
	}
	return e.From
}

// first is the number of replicas that a run begins with: what its first second
// needs, within what the policy allows.
func (e Experiment) first(need int) int {
	if e.Exact && e.Policy != nil {
		return e.Policy.Bound(need, e.from())
	}
	return need
}

// look is what a scaler sees of one second.
type look struct {
	at     int
	figure policy.Second
	took   []float64 // ms of the requests that ended
	wanted int
}

// scaler says once a second how many replicas there are to be.
type scaler interface{ decide(l look) int }

// Run simulates an experiment. It begins with as many replicas as the first
// second needs, all ready. When ctx ends before, its error is that of ctx.
func Run(ctx context.Context, e Experiment) (Outcome, error) {
	needs := e.needs()
	make, err := scalerNamed(e.Scaler)
	if err != nil {
		return Outcome{}, err
	}
	s := make(e, needs)
	t := newTally(e.Objective, e.Load.Seconds)
	w := newWorld(e.Plant, e.Seed, t)
	arrivals, lost := rand.New(rand.NewPCG(e.Seed, 3)), rand.New(rand.NewPCG(e.Seed, 4))
	wanted := startWith(w, e.first(needs[0]))
	o := Outcome{}
	var changes []int
	var pipe []look
	for sec := range e.Load.Seconds {
		if err := ctx.Err(); err != nil {
			return Outcome{}, err
		}
		for _, at := range e.Load.arrivals(arrivals, sec) {
			w.arrive(at)
		}
		w.advance(float64(sec + 1))
		o.count(w, needs[sec], wanted, e, sec)
		if e.Restart > 0 && sec == e.Restart {
			s, pipe = make(e, needs), nil
		}
		pipe = append(pipe, w.look(sec, wanted, lost.Float64() < e.Lost))
		if len(pipe) <= e.Lag {
			continue
		}
		l := pipe[0]
		pipe = pipe[1:]
		l.at, l.wanted, l.figure.At = sec, wanted, e.from().Add(time.Duration(sec+1)*time.Second)
		if to := s.decide(l); to != wanted {
			changes = append(changes, to-wanted)
			wanted = to
			w.scale(to)
		}
		w.place()
	}
	w.advance(float64(e.Load.Seconds) + e.Plant.Timeout)
	o.finish(e, t, changes)
	return o, nil
}

// startWith puts n ready replicas into the world.
func startWith(w *world, n int) int {
	n = min(n, w.plant.Most)
	for range n {
		w.replicas = append(w.replicas, &replica{ready: true})
	}
	return n
}

// look sums up the second that is over, as router, agent and SDK would tell it.
func (w *world) look(sec, wanted int, lost bool) look {
	l := look{at: sec, took: w.took, wanted: wanted}
	l.figure = policy.Second{Concurrency: record.Num(w.area), Arrived: record.Num(float64(w.arrived)),
		Ready: record.Num(float64(w.ready())), Done: len(w.took), Work: w.worked * 1000}
	if v, known := w.load(1); known {
		l.figure.CPU = record.Num(v)
	}
	w.area, w.arrived, w.worked, w.took = 0, 0, 0, nil
	if lost {
		l.figure, l.took = policy.Second{}, nil
	}
	return l
}

// count adds a second to the outcome.
func (o *Outcome) count(w *world, need, wanted int, e Experiment, sec int) {
	ready := w.ready()
	o.ReplicaSeconds += float64(len(w.replicas))
	switch {
	case ready < need:
		o.Under++
	case ready > need:
		o.Over++
	}
	if e.Curve {
		o.Replicas = append(o.Replicas, Counts{wanted, ready, need, math.Round(e.Load.Rate(sec)*10) / 10})
	}
}

func (o *Outcome) finish(e Experiment, t *tally, changes []int) {
	n, length := max(float64(t.requests), 1), float64(e.Load.Seconds)
	o.Requests = t.requests
	o.Late, o.Errors = float64(t.late)/n, float64(t.errors)/n
	o.P95, o.P99 = min(t.times.quantile(0.95), e.Plant.Timeout), min(t.times.quantile(0.99), e.Plant.Timeout)
	o.Under, o.Over = o.Under/length, o.Over/length
	o.Actions, o.Reversals = float64(len(changes))/length*3600, float64(reversals(changes))/length*3600
	o.Recovery = float64(t.recovery())
}
