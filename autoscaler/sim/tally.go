package sim

import (
	"math"
	"slices"
)

// badShare of the requests of a second late or failed make it a bad second.
const badShare = 0.05

// tally counts what a run came to.
type tally struct {
	objective float64 // s
	requests  int
	late      int // above the objective, failed ones included
	errors    int
	times     histogram
	seconds   []secondTally // by the second of arrival
}

type secondTally struct{ requests, late int }

func newTally(objective float64, length int) *tally {
	return &tally{objective: objective, seconds: make([]secondTally, length+1)}
}

func (t *tally) at(arrived float64) *secondTally {
	return &t.seconds[min(int(arrived), len(t.seconds)-1)]
}

func (t *tally) answered(arrived, response float64) {
	s := t.at(arrived)
	s.requests++
	t.times.add(response)
	if response > t.objective {
		s.late++
		t.late++
	}
}

func (t *tally) failed(arrived float64) {
	s := t.at(arrived)
	s.requests++
	s.late++
	t.late++
	t.errors++
	t.times.add(math.Inf(1))
}

// recovery returns the longest stretch of bad seconds. Seconds without
// requests neither end nor make one.
func (t *tally) recovery() int {
	longest, run, gap := 0, 0, 0
	for _, s := range t.seconds {
		switch {
		case s.requests == 0:
			gap++
		case float64(s.late) >= badShare*float64(s.requests):
			if run > 0 {
				run += gap
			}
			run++
			gap = 0
			longest = max(longest, run)
		default:
			run, gap = 0, 0
		}
	}
	return longest
}

// histogram keeps times in bins of 1 %, from 0.1 ms on.
type histogram struct {
	bins []int
	n    int
}

const (
	binBase  = 1.01
	binFirst = 1e-4 // s
	binLast  = 1600 // about 800 s: what never came
)

func (h *histogram) add(s float64) {
	if h.bins == nil {
		h.bins = make([]int, binLast+1)
	}
	i := binLast
	if !math.IsInf(s, 1) {
		i = min(max(0, int(math.Ceil(math.Log(s/binFirst)/math.Log(binBase)))), binLast-1)
	}
	h.bins[i]++
	h.n++
}

// quantile returns the q-quantile in seconds, 0 of nothing, +Inf where it is
// one of those that failed.
func (h *histogram) quantile(q float64) float64 {
	rank := int(math.Ceil(q * float64(h.n)))
	for i, n := range h.bins {
		if rank -= n; rank <= 0 && h.n > 0 {
			if i == binLast {
				return math.Inf(1)
			}
			return binFirst * math.Pow(binBase, float64(i))
		}
	}
	return 0
}

// reversals counts the changes of direction in a list of changes.
func reversals(changes []int) (n int) {
	changes = slices.DeleteFunc(slices.Clone(changes), func(c int) bool { return c == 0 })
	for i := 1; i < len(changes); i++ {
		if changes[i] > 0 != (changes[i-1] > 0) {
			n++
		}
	}
	return n
}
