package alert

import (
	"math"
	"slices"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"

	"kurama/logship/record"
)

// meterSlices is how many slices a window is made of at the most: a window is
// exact to one part in so many.
const meterSlices = 120

// meter measures one aggregate over the records of one app.
type meter struct {
	of     *aggregate
	width  int64 // seconds of a slice
	slices []meterSlice
	begun  time.Time // since when it has seen all records; zero: not yet
}

type meterSlice struct {
	start  int64 // Unix second of its begin; 0: never used
	count  int64 // records that pass the test
	failed int64 // of them with status 500 and above
	sum    float64
	low    float64
	high   float64
	values int64 // records with a known figure
	sketch *ddsketch.DDSketch
}

func newMeter(of *aggregate) *meter {
	seconds := int64(of.window / time.Second)
	width := max(1, (seconds+meterSlices-1)/meterSlices)
	return &meter{of: of, width: width, slices: make([]meterSlice, seconds/width+2)}
}

// observe takes a record in that was made at t.
func (m *meter) observe(r *record.Record, t time.Time) {
	if !slices.Contains(m.of.kinds, r.Kind) || m.of.unit == unitPercent && r.Kind == record.KindSample && r.Replica == "router" {
		return
	}
	if m.of.test != nil && !m.of.test(r) {
		return
	}
	start := t.Unix() - t.Unix()%m.width
	s := &m.slices[(start/m.width)%int64(len(m.slices))]
	switch {
	case start < s.start:
		return
	case start > s.start:
		*s = meterSlice{start: start, sketch: s.sketch}
	}
	s.count++
	if r.Status >= 500 {
		s.failed++
	}
	if m.of.get == nil {
		return
	}
	if v := m.of.get(r); v.Known {
		s.value(v.Value, m.of.fn)
	}
}

// value takes a figure in.
func (s *meterSlice) value(v float64, fn string) {
	if s.values == 0 {
		s.low, s.high = v, v
	}
	s.values++
	s.sum, s.low, s.high = s.sum+v, min(s.low, v), max(s.high, v)
	if fn[0] != 'p' {
		return
	}
	if s.sketch == nil {
		s.sketch, _ = ddsketch.NewDefaultDDSketch(accuracy) // the accuracy is a constant within bounds
	}
	if s.values == 1 {
		s.sketch.Clear()
	}
	_ = s.sketch.Add(v) // a value beyond what a float can index is left out
}

// measure returns the figure of the window that ends at now; false where it is
// not known.
func (m *meter) measure(now time.Time) (float64, bool) {
	var all meterSlice
	end, first := now.Unix(), now.Add(-m.of.window).Unix()
	for i := range m.slices {
		s := &m.slices[i]
		if s.start+m.width-1 <= first || s.start > end {
			continue
		}
		if err := all.merge(s, m.of.fn); err != nil {
			return 0, false
		}
	}
	span := min(now.Sub(m.begun), m.of.window)
	if m.begun.IsZero() {
		span = 0
	}
	return m.result(&all, span)
}

func (s *meterSlice) merge(other *meterSlice, fn string) error {
	if other.values > 0 {
		if s.values == 0 {
			s.low, s.high = other.low, other.high
		}
		s.low, s.high = min(s.low, other.low), max(s.high, other.high)
	}
	s.count, s.failed, s.sum = s.count+other.count, s.failed+other.failed, s.sum+other.sum
	if s.values += other.values; fn[0] != 'p' || other.values == 0 {
		return nil
	}
	if s.sketch == nil {
		s.sketch = other.sketch.Copy()
		return nil
	}
	return s.sketch.MergeWith(other.sketch)
}

// result makes the figure of what was counted in a watched span.
func (m *meter) result(all *meterSlice, span time.Duration) (float64, bool) {
	switch m.of.fn {
	case "count", "oom":
		return float64(all.count), true
	case "nodata":
		if all.count > 0 {
			return 0, true
		}
		return 1, span >= m.of.window
	case "rate":
		return float64(all.count) / span.Seconds(), span >= minSpan
	case "error_rate":
		return 100 * float64(all.failed) / float64(all.count), all.count > 0
	}
	if all.values == 0 {
		return 0, false
	}
	switch m.of.fn {
	case "mean":
		return all.sum / float64(all.values), true
	case "sum":
		return all.sum, true
	case "max":
		return all.high, true
	case "min":
		return all.low, true
	}
	q := map[string]float64{"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}[m.of.fn]
	v, err := all.sketch.GetValueAtQuantile(q)
	return v, err == nil && !math.IsNaN(v)
}
