package paas

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// route makes the figures of one route from its response times.
func route(name string, errors int64, times []float64) RouteFigures {
	sorted := slices.Sorted(slices.Values(times))
	n := len(sorted)
	return RouteFigures{Method: "GET", Route: name, Requests: int64(n), Errors: errors, Timed: int64(n),
		Quantile: func(q float64) float64 { return sorted[min(n-1, int(q*float64(n)))] }}
}

// ramp is n response times from low to high, evenly.
func ramp(n int, low, high float64) []float64 {
	times := make([]float64, n)
	for i := range times {
		times[i] = low + (high-low)*float64(i)/float64(n)
	}
	return times
}

func TestShareBounds(t *testing.T) {
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s is %v, not %v", what, got, want)
		}
	}
	// Where none or all of n did, KL(0‖p) = -ln(1-p) and KL(1‖p) = -ln p: the bounds are those of the exact binomial.
	low, high := shareBounds(0, 100, 0.01)
	near("the lower bound of 0 in 100", low, 0)
	near("the upper bound of 0 in 100, 1 - 0.01^(1/100)", high, 1-math.Pow(0.01, 0.01))
	low, high = shareBounds(100, 100, 0.01)
	near("the lower bound of 100 in 100, 0.01^(1/100)", low, math.Pow(0.01, 0.01))
	near("the upper bound of 100 in 100", high, 1)
	// By hand: p with 10·KL(0.5‖p) = ln 20 is 10·(-½·ln(4p(1-p))) = ln 20, so p(1-p) = 20^(-1/5)/4.
	low, high = shareBounds(5, 10, 0.05)
	root := math.Sqrt(1 - math.Pow(20, -0.2))
	near("the lower bound of 5 in 10", low, (1-root)/2)
	near("the upper bound of 5 in 10", high, (1+root)/2)
}

func TestP95Bounds(t *testing.T) {
	// 0.95^n falls below 0.025 at n = 72: with fewer requests even the slowest may be faster than the true p95.
	if _, _, ok := p95Bounds(route("/", 0, ramp(71, 0, 71)), 0.025); ok {
		t.Error("71 requests have an upper bound")
	}
	low, high, ok := p95Bounds(route("/", 0, ramp(72, 0, 72)), 0.025)
	if !ok || high != 71 || low >= 0.95*72 {
		t.Errorf("72 requests: %v to %v, %t", low, high, ok)
	}
	// Of ten thousand the bounds lie within ±√(ln(1/0.025)·2·0.95·0.05/10000) = 0.6 % of their ranks.
	low, high, _ = p95Bounds(route("/", 0, ramp(10_000, 0, 1000)), 0.025)
	if low < 943 || low > 945 || high < 955 || high > 957 {
		t.Errorf("10,000 requests: %v to %v", low, high)
	}
}

