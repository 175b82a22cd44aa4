package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// ideal is a shared queue in front of all slots of all replicas, which no
// balancer can do better than without knowing what requests will take: the
// longest waiting request goes to the slot that is free first, to one of the
// fastest replica where several are. Times are in seconds.
type ideal struct {
	replicas, slots int
	rate, length    float64
	times           float64 // so many times slower is the last replica
	from, to        float64 // the last replica is away then
	restarts        bool    // … and what it works on begins anew elsewhere
}

// slot is one place to work in.
type slot struct {
	free float64
	last bool // of the last replica
}

// p99 returns the 99th percentile of response time in ms.
func (i ideal) p99(seed uint64) float64 {
	r := rand.New(rand.NewPCG(seed, 99))
	slots := make([]slot, i.replicas*i.slots)
	for k := range slots {
		slots[k].last = k >= (i.replicas-1)*i.slots
	}
	n := int(i.rate * i.length)
	took := make([]float64, n)
	for k := range took {
		at := float64(k) / i.rate
		took[k] = i.serve(slots, at, balanceWork.Seconds()*workTimes(r.NormFloat64())) - at
	}
	slices.Sort(took)
	return 1000 * took[int(math.Ceil(0.99*float64(n)))-1]
}

// serve gives a request its slot and returns when it ends.
func (i ideal) serve(slots []slot, at, work float64) float64 {
	best, bestAt := -1, 0.0
	for k, s := range slots {
		begin := max(at, s.free)
		if s.last && begin >= i.from && begin < i.to {
			begin = i.to
		}
		if best < 0 || begin < bestAt || begin == bestAt && slots[best].last && !s.last {
			best, bestAt = k, begin
		}
	}
	s := &slots[best]
	if s.last {
		work *= i.times
	}
	end := bestAt + work
	if s.last && bestAt < i.from && end > i.from {
		if s.free = i.to; i.restarts {
			return i.serve(slots, i.from, work/i.times)
		}
		end += i.to - i.from
	}
	s.free = end
	return end
}
