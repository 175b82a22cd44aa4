package reqsim

import (
	"math"
	"time"
)

// curve is a shape with its numbers: the rate at a time and, as its integral,
// the requests due by a time. Seconds and requests per second.
type curve struct {
	shape            Shape
	rate, peak       float64
	duration, period float64
}

func curveOf(p Phase) curve {
	return curve{shape: p.Shape, rate: p.Rate, peak: p.Peak, duration: p.Duration.Seconds(), period: p.Period.Seconds()}
}

// A spike lasts from 40 % to 60 % of its period.
const spikeFrom, spikeTo = 0.4, 0.6

// at returns the rate at second t.
func (c curve) at(t float64) float64 {
	switch c.shape {
	case Ramp:
		return c.rate + (c.peak-c.rate)*t/c.duration
	case Spike:
		if phase := math.Mod(t, c.period) / c.period; phase >= spikeFrom && phase < spikeTo {
			return c.peak
		}
		return c.rate
	case Sine:
		return (c.rate+c.peak)/2 - (c.peak-c.rate)/2*math.Cos(2*math.Pi*t/c.period)
	}
	return c.rate
}

// by returns the requests due until second t, a real number that only grows.
func (c curve) by(t float64) float64 {
	switch c.shape {
	case Ramp:
		return c.rate*t + (c.peak-c.rate)*t*t/(2*c.duration)
	case Spike:
		whole, part := math.Modf(t / c.period)
		inside := min(max(part-spikeFrom, 0), spikeTo-spikeFrom) + whole*(spikeTo-spikeFrom)
		return c.rate*t + (c.peak-c.rate)*inside*c.period
	case Sine:
		return (c.rate+c.peak)/2*t - (c.peak-c.rate)/2*c.period/(2*math.Pi)*math.Sin(2*math.Pi*t/c.period)
	}
	return c.rate * t
}

// total returns the number of requests of the whole curve.
func (c curve) total() uint64 {
	// A sum that misses a whole number by rounding alone is that number.
	return uint64(math.Ceil(c.by(c.duration) - 1e-6))
}

// due returns when request n (from 0) is to be sent: the time by which n were due.
func (c curve) due(n uint64) time.Duration {
	if n == 0 && c.at(0) > 0 {
		return 0
	}
	low, high, want := 0.0, c.duration, float64(n)
	for high-low > 1e-6 { // µs: 32 steps for an hour
		if mid := (low + high) / 2; c.by(mid) < want {
			low = mid
		} else {
			high = mid
		}
	}
	return time.Duration(high * float64(time.Second))
}
