package policy

import (
	"math"
	"testing"
)

func TestWaits(t *testing.T) {
	f := func(busy, slots, work, after, want float64) {
		t.Helper()
		if got := Waits(busy, slots, work, after); math.Abs(got-want) > 1e-4 {
			t.Errorf("%g of %g slots, %g s after %g s: %.4f, want %.4f", busy, slots, work, after, got, want)
		}
	}
	f(0, 4, 1, 0, 0)
	f(0.5, 1, 1, 0, 0.5)    // one server waits as often as it is busy
	f(0.5, 1, 1, 2, 0.1839) // 0.5·e^-1
	f(1, 2, 1, 0, 1.0/3)    // 2ρ²/(1+ρ) with ρ = 1/2
	f(2, 3, 1, 0, 4.0/9)    // (8/6·3)/(1+2+2+4) = 4/9
	f(2, 3, 0.5, 1, 4.0/9*math.Exp(-2))
	f(4, 4, 1, 10, 1)
	f(5, 4, 1, 10, 1)
}
