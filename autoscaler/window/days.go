package window

import (
	"math"
	"time"
)

const (
	days       = 3                 // that are kept: today, and two to compare it with
	alikeSpan  = time.Hour         // of today that is compared with the same time of the days before
	alike      = 0.25              // share by which it may differ from them
	alikeKnown = 50                // minutes of it that must be known
	dayMinutes = 24 * 60           // in a day
	slots      = days * dayMinutes // of the ring
)

// Days keeps the rate of requests of each minute of the last days, and tells
// what is usual at a time. It is not safe for concurrent use.
type Days struct {
	ring [slots]minute
}

// minute is the seconds of one minute that were told.
type minute struct {
	number int32 // since 1970
	n      uint16
	sum    float32
}

// Add adds the rate (1/s) of a second.
func (d *Days) Add(t time.Time, rate float64) { d.add(t, rate, 1) }

// Remember adds the mean rate (1/s) of a whole minute that is not known yet.
func (d *Days) Remember(t time.Time, rate float64) {
	if _, known := d.at(t); !known {
		d.add(t, 60*rate, 60)
	}
}

func (d *Days) add(t time.Time, sum float64, n uint16) {
	number := int32(t.Unix() / 60)
	m := &d.ring[number%slots]
	if m.number > number {
		return
	}
	if m.number < number {
		*m = minute{number: number}
	}
	m.sum, m.n = m.sum+float32(sum), m.n+n
}

// at returns the mean rate of a minute; false while less than half of it is known.
func (d *Days) at(t time.Time) (rate float64, known bool) {
	number := int32(t.Unix() / 60)
	m := d.ring[number%slots]
	if m.number != number || m.n < 30 {
		return 0, false
	}
	return float64(m.sum) / float64(m.n), true
}

// Usual returns the rate (1/s) that both of the last two days had in their
// busiest minute from the time of day now until ahead later. It is known where
// the last hour was like the same hour of both days: without such a pattern the
// past says nothing of what comes.
func (d *Days) Usual(now time.Time, ahead time.Duration) (rate float64, known bool) {
	rate = math.Inf(1)
	for back := 1; back < days; back++ {
		then := now.Add(-time.Duration(back) * 24 * time.Hour)
		if !d.alike(now, then) {
			return 0, false
		}
		most := 0.0
		for t := then.Truncate(time.Minute); !t.After(then.Add(ahead)); t = t.Add(time.Minute) {
			v, ok := d.at(t)
			if !ok {
				return 0, false
			}
			most = max(most, v)
		}
		rate = min(rate, most)
	}
	return rate, true
}

// alike reports whether the hour before now was like that before then.
func (d *Days) alike(now, then time.Time) bool {
	apart, sum, n := 0.0, 0.0, 0
	for back := time.Minute; back <= alikeSpan; back += time.Minute {
		a, ok := d.at(now.Add(-back))
		b, also := d.at(then.Add(-back))
		if ok && also {
			apart, sum, n = apart+math.Abs(a-b), sum+b, n+1
		}
	}
	return n >= alikeKnown && sum > 0 && apart <= alike*sum
}
