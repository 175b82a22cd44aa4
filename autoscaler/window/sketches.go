package window

import (
	"fmt"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"
)

const (
	steps    = 60   // per window: it moves on in steps of a sixtieth
	accuracy = 0.01 // relative error of a quantile
)

// Sketches holds any number of values as a ring of sketches, with a relative
// error of 1 %. It is not safe for concurrent use.
type Sketches struct {
	step time.Duration
	ring [steps]slice
}

type slice struct {
	number int64 // of the step since the epoch
	count  int
	sketch *ddsketch.DDSketch // nil until the first value; reused
}

// NewSketches returns a window of the given length, at least one second.
func NewSketches(length time.Duration) *Sketches {
	return &Sketches{step: max(length, time.Second) / steps}
}

// Length returns the length of the window.
func (w *Sketches) Length() time.Duration { return w.step * steps }

// Add stores v, which must not be negative, at the time t. Times that lie a
// whole window behind the newest are ignored.
func (w *Sketches) Add(t time.Time, v float64) {
	if !(v >= 0) {
		return
	}
	number := t.UnixNano() / int64(w.step)
	s := &w.ring[number%steps]
	if number < s.number {
		return
	}
	if s.sketch == nil {
		// The accuracy is a constant within bounds: no error can come.
		s.sketch, _ = ddsketch.NewDefaultDDSketch(accuracy)
	}
	if number > s.number {
		s.sketch.Clear()
		s.number, s.count = number, 0
	}
	if s.sketch.Add(v) == nil { // an error means a value beyond all sense
		s.count++
	}
}

// Quantile returns the quantile q (0 to 1) of the values in the window that
// ends at now, and the number of values. With n 0 there is no quantile.
func (w *Sketches) Quantile(now time.Time, q float64) (v float64, n int) {
	end := now.UnixNano() / int64(w.step)
	var sum *ddsketch.DDSketch
	for i := range w.ring {
		s := &w.ring[i]
		if s.count == 0 || s.number > end || s.number <= end-steps {
			continue
		}
		n += s.count
		if sum == nil {
			sum = s.sketch.Copy()
		} else if err := sum.MergeWith(s.sketch); err != nil {
			panic(fmt.Sprintf("window: sketches with one mapping do not merge: %v", err))
		}
	}
	if sum == nil {
		return 0, 0
	}
	v, err := sum.GetValueAtQuantile(q)
	if err != nil {
		return 0, 0
	}
	return v, n
}

// Reset empties the window.
func (w *Sketches) Reset() {
	for i := range w.ring {
		w.ring[i].number, w.ring[i].count = 0, 0
	}
}
