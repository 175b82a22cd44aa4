package sim

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestPlant holds the plant against what theory says of it.
func TestPlant(t *testing.T) {
	t.Run("as many requests come as the rate says", func(t *testing.T) {
		near(t, "requests", float64(run(t, Experiment{Load: steady(50, 2000), Plant: waits(t, nil), Scaler: Peak}).Requests), 100_000, 0.01)
	})
	t.Run("one slot with exponential-like work waits as M/M/1 does", func(t *testing.T) {
		// A log-normal with sigma² = ln 2 has the variance of an exponential with its
		// mean, so that the mean wait of M/G/1 (Pollaczek and Khinchine) is that of
		// M/M/1: ρ/(1-ρ)·S, here 0.5/0.5·0.05 s; with the work the mean is 0.1 s.
		p := waits(t, func(p *Plant) { p.Slots, p.Most, p.CPU, p.Sigma = 1, 1, 0, math.Sqrt(math.Ln2) })
		w := newWorld(p, 1, newTally(0.2, 20_000))
		startWith(w, 1)
		total, n := 0.0, 0
		arrivals := rand.New(rand.NewPCG(1, 3))
		load := steady(10, 20_000)
		for s := range load.Seconds {
			for _, at := range load.arrivals(arrivals, s) {
				w.arrive(at)
			}
			w.advance(float64(s + 1))
			for _, ms := range w.took {
				total += ms / 1000
				n++
			}
			w.took = nil
		}
		near(t, "mean response", total/float64(n), 0.1, 0.05)
	})
	t.Run("a core is used as much as the work needs", func(t *testing.T) {
		p := waits(t, func(p *Plant) { p.CPU, p.Work = 1, 0.02 })
		w := newWorld(p, 1, newTally(0.2, 500))
		startWith(w, 1)
		arrivals := rand.New(rand.NewPCG(1, 3))
		sum := 0.0
		for s := range 500 {
			for _, at := range steady(30, 500).arrivals(arrivals, s) {
				w.arrive(at)
			}
			w.advance(float64(s + 1))
			v, known := w.load(1)
			if !known || v > 100 {
				t.Fatalf("load %g, %v", v, known)
			}
			sum += v / 500
		}
		near(t, "load", sum, 60, 0.03)
	})
	t.Run("replicas do not help where a database is the bound", func(t *testing.T) {
		with := func(slots int) Outcome {
			p := waits(t, func(p *Plant) { p.DB, p.Conns, p.CPU, p.Slots = 0.9, 2, 0, slots })
			return run(t, Experiment{Load: steady(60, 300), Plant: p, Scaler: Peak}) // 60·0.045 s = 2.7 of 2 connections
		}
		if few, many := with(4), with(40); few.Late < 0.8 || many.Late < 0.8 {
			t.Errorf("late %g and %g", few.Late, many.Late)
		}
	})
	t.Run("a host holds no more replicas than it can", func(t *testing.T) {
		w := newWorld(waits(t, func(p *Plant) { p.Most = 3 }), 1, newTally(0.2, 10))
		startWith(w, 1)
		w.scale(6)
		w.advance(60)
		if w.ready() != 3 || w.unplaced != 3 {
			t.Errorf("%d ready, %d without a place", w.ready(), w.unplaced)
		}
		w.scale(2)
		if w.ready() != 2 || w.unplaced != 0 {
			t.Errorf("%d ready, %d without a place", w.ready(), w.unplaced)
		}
	})
	t.Run("what is taken away ends its requests", func(t *testing.T) {
		w := newWorld(waits(t, nil), 1, newTally(0.2, 10))
		startWith(w, 2)
		w.arrive(0.001)
		w.arrive(0.002)
		w.scale(1)
		if w.ready() != 1 || len(w.replicas) != 2 {
			t.Errorf("%d ready of %d", w.ready(), len(w.replicas))
		}
		w.advance(10)
		if len(w.replicas) != 1 || len(w.took) != 2 || w.tally.errors != 0 {
			t.Errorf("%d left, %d ended", len(w.replicas), len(w.took))
		}
	})
	t.Run("a queue that is full refuses, and a request that waits too long has failed", func(t *testing.T) {
		p := waits(t, func(p *Plant) { p.Most, p.InFlight, p.Queue, p.Timeout = 1, 4, 10, 1 })
		o := run(t, Experiment{Load: steady(200, 60), Plant: p, Scaler: Peak})
		if o.Errors < 0.5 || o.Errors > 0.7 { // 80 of 200 can be answered
			t.Errorf("errors %g", o.Errors)
		}
		near(t, "p99", o.P99, p.Timeout, 0.001)
	})
	t.Run("a sender that is bounded holds requests back, and they are late from when they were due", func(t *testing.T) {
		p := waits(t, func(p *Plant) { p.Most, p.AtOnce = 1, 40 })
		w := newWorld(p, 1, newTally(0.2, 10))
		startWith(w, 1)
		for i := range 400 { // 80 of 200 a second can be answered
			w.arrive(float64(i) / 200)
		}
		if w.inSystem != 40 || len(w.outside) < 150 || w.arrived > 250 {
			t.Errorf("%d in the system, %d outside, %d came", w.inSystem, len(w.outside), w.arrived)
		}
		w.advance(60)
		if w.inSystem != 0 || len(w.took) != 400 || w.tally.errors != 0 || w.tally.late < 300 {
			t.Errorf("%d answered, %d late, %d in the system", len(w.took), w.tally.late, w.inSystem)
		}
	})
	t.Run("the same seed gives the same run, another another", func(t *testing.T) {
		f := func(seed uint64) Outcome {
			return run(t, Experiment{Load: steady(100, 200), Plant: waits(t, nil), Scaler: "swift", Seed: seed})
		}
		if a, b, c := f(1), f(1), f(2); a.P99 != b.P99 || a.Requests != b.Requests || a.Requests == c.Requests {
			t.Errorf("%+v %+v %+v", a, b, c)
		}
	})
}
