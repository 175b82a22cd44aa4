package sim

import "slices"

const (
	herokuHour   = 60        // minutes that it looks back
	herokuUp     = 60        // s at the least between two changes
	herokuDown   = 300       // s at the least before a step down
	herokuTarget = 0.2 * 1e3 // ms: where an experiment names no objective
)

// heroku is Heroku's autoscaling of web dynos by p95 ("Autoscaling" in its Dev
// Center): from the past hour's data it computes the fewest dynos that keep
// the p95 response time below the target at the present throughput; one dyno
// at a time, changes at least a minute apart, and down less aggressively than
// up. How the fewest are computed and what less aggressively means is not
// told. Taken here: the highest throughput per dyno of a minute in which p95
// was below the target is what a dyno can do; without such a minute, and while
// p95 is above the target, one more is needed; down after five minutes.
type heroku struct {
	target  float64 // ms
	least   int
	most    int
	minutes []herokuMinute // the last hour's, oldest first
	took    []float64      // of the minute under way
	changed int            // second of the last change
}

// herokuMinute is a minute's data.
type herokuMinute struct{ perDyno, p95 float64 }

func newHeroku(e Experiment, _ []int) scaler {
	h := &heroku{target: e.Objective * 1000, least: 1, most: e.Plant.Most, changed: -herokuDown}
	if h.target == 0 {
		h.target = herokuTarget
	}
	return h
}

func (h *heroku) decide(l look) int {
	h.took = append(h.took, l.took...)
	if (l.at+1)%60 != 0 {
		return l.wanted
	}
	slices.Sort(h.took)
	n := len(h.took)
	throughput := float64(n) / 60
	m := herokuMinute{perDyno: throughput / max(1, l.figure.Ready.Value)}
	if n > 0 {
		m.p95 = h.took[min(n-1, n*95/100)]
	}
	h.took = h.took[:0]
	h.minutes = append(h.minutes, m)
	h.minutes = h.minutes[max(0, len(h.minutes)-herokuHour):]
	return h.step(l, h.fewest(throughput, m, l.wanted))
}

// fewest returns how many dynos the hour's data asks for.
func (h *heroku) fewest(throughput float64, now herokuMinute, have int) int {
	if now.p95 > h.target {
		return have + 1
	}
	able := 0.0
	for _, m := range h.minutes {
		if m.p95 <= h.target {
			able = max(able, m.perDyno)
		}
	}
	n := 1
	for able > 0 && float64(n)*able < throughput-1e-9 {
		n++
	}
	return n
}

// step moves by one towards n, as far apart as it must be.
func (h *heroku) step(l look, n int) int {
	since := l.at - h.changed
	to := l.wanted
	switch {
	case n > to && since >= herokuUp:
		to = min(to+1, h.most)
	case n < to && since >= herokuDown:
		to = max(to-1, h.least)
	}
	if to != l.wanted {
		h.changed = l.at
	}
	return to
}
