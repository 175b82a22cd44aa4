package window

import (
	"math"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

func TestValues(t *testing.T) {
	w := NewValues(100 * time.Second)
	if _, n := w.Quantile(at(0), 0.95); n != 0 {
		t.Errorf("an empty window has %d values", n)
	}
	for i := range 100 {
		w.Add(at(float64(i)), float64(i+1))
	}
	check := func(now time.Time, q, want float64, count int) {
		t.Helper()
		if v, n := w.Quantile(now, q); v != want || n != count {
			t.Errorf("q %v at %v is %v of %d, want %v of %d", q, now.Sub(noon), v, n, want, count)
		}
	}
	check(at(99), 0.95, 95, 100)
	check(at(99), 0, 1, 100)
	check(at(99), 1, 100, 100)
	check(at(149), 0.5, 75, 50) // the older half is gone
	check(at(200), 0.95, 0, 0)  // nothing is left, which is not 0 load
	check(at(9), 0.95, 10, 10)  // a clock set back sees no future
	w.Add(at(99.5), 7)          // the same second again
	check(at(99), 1, 99, 100)
	w.Add(at(-1), 1000) // later than a whole window
	check(at(99), 1, 99, 100)
	w.Reset()
	check(at(99), 0.95, 0, 0)
}

func TestSketches(t *testing.T) {
	w := NewSketches(10 * time.Minute)
	if w.Length() != 10*time.Minute {
		t.Errorf("length %v", w.Length())
	}
	for i := range 10_000 {
		w.Add(at(float64(i)*0.06), float64(i%1000))
	}
	check := func(now time.Time, q, want float64, count, slack int) {
		t.Helper()
		v, n := w.Quantile(now, q)
		if math.Abs(v-want) > 0.0201*want || n < count-slack || n > count+slack {
			t.Errorf("q %v at %v is %v of %d, want %v of %d", q, now.Sub(noon), v, n, want, count)
		}
	}
	check(at(599.9), 0.95, 950, 10_000, 0)
	check(at(599.9), 0.50, 500, 10_000, 0)
	check(at(899.9), 0.95, 950, 5_000, 200)
	check(at(1200), 0.95, 0, 0, 0)
	w.Add(at(600), -1)
	w.Add(at(600), math.NaN())
	check(at(1199.9), 0.95, 0, 0, 0)
	w.Add(at(1199), 5)
	check(at(1199.9), 0.95, 5, 1, 0)
	w.Reset()
	check(at(1199.9), 0.95, 0, 0, 0)
}
