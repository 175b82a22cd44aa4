package runtime

import (
	"math"
	"testing"
	"time"
)

// compete lets tenants that want so many cores share them out by their weights
// for some looks, as the kernel does, and returns what each gets in the end.
func compete(wants, weight []float64, cores float64, looks int) []float64 {
	loads, got := make([]*load, len(wants)), make([]float64, len(wants))
	now := time.Unix(0, 0)
	for i := range wants {
		loads[i] = &load{weight: weight[i], part: 1, at: now}
	}
	mean := make([]float64, len(wants))
	for n := range looks {
		left, hungry := cores, map[int]bool{}
		for i := range wants {
			got[i], hungry[i] = 0, true
		}
		for left > 1e-9 && len(hungry) > 0 { // who wants less than its part leaves the rest to the others
			var total float64
			for i := range hungry {
				total += loads[i].weight * loads[i].part
			}
			spread := left
			for i := range hungry {
				more := min(wants[i]-got[i], spread*loads[i].weight*loads[i].part/total)
				got[i] += more
				left -= more
			}
			for i := range hungry {
				if got[i] >= wants[i]-1e-9 {
					delete(hungry, i)
				}
			}
		}
		now = now.Add(lookEvery)
		for i, l := range loads {
			l.note(l.used+time.Duration(got[i]*float64(lookEvery)), now)
			if n >= looks/2 {
				mean[i] += got[i] / float64(looks-looks/2)
			}
		}
		for i, part := range parts(loads, cores) {
			loads[i].part = part
		}
	}
	return mean
}

func TestWhoTakesMuchYields(t *testing.T) {
	at := func(cores ...float64) []float64 {
		var loads []*load
		for _, c := range cores {
			loads = append(loads, &load{weight: 100, cores: c})
		}
		return parts(loads, 2)
	}
	if got := at(0.45, 1); got[0] != 1 || got[1] > 0.03 {
		t.Errorf("an app of half a core and one that burns a core keep %v of their weights", got)
	}
	if got := at(0.01, 0.06, 0.45, 1); got[1] != 1 || got[2] < 0.9 || got[3] > 0.03 || got[0] != 1 {
		t.Errorf("of several, those that take little do not go first: %v", got)
	}
	for _, alone := range [][]float64{{1.9}, {0.3}, {0.01, 1.9}, {0.2, 0.1}} {
		for i, part := range at(alone...) {
			if part < 0.99 {
				t.Errorf("with loads %v the tenant %d keeps %.2f of its weight, though nobody has to wait for it", alone, i, part)
			}
		}
	}
	for name, c := range map[string]struct{ wants, weights, gets []float64 }{
		"two that want all get a half each":            {[]float64{2, 2}, []float64{100, 100}, []float64{1, 1}},
		"an operator's weight counts":                  {[]float64{2, 2}, []float64{100, 400}, []float64{0.4, 1.6}},
		"one that wants little gets it, and no more":   {[]float64{0.5, 2}, []float64{100, 100}, []float64{0.5, 1.5}},
		"what is left is shared out among the others":  {[]float64{0.2, 2, 2}, []float64{100, 100, 100}, []float64{0.2, 0.9, 0.9}},
		"nobody starves beside one of a great weight":  {[]float64{2, 2}, []float64{100, 1900}, []float64{0.1, 1.9}},
		"five that want all get the same, small parts": {[]float64{2, 2, 2, 2, 2}, []float64{100, 100, 100, 100, 100}, []float64{0.4, 0.4, 0.4, 0.4, 0.4}},
	} {
		t.Run(name, func(t *testing.T) {
			for i, got := range compete(c.wants, c.weights, 2, 400) {
				if math.Abs(got-c.gets[i]) > 0.12*c.gets[i] {
					t.Errorf("tenant %d gets %.2f cores, not %.2f", i, got, c.gets[i])
				}
			}
		})
	}
}