func TestJudge(t *testing.T) {
	former := ReleaseFigures{Release: 3, Memory: MemoryFigures{Samples: 600, Mean: 30, Peak: 35}, Routes: []RouteFigures{
		route("/", 1, ramp(2000, 5, 20)), route("/cart", 0, ramp(900, 10, 84)), route("/broken", 90, ramp(100, 5, 20)), route("/rare", 0, ramp(20, 5, 20))}}
	judged := func(mem MemoryFigures, routes ...RouteFigures) Comparison {
		return Judge(ReleaseFigures{Release: 4, Routes: routes, Memory: mem}, former, AutoRollback{}, FalseAlarm)
	}
	f := func(name string, want Verdict, says string, mem MemoryFigures, routes ...RouteFigures) {
		t.Helper()
		c := judged(mem, routes...)
		if c.Verdict != want || c.Says != says {
			t.Errorf("%s: %s, %q; want %s, %q", name, c.Verdict, c.Says, want, says)
		}
	}
	calm := MemoryFigures{Samples: 60, Mean: 33, Peak: 40}
	f("a p95 three times as high", VerdictWorse, "GET /cart is clearly slower: p95 80 ms → 240 ms over 612 requests.", calm, route("/cart", 0, ramp(612, 12, 252)))
	f("a fifth that fails", VerdictWorse, "GET / clearly fails more often: 0.1 → 20 % of 200 requests.", calm, route("/", 40, ramp(200, 5, 20)))
	f("the same", VerdictFine, "Nothing is clearly worse than in release 3, over 812 requests.", calm, route("/", 0, ramp(200, 5, 20)), route("/cart", 0, ramp(612, 10, 84)))
	f("nobody asked", VerdictFew, "Too few requests to tell: release 4 answered 0, and a route needs 30 in both releases.", calm)
	f("a route that failed before", VerdictFine, "Nothing is clearly worse than in release 3, over 560 requests.", calm, route("/broken", 450, ramp(500, 5, 20)), route("/", 0, ramp(60, 5, 20)))
	f("more than twice, but of nothing", VerdictFine, "Nothing is clearly worse than in release 3, over 400 requests.", calm, route("/", 0, ramp(400, 5, 28)))
	f("slower, but in few requests", VerdictFine, "Nothing is clearly worse than in release 3, over 71 requests.", calm, route("/cart", 0, ramp(71, 800, 900)))
	f("slower, in enough", VerdictWorse, "GET /cart is clearly slower: p95 80 ms → 894 ms over 72 requests.", calm, route("/cart", 0, ramp(72, 800, 900)))
	f("new routes that fail", VerdictWorse, "All together, requests clearly fail more often: 0 → 66.7 % of 300, on routes that did not fail before.", calm,
		route("/new", 200, ramp(200, 5, 20)), route("/", 0, ramp(100, 5, 20)))
	f("much more memory", VerdictWorse, "Replicas clearly hold more memory: 30 → 78 % of their limit on average, and at most 35 % before.",
		MemoryFigures{Samples: 90, Mean: 78, Peak: 91}, route("/", 0, ramp(200, 5, 20)))
	f("a moment of more memory", VerdictFine, "Nothing is clearly worse than in release 3, over 200 requests.",
		MemoryFigures{Samples: 30, Mean: 78, Peak: 91}, route("/", 0, ramp(200, 5, 20)))

	first := judged(calm, route("/", 40, ramp(200, 5, 20)), route("/cart", 0, ramp(612, 10, 84)), route("/rare", 0, ramp(50, 5, 20))).Routes
	if !first[0].Worse || first[0].Route != "/" || first[2].Says != "Too few requests to tell: 20 of the 30 that are needed." {
		t.Errorf("%+v", first)
	}
	if c := Judge(ReleaseFigures{Release: 1, Routes: former.Routes}, ReleaseFigures{}, AutoRollback{}, FalseAlarm); c.Verdict != VerdictFew || c.Says != "There is no former release to compare with." {
		t.Errorf("the first release: %s", c.Says)
	}
}

// TestFalseAlarms draws both releases from the same distribution and looks as
// often as a watch does, without any limit on how much has to change: what is
// left is the certainty alone.
func TestFalseAlarms(t *testing.T) {
	const runs, routes, looks, each = 200, 4, 8, 40
	random := rand.New(rand.NewPCG(4, 2))
	var alarms, careless int
	strict := AutoRollback{Errors: 1e-9, P95: 1e-9, Memory: 100}
	draw := func(n int) (times []float64, errors int64) {
		for range n {
			ms := math.Exp(random.NormFloat64()) * 200 // heavy-tailed, as response times are
			if random.Float64() < 0.05 {
				errors++
			}
			times = append(times, ms)
		}
		return times, errors
	}
	for range runs {
		rash := false
		var before, now ReleaseFigures
		times, errors := make([][]float64, routes), make([]int64, routes)
		for i := range routes {
			was, failed := draw(500)
			before.Routes = append(before.Routes, route(string(rune('a'+i)), failed, was))
		}
		for range looks {
			now.Routes = nil
			for i := range routes {
				more, failed := draw(each)
				times[i], errors[i] = append(times[i], more...), errors[i]+failed
				now.Routes = append(now.Routes, route(string(rune('a'+i)), errors[i], times[i]))
			}
			// A risk of 1 for each bound of each test takes what is measured for certain.
			rash = rash || Judge(now, before, strict, 2*(1+2*routes)).Verdict == VerdictWorse
			if Judge(now, before, strict, FalseAlarm/looks).Verdict == VerdictWorse {
				alarms++
				break
			}
		}
		if rash {
			careless++
		}
	}
	if careless < runs/2 {
		t.Errorf("who takes each difference for certain is wrong in %d of %d watches only: the simulation shows nothing", careless, runs)
	}
	if most := int(FalseAlarm*runs) + 3; alarms > most {
		t.Errorf("%d false alarms in %d watches of releases that are the same, at most %d are to be expected", alarms, runs, most)
	}
	t.Logf("%d false alarms in %d watches", alarms, runs)
}

