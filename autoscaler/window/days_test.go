package window

import (
	"testing"
	"time"
)

func TestDays(t *testing.T) {
	// Each day 10 requests/s, and 80 from 12:00 on; the first day 100.
	filled := func(edit func(at time.Time, rate float64) float64) *Days {
		d := &Days{}
		for at := noon.Add(-49 * time.Hour); at.Before(noon.Add(-5 * time.Minute)); at = at.Add(time.Minute) {
			rate := 10.0
			if at.Hour() == 12 {
				rate = 80
				if noon.Sub(at) > 25*time.Hour {
					rate = 100
				}
			}
			if edit != nil {
				rate = edit(at, rate)
			}
			d.Remember(at, rate)
		}
		return d
	}
	now := noon.Add(-5 * time.Minute)
	f := func(name string, d *Days, now time.Time, ahead time.Duration, want float64, known bool) {
		t.Helper()
		if got, ok := d.Usual(now, ahead); got != want || ok != known {
			t.Errorf("%s: %g, %v; want %g, %v", name, got, ok, want, known)
		}
	}
	f("long before the rush nothing else is usual", filled(nil), now, time.Minute, 10, true)
	f("ahead of it the lesser of both days", filled(nil), now, 6*time.Minute, 80, true)
	f("nothing is known of an empty past", &Days{}, now, time.Minute, 0, false)
	f("a day that was otherwise is no pattern", filled(func(at time.Time, rate float64) float64 {
		if noon.Sub(at) < 3*time.Hour {
			return 3 * rate
		}
		return rate
	}), now, 6*time.Minute, 0, false)
	f("no requests at all are no pattern", filled(func(time.Time, float64) float64 { return 0 }), now, time.Minute, 0, false)
	f("a clock that went back two days knows nothing", filled(nil), now.Add(-48*time.Hour), time.Minute, 0, false)
	d := filled(nil)
	for s := range 60 { // the seconds of a minute add up
		d.Add(noon.Add(-5*time.Minute).Add(time.Duration(s)*time.Second), float64(s%3))
	}
	d.Remember(noon.Add(-5*time.Minute), 500) // it is known already
	if v, ok := d.at(noon.Add(-5 * time.Minute)); v != 1 || !ok {
		t.Errorf("%g, %v", v, ok)
	}
}
