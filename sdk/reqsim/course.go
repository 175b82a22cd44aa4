package reqsim

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"time"
)

// Phase is a stretch of a run with a shape of its own. Phases of one name are
// told as one.
type Phase struct {
	Name     string        // empty: its shape
	Shape    Shape         // empty: Constant
	Rate     float64       // requests per second
	Peak     float64       // of Ramp, Spike and Sine
	Duration time.Duration // above 0
	Period   time.Duration // of Spike and Sine; 0: Duration
}

// course is the phases of a run one after the other. Times are in seconds since
// its beginning.
type course struct {
	parts []part
	end   float64
	total uint64
}

// part is one phase in its place.
type part struct {
	curve
	name     string
	from     float64
	first    uint64    // number of its first request
	arrivals []float64 // when its requests are due, since from; nil: as the curve says
}

// courseOf lays the phases of a plan out.
func courseOf(p Plan) *course {
	c := &course{}
	r := rand.New(rand.NewPCG(p.Seed, 0x706f6973))
	for _, phase := range p.Phases {
		x := part{curve: curveOf(phase), name: phase.Name, from: c.end, first: c.total}
		n := x.curve.total()
		if x.shape == Poisson {
			x.arrivals = poissonArrivals(r, x.rate, x.duration)
			n = uint64(len(x.arrivals))
		}
		c.parts = append(c.parts, x)
		c.end, c.total = c.end+x.duration, c.total+n
	}
	if len(p.Replay) > 0 {
		c.parts = []part{{curve: curve{shape: Constant, duration: p.Duration.Seconds()}, name: "replay", arrivals: offsets(p.Replay)}}
		c.end, c.total = p.Duration.Seconds(), uint64(len(p.Replay))
		c.parts[0].rate = float64(len(p.Replay)) / max(c.end, 1e-9)
	}
	return c
}

// poissonArrivals draws the moments of a Poisson process.
func poissonArrivals(r *rand.Rand, rate, length float64) []float64 {
	list := []float64{}
	for t := r.ExpFloat64() / rate; rate > 0 && t < length; t += r.ExpFloat64() / rate {
		list = append(list, t)
	}
	return list
}

func offsets(hits []Hit) []float64 {
	list := make([]float64, len(hits))
	for i, h := range hits {
		list[i] = h.At.Seconds()
	}
	return list
}

// phaseOf returns the part that holds request n.
func (c *course) phaseOf(n uint64) *part {
	i := sort.Search(len(c.parts), func(i int) bool { return c.parts[i].first > n }) - 1
	return &c.parts[max(i, 0)]
}

// due returns when request n (from 0) is to be sent.
func (c *course) due(n uint64) time.Duration {
	p := c.phaseOf(n)
	k := n - p.first
	if p.arrivals != nil {
		return seconds64(p.from + p.arrivals[min(k, uint64(len(p.arrivals)-1))])
	}
	return seconds64(p.from) + p.curve.due(k)
}

// at returns the rate wanted at second t.
func (c *course) at(t float64) float64 {
	for i := len(c.parts) - 1; i >= 0; i-- {
		if p := &c.parts[i]; t >= p.from {
			return p.curve.at(min(t-p.from, p.duration))
		}
	}
	return 0
}

// names returns the names of the phases in their order.
func (c *course) names() (list []string) {
	for _, p := range c.parts {
		if !slices.Contains(list, p.name) {
			list = append(list, p.name)
		}
	}
	return list
}

func seconds64(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }

// completePhases fills in what phases leave out; a plan without any has one of
// its own shape.
func (p *Plan) completePhases() {
	if len(p.Phases) == 0 {
		p.Phases = []Phase{{Name: string(p.Shape), Shape: p.Shape, Rate: p.Rate, Peak: p.Peak, Duration: p.Duration, Period: p.Period}}
	} else {
		p.Shape, p.Phases = Phased, slices.Clone(p.Phases)
	}
	total := time.Duration(0)
	for i := range p.Phases {
		f := &p.Phases[i]
		f.Shape = cmp.Or(f.Shape, Constant)
		f.Name = cmp.Or(f.Name, string(f.Shape))
		f.Period = cmp.Or(f.Period, f.Duration)
		if f.Shape == Pause {
			f.Rate, f.Peak = 0, 0
		}
		if f.Shape == Constant || f.Shape == Poisson {
			f.Peak = f.Rate
		}
		total += f.Duration
	}
	if p.Shape == Phased {
		p.Duration = total
	}
}