func TestAutoRollback(t *testing.T) {
	var c AutoRollbackChange
	for field, text := range map[string]string{"auto": "true", "within": "5m", "errors": "2.5%", "p95": "3x", "memory": "40"} {
		if err := c.Set(field, text); err != nil {
			t.Errorf("%s: %v", field, err)
		}
	}
	if !*c.Auto || *c.Within != 300 || *c.Errors != 2.5 || *c.P95 != 3 || *c.Memory != 40 {
		t.Errorf("%+v", c)
	}
	for field, text := range map[string]string{"auto": "maybe", "within": "10", "errors": "0%", "p95": "1x", "memory": "NaN", "cpu": "2x"} {
		if err := new(AutoRollbackChange).Set(field, text); err == nil || !strings.HasPrefix(err.Error(), "`"+field+"` ") {
			t.Errorf("%s %s: %v", field, text, err)
		}
	}

	at := func(minutes int) *time.Time {
		when := time.Date(2026, 11, 20, 12, minutes, 0, 0, time.UTC)
		return &when
	}
	one := Release{Number: 1, State: ReleaseSuperseded, LiveAt: at(1)}
	bad := Release{Number: 2, State: ReleaseSuperseded, LiveAt: at(2), RolledBack: "It was slow."}
	back := Release{Number: 3, State: ReleaseSuperseded, LiveAt: at(3), RollbackOf: 1}
	again := Release{Number: 4, State: ReleaseSuperseded, LiveAt: at(4), RollbackOf: 2}
	next := Release{Number: 6, State: ReleaseLive, LiveAt: at(6)}
	history := []Release{next, {Number: 5, State: ReleaseFailed}, again, back, bad, one}
	if before, ok := next.Before(history); !ok || before.Number != 3 {
		t.Errorf("before 6 was %d", before.Number)
	}
	if before, ok := bad.Before(history); !ok || before.Number != 1 {
		t.Errorf("before 2 was %d", before.Number)
	}
	if _, ok := one.Before(history); ok {
		t.Error("there was one before the first")
	}
	promoted := Release{State: ReleaseLive, LiveAt: at(6), CanaryAt: at(1)}
	for name, f := range map[string]struct {
		rel  Release
		auto bool
		at   *time.Time
		want bool
	}{
		"within its window": {next, true, at(15), true}, "after it": {next, true, at(16), false}, "nobody asked": {next, false, at(7), false},
		"a rollback": {Release{State: ReleaseLive, LiveAt: at(6), RollbackOf: 1}, true, at(7), false}, "promoted by a person": {promoted, true, at(7), false},
		"a canary, however long": {Release{State: ReleaseCanary, CanaryAt: at(1)}, true, at(59), true},
	} {
		if got := f.rel.Watched(AutoRollback{Auto: f.auto}, *f.at); got != f.want {
			t.Errorf("%s: watched %t", name, got)
		}
	}
}

func FuzzAutoRollbackSet(f *testing.F) {
	f.Add("errors", "5%")
	f.Add("within", "10m")
	f.Add("p95", "NaNx")
	f.Fuzz(func(t *testing.T, field, text string) {
		var c AutoRollbackChange
		if c.Set(field, text) == nil && c.Check() != nil {
			t.Errorf("%s %q is taken and cannot be", field, text)
		}
	})
}
