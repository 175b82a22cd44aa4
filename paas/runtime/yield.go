package runtime

import (
	"math"
	"time"
)

const (
	// loadSpan is the time over which a tenant's load is smoothed. Weights follow it, and it follows them: with
	// looks each lookEvery the loop settles as long as 1 − e^(−lookEvery/loadSpan) < 2/(1+steepness).
	loadSpan = 350 * time.Millisecond
	// steepness is the power by which the weight of a tenant falls with its load.
	steepness = 6
	// leastPart bounds how far it falls: it must not starve.
	leastPart = 0.01
	// activeFrom is the load in cores from which a tenant counts as one among whom the cores are shared out.
	activeFrom = 0.02
)

// load is what one tenant takes of the cores.
type load struct {
	weight float64       // its own: 100 is the usual one
	used   time.Duration // CPU time that its group has taken
	at     time.Time     // when that was read
	cores  float64       // mean of late
	part   float64       // of its weight, as it was last set
}

// note takes a reading of the CPU time that the group has used.
func (l *load) note(used time.Duration, now time.Time) {
	if span := now.Sub(l.at); !l.at.IsZero() && span > 0 {
		cores := (used - l.used).Seconds() / span.Seconds()
		l.cores += (cores - l.cores) * (1 - math.Exp(-float64(span)/float64(loadSpan)))
	}
	l.used, l.at = used, now
}

// parts returns what each tenant keeps of its weight while the cores are busy,
// leastPart to 1. The kernel is fair over seconds, and lets a page that needs
// 10 ms wait behind whoever burns a core all the time; so light tenants go
// first. The heaviest keeps the less the more it takes beyond half of its fair
// part of all cores; others keep the more the less they take beside it. Two
// that want all there is come to rest at equal loads, each by its weight, as
// they would without it.
func parts(loads []*load, cores float64) []float64 {
	var total, heaviest float64 // the heaviest by weight
	for _, l := range loads {
		if l.cores >= activeFrom {
			total += l.weight
			heaviest = max(heaviest, l.cores/l.weight)
		}
	}
	found, most := make([]float64, len(loads)), 0.0
	for i, l := range loads {
		found[i] = 1
		if l.cores < activeFrom {
			continue
		}
		floor := max(leastPart, math.Pow(cores/total/2/heaviest, steepness))
		found[i] = min(1, floor*math.Pow(heaviest*l.weight/l.cores, steepness))
		most = max(most, found[i])
	}
	for i, l := range loads {
		if l.cores >= activeFrom {
			found[i] /= most // somebody always has its whole weight beside what else runs on the host
		}
	}
	return found
}
