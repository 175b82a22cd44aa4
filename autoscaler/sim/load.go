package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Load is a course of the rate of requests.
type Load struct {
	Name    string
	Seconds int
	Rate    func(second int) float64 // requests per second
	Tuned   bool                     // swift was tuned on it
	Even    bool                     // requests come evenly within a second, not as independent people come
}

// Loads returns the synthetic loads.
func Loads() []Load {
	step := func(s int, at ...float64) float64 { // value, from second, value, from second …
		v := at[0]
		for i := 1; i+1 < len(at); i += 2 {
			if float64(s) >= at[i] {
				v = at[i+1]
			}
		}
		return v
	}
	wave := func(s, low, high, period float64) float64 {
		return (low+high)/2 - (high-low)/2*math.Cos(2*math.Pi*s/period)
	}
	return []Load{
		{"step", 900, func(s int) float64 { return step(s, 20, 120, 200, 600, 20) }, true, false},
		{"sine-5m", 1800, func(s int) float64 { return wave(float64(s), 20, 200, 300) }, true, false},
		{"burst", 1200, func(s int) float64 { return spike(s, 20, 300, 120, 6) }, true, false},
		{"decay", 1200, func(s int) float64 { return 300 * math.Exp(-float64(s)/300) }, true, false},
		{"stairs", 1500, func(s int) float64 { return step(s, 5, 300, 100, 600, 200, 900, 300, 1200, 5) }, false, false},
		{"ramp", 1500, func(s int) float64 { return 20 + 280*max(0, 1-math.Abs(float64(s)-750)/600) }, false, false},
		{"sine-20m", 2400, func(s int) float64 { return wave(float64(s), 20, 200, 1200) }, false, false},
		{"square", 1200, func(s int) float64 { return spike(s, 60, 150, 60, 30) }, false, false},
		{"idle", 1800, func(int) float64 { return 0.1 }, false, false},
		{"step-small", 900, func(s int) float64 { return step(s, 10, 120, 70, 600, 10) }, false, false},
	}
}

// spike returns high for the last so many seconds of each period.
func spike(s int, low, high float64, period, lasts int) float64 {
	if s%period >= period-lasts {
		return high
	}
	return low
}

// LoadNamed returns the synthetic load of a name.
func LoadNamed(name string) (Load, error) {
	for _, l := range Loads() {
		if l.Name == name {
			return l, nil
		}
	}
	return Load{}, fmt.Errorf("there is no load called %q: use one of %s", name, namesOf(Loads(), func(l Load) string { return l.Name }))
}

// arrivals returns the moments within a second at which requests come: a
// Poisson process at the second's rate, or as many as that at equal distances.
func (l Load) arrivals(r *rand.Rand, second int) []float64 {
	if l.Even {
		list := make([]float64, int(math.Round(l.Rate(second))))
		for i := range list {
			list[i] = float64(second) + float64(i)/float64(len(list))
		}
		return list
	}
	n := poisson(r, l.Rate(second))
	list := make([]float64, n)
	for i := range list {
		list[i] = float64(second) + r.Float64()
	}
	slices.Sort(list)
	return list
}

// poisson draws a number of events of which mean are expected.
func poisson(r *rand.Rand, mean float64) int {
	if mean > 500 { // a normal deviate is as good, and does not run out of floating point
		return max(0, int(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	n, p := 0, r.Float64()
	for limit := math.Exp(-mean); p > limit; p *= r.Float64() {
		n++
	}
	return n
}

func sortedCopy(list []float64) []float64 {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

func namesOf[T any](list []T, name func(T) string) string {
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = name(v)
	}
	return strings.Join(names, ", ")
}
