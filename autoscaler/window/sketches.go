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

	closed  *ddsketch.DDSketch // sum of all steps of the window before the step end
	closedN int
	end     int64 // 0: closed is out of date
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
	if number != w.end { // a late value belongs to a step that is summed up already
		w.end = 0
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
	if end != w.end {
		w.closed, w.closedN = w.sum(end-steps+1, end-1)
		w.end = end
	}
	newest := &w.ring[end%steps]
	if newest.number != end || newest.count == 0 {
		return quantile(w.closed, q), w.closedN
	}
	if w.closedN == 0 {
		return quantile(newest.sketch, q), newest.count
	}
	all := w.closed.Copy()
	merge(all, newest.sketch)
	return quantile(all, q), w.closedN + newest.count
}

// sum merges the steps from first to last.
func (w *Sketches) sum(first, last int64) (sum *ddsketch.DDSketch, n int) {
	for i := range w.ring {
		s := &w.ring[i]
		if s.count == 0 || s.number < first || s.number > last {
			continue
		}
		n += s.count
		if sum == nil {
			sum = s.sketch.Copy()
		} else {
			merge(sum, s.sketch)
		}
	}
	return sum, n
}

func merge(into, from *ddsketch.DDSketch) {
	if err := into.MergeWith(from); err != nil {
		panic(fmt.Sprintf("window: sketches with one mapping do not merge: %v", err))
	}
}

// quantile returns 0 for no sketch.
func quantile(s *ddsketch.DDSketch, q float64) float64 {
	if s == nil {
		return 0
	}
	v, err := s.GetValueAtQuantile(q)
	if err != nil {
		return 0
	}
	return v
}

// Reset empties the window.
func (w *Sketches) Reset() {
	w.end = 0
	for i := range w.ring {
		w.ring[i].number, w.ring[i].count = 0, 0
	}
}
