package reqsim

import (
	"context"
	"math"
	"net/url"
	"testing"
	"time"
)

func TestEachShapeSendsItsIntegral(t *testing.T) {
	f := func(c curve, want uint64) {
		t.Helper()
		if got := c.total(); got != want {
			t.Errorf("%s sends %d requests, not %d", c.shape, got, want)
		}
		sum, steps := 0.0, 20_000
		for i := range steps { // the rate, summed up, is what is due
			sum += c.at((float64(i)+0.5)*c.duration/float64(steps)) * c.duration / float64(steps)
		}
		if math.Abs(sum-c.by(c.duration)) > 1e-3*float64(want) {
			t.Errorf("%s: the rate sums up to %.2f, due are %.2f", c.shape, sum, c.by(c.duration))
		}
		last := time.Duration(-1)
		for n := range want {
			due := c.due(n)
			if due < last || due > time.Duration(c.duration*float64(time.Second)) {
				t.Fatalf("%s: request %d is due at %s, the one before at %s", c.shape, n, due, last)
			}
			if back := c.by(due.Seconds()); math.Abs(back-float64(n)) > 0.01 {
				t.Fatalf("%s: at %s, when request %d is due, %.3f are", c.shape, due, n, back)
			}
			last = due
		}
	}
	f(curve{shape: Constant, rate: 100, duration: 2, period: 2}, 200)
	f(curve{shape: Constant, rate: 0.5, duration: 3, period: 3}, 2)
	f(curve{shape: Ramp, rate: 0, peak: 100, duration: 10, period: 10}, 500)
	f(curve{shape: Ramp, rate: 100, peak: 20, duration: 5, period: 5}, 300)
	f(curve{shape: Spike, rate: 10, peak: 110, duration: 10, period: 10}, 300)
	f(curve{shape: Spike, rate: 10, peak: 110, duration: 10, period: 2.5}, 300)
	f(curve{shape: Sine, rate: 10, peak: 30, duration: 10, period: 5}, 200)
	f(curve{shape: Sine, rate: 0, peak: 20, duration: 60, period: 20}, 600)
}

func TestThePacerWaitsUntilARequestIsDue(t *testing.T) {
	p := newPacer(context.Background(), courseOf(Plan{Phases: []Phase{{Shape: Constant, Rate: 10, Duration: time.Second, Period: time.Second}}}))
	f := func(elapsed time.Duration, hits uint64, want time.Duration, over bool) {
		t.Helper()
		wait, stop := p.wait(elapsed, hits)
		if stop != over || (wait-want).Abs() > 10*time.Microsecond {
			t.Errorf("after %s with %d sent: wait %s, over %v; not %s, %v", elapsed, hits, wait, stop, want, over)
		}
	}
	f(0, 0, 0, false)
	f(0, 1, 100*time.Millisecond, false)
	f(50*time.Millisecond, 1, 50*time.Millisecond, false)
	f(350*time.Millisecond, 1, 0, false) // behind: at once
	f(900*time.Millisecond, 10, 0, true) // all sent
	f(1100*time.Millisecond, 3, 0, true) // the time is over
}

func TestAPlanIsChecked(t *testing.T) {
	good := Plan{URL: "http://hello.localhost:8080", Rate: 10, Duration: time.Second}
	if _, err := good.complete(); err != nil {
		t.Fatal(err)
	}
	f := func(name string, change func(*Plan)) {
		t.Helper()
		p := good
		change(&p)
		if _, err := p.complete(); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	f("an address without scheme", func(p *Plan) { p.URL = "hello.localhost:8080" })
	f("another scheme", func(p *Plan) { p.URL = "file:///etc/passwd" })
	f("no rate", func(p *Plan) { p.Rate = 0 })
	f("a rate that is not a number", func(p *Plan) { p.Rate = math.NaN() })
	f("a rate beyond the bound", func(p *Plan) { p.Rate = DefaultMaxRate + 1 })
	f("a peak beyond the bound", func(p *Plan) { p.Shape, p.Peak = Ramp, DefaultMaxRate+1 })
	f("a duration beyond the bound", func(p *Plan) { p.Duration = DefaultMaxDuration + 1 })
	f("no duration", func(p *Plan) { p.Duration = 0 })
	f("an unknown shape", func(p *Plan) { p.Shape = "square" })
	f("a path without slash", func(p *Plan) { p.Paths = []Path{{"x", 1}} })
	f("a weight of 0", func(p *Plan) { p.Paths = []Path{{"/", 0}} })
}

func TestPathsComeByTheirWeights(t *testing.T) {
	p, err := Plan{URL: "http://a:1/base/", Rate: 1, Duration: time.Second, Paths: []Path{{"/x?q=1", 3}, {"/y", 1}}}.complete()
	if err != nil {
		t.Fatal(err)
	}
	vs, got := newVisits(p), map[string]int{}
	base, _ := url.Parse(p.URL)
	for range 400 {
		got[joined(base, vs.next().Steps[0].Path).String()]++
	}
	if got["http://a:1/base/x?q=1"] != 300 || got["http://a:1/base/y"] != 100 {
		t.Errorf("the paths came %v", got)
	}
}

func TestACourseGoesThroughItsPhases(t *testing.T) {
	p, err := Plan{URL: "http://a:1", Phases: []Phase{{Name: "calm", Rate: 10, Duration: 2 * time.Second}, {Shape: Pause, Duration: time.Second},
		{Name: "people", Shape: Poisson, Rate: 100, Duration: 4 * time.Second}, {Name: "calm", Rate: 5, Duration: time.Second}}}.complete()
	if err != nil {
		t.Fatal(err)
	}
	c := courseOf(p)
	if p.Duration != 8*time.Second || c.end != 8 || len(c.names()) != 3 {
		t.Errorf("%s, %g, %v", p.Duration, c.end, c.names())
	}
	// 20 requests, none, about 400 (four deviations are 80), 5.
	if c.total < 345 || c.total > 505 {
		t.Errorf("%d requests", c.total)
	}
	near := func(n uint64, want time.Duration) bool { return (c.due(n) - want).Abs() < 10*time.Microsecond }
	if !near(19, 1900*time.Millisecond) || c.due(20) < 3*time.Second || !near(c.total-1, 7800*time.Millisecond) || c.phaseOf(20).name != "people" {
		t.Errorf("%s %s %s", c.due(19), c.due(20), c.due(c.total-1))
	}
	for n := uint64(1); n < c.total; n++ {
		if c.due(n) < c.due(n-1) {
			t.Fatalf("request %d is due before the one before it", n)
		}
	}
	if c.at(1) != 10 || c.at(2.5) != 0 || c.at(5) != 100 || c.at(7.5) != 5 {
		t.Error(c.at(1), c.at(2.5), c.at(5), c.at(7.5))
	}
}
