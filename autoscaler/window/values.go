// Package window keeps figures over a span of time and answers with their
// quantiles. Time is passed in; nothing here looks at a clock. A quantile
// comes with the amount of figures behind it, and none is not 0.
package window

import (
	"math"
	"slices"
	"time"
)

// Values holds one value per second, exactly. It is not safe for concurrent
// use.
type Values struct {
	slots []slot
}

type slot struct {
	second int64
	value  float64
}

// NewValues returns a window of the given length, at least one second.
func NewValues(length time.Duration) *Values {
	return &Values{slots: make([]slot, max(1, int(length/time.Second)))}
}

// Length returns the length of the window.
func (w *Values) Length() time.Duration { return time.Duration(len(w.slots)) * time.Second }

// Add stores v for the second of t; a second value of the same second replaces
// the first. Times that lie a whole window behind the newest are ignored.
func (w *Values) Add(t time.Time, v float64) {
	second := t.Unix()
	s := &w.slots[int(second%int64(len(w.slots)))]
	if second >= s.second {
		*s = slot{second, v}
	}
}

// Quantile returns the quantile q (0 to 1) of the values in the window that
// ends at now, by the nearest rank, and the number of seconds that have a
// value. With n 0 there is no quantile.
func (w *Values) Quantile(now time.Time, q float64) (v float64, n int) {
	end := now.Unix()
	values := make([]float64, 0, len(w.slots))
	for _, s := range w.slots {
		if s.second <= end && s.second > end-int64(len(w.slots)) {
			values = append(values, s.value)
		}
	}
	if len(values) == 0 {
		return 0, 0
	}
	slices.Sort(values)
	rank := int(math.Ceil(q*float64(len(values)))) - 1
	return values[min(max(rank, 0), len(values)-1)], len(values)
}

// Reset empties the window.
func (w *Values) Reset() { clear(w.slots) }
