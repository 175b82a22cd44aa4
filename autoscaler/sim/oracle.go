package sim

import (
	"math"

	"kurama/autoscaler/policy"
)

const (
	oracleLate  = 0.01 // share of requests that may wait longer than the objective leaves room for
	oracleCores = 0.85 // share of the cores that may be in use
)

// needs returns the replicas that each second of the load needs, known
// beforehand: the fewest with which a hundredth of the requests waits longer
// than half of what the objective leaves beside the work, and the cores are
// not overloaded. Work of a database that is the bound is left to it.
func (e Experiment) needs() []int {
	list := make([]int, e.Load.Seconds)
	known := map[float64]int{}
	for s := range list {
		rate := e.Load.Rate(s)
		n, ok := known[rate]
		if !ok {
			n = e.need(rate)
			known[rate] = n
		}
		list[s] = n
	}
	return list
}

func (e Experiment) need(rate float64) int {
	p := e.Plant
	busy := rate * p.Work
	if p.Conns > 0 { // what the database does not take is no work for replicas
		busy = min(busy, float64(p.Conns)/max(p.DB, 1e-9))
	}
	room := max(e.Objective-p.Work, p.Work) / 2
	for n := 1; n < p.Most; n++ {
		if policy.Waits(busy, float64(n*p.Slots), p.Work, room) <= oracleLate && busy*p.CPU <= oracleCores*float64(n) {
			return n
		}
	}
	return p.Most
}

// oracle has at each second what is needed until replicas ordered now are up.
type oracle struct {
	needs []int
	ahead int
}

func newOracle(e Experiment, needs []int) scaler {
	return oracle{needs, int(math.Ceil(e.Plant.Start.late())) + 1}
}

func (o oracle) decide(l look) int {
	most := 1
	for s := l.at; s <= min(l.at+o.ahead, len(o.needs)-1); s++ {
		most = max(most, o.needs[s])
	}
	return most
}

// peak has always what the busiest second needs.
type peak int

func newPeak(_ Experiment, needs []int) scaler {
	most := 1
	for _, n := range needs {
		most = max(most, n)
	}
	return peak(most)
}

func (p peak) decide(look) int { return int(p) }
