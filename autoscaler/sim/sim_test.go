package sim

import (
	"context"
	"math"
	"os"
	"strings"
	"testing"

	"kurama/autoscaler/policy"
	"kurama/logship/record"
	"kurama/paas"
)

// steady is a load of one rate.
func steady(rate float64, seconds int) Load {
	return Load{Name: "steady", Seconds: seconds, Rate: func(int) float64 { return rate }}
}

func waits(t *testing.T, edit func(*Plant)) Plant {
	t.Helper()
	p, err := PlantNamed("waits")
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(&p)
	}
	return p
}

func run(t *testing.T, e Experiment) Outcome {
	t.Helper()
	if e.Objective == 0 {
		e.Objective = 0.2
	}
	if e.Seed == 0 {
		e.Seed = 1
	}
	o, err := Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func near(t *testing.T, what string, got, want, share float64) {
	t.Helper()
	if math.Abs(got-want) > share*want {
		t.Errorf("%s is %.4f, want %.4f within %g %%", what, got, want, share*100)
	}
}

// TestBaselines holds the baselines against sequences computed by hand.
func TestBaselines(t *testing.T) {
	t.Run("needs", func(t *testing.T) {
		e := Experiment{Plant: waits(t, nil), Objective: 0.2}
		f := func(rate float64, want int) {
			t.Helper()
			if got := e.need(rate); got != want {
				t.Errorf("%g requests/s need %d, want %d", rate, got, want)
			}
		}
		// The room is (0.2-0.05)/2 = 75 ms. 41 requests/s keep 2.05 of 4 slots busy:
		// C(4, 2.05) = 0.189, times e^(-1.95·1.5) is 0.0101: just above a hundredth.
		f(0, 1)
		f(40.8, 1)
		f(41, 2)
		f(200, 4) // 10 busy of 12: 0.449·e^-3 = 0.022; of 16: 0.05·e^-9
		f(1e6, 20)
		e.Plant.CPU, e.Plant.Work = 1, 0.02
		f(42, 1) // 0.84 of a core
		f(43, 2)
	})
	t.Run("the oracle orders what will be needed when a replica is up", func(t *testing.T) {
		e := Experiment{Plant: waits(t, func(p *Plant) { p.Start = Starts{Measured: []float64{4}, Times: 1} }), Objective: 0.2}
		o := newOracle(e, []int{1, 1, 1, 1, 1, 1, 1, 3, 3, 1, 1, 1})
		var got []int
		for s := range 12 {
			got = append(got, o.decide(look{at: s}))
		}
		wantSteps(t, got, 1, 1, 3, 3, 3, 3, 3, 3, 3, 1, 1, 1) // 4 s of a start and one for the tick
	})
	t.Run("the peak has always what the busiest second needs", func(t *testing.T) {
		if got := newPeak(Experiment{}, []int{1, 5, 2}).decide(look{}); got != 5 {
			t.Errorf("got %d", got)
		}
	})
	t.Run("heroku moves by one at most once a minute, down after five", func(t *testing.T) {
		// Minute by minute: requests a second and p95. The target is 200 ms.
		//  1: 100/s at 1 dyno, 50 ms: a dyno can do 100. 1 needed.
		//  2: 240/s, 900 ms: above the target: one more, 2.
		//  3: 240/s at 2, 300 ms: still above: 3.
		//  4: 240/s at 3, 60 ms: 80 each; a dyno can do 100, so 3 are needed.
		//  5: 60/s: 1 is needed, but only four minutes have… three since the change.
		// 6, 7: the same. 8: five minutes after minute 3: 2. 13: 1.
		h := newHeroku(Experiment{Plant: waits(t, nil), Objective: 0.2}, nil)
		dynos := 1
		var got []int
		for minute := range 13 {
			rate, ms := 60, 50.0
			switch minute {
			case 0:
				rate = 100
			case 1:
				rate, ms = 240, 900
			case 2:
				rate, ms = 240, 300
			case 3:
				rate, ms = 240, 60
			}
			for s := range 60 {
				took := make([]float64, rate)
				for i := range took {
					took[i] = ms
				}
				dynos = h.decide(look{at: minute*60 + s, took: took, wanted: dynos, figure: policy.Second{Ready: record.Num(float64(dynos))}})
			}
			got = append(got, dynos)
		}
		wantSteps(t, got, 1, 2, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 1)
	})
	t.Run("policies are run as the role runs them", func(t *testing.T) {
		// Above 85 % of load for a fifth of five minutes: kurama adds one a minute.
		p := waits(t, func(p *Plant) { p.CPU, p.Work = 1, 0.02 })
		var said []string
		o := run(t, Experiment{Load: Load{Seconds: 200, Rate: func(s int) float64 { return map[bool]float64{true: 20, false: 60}[s < 20] }}, Plant: p, Scaler: paas.PolicyKurama,
			Curve: true, Said: func(d paas.Decision) { said = append(said, d.Reason) }})
		if o.Replicas[59].Wanted != 1 || o.Replicas[60].Wanted != 2 || !strings.Contains(said[0], "1 → 2 replicas: p95 of load over 1 minute") {
			t.Errorf("%v, %+v", said, o.Replicas[55:65])
		}
	})
}

func wantSteps(t *testing.T, got []int, want ...int) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

// TestAblations: no figures are never a reason to go down, and late ones no
// reason to run away.
func TestAblations(t *testing.T) {
	load, err := LoadNamed("step")
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]Experiment{
		"late":    {Lag: 10},
		"lost":    {Lost: 0.1},
		"restart": {Restart: 300},
	} {
		e.Load, e.Plant, e.Scaler, e.Curve = load, waits(t, nil), paas.PolicySwift, true
		o := run(t, e)
		if o.Late > 0.15 {
			t.Errorf("%s: %g late", name, o.Late)
		}
		for s := 200; s < 590; s++ {
			if c := o.Replicas[s]; c.Ready < 3 {
				t.Fatalf("%s: %d ready at second %d", name, c.Ready, s)
			}
		}
		if last := o.Replicas[len(o.Replicas)-1]; last.Wanted > 2 {
			t.Errorf("%s: %d wanted at the end", name, last.Wanted)
		}
	}
}

func TestCompare(t *testing.T) {
	cases := []Case{{steady(100, 200), waits(t, nil)}}
	calls := 0
	results, err := Compare(context.Background(), Plan{Cases: cases, Scalers: []string{"swift", Peak}, Seeds: 4, Objective: 0.2, Parallel: 2}, func(int, int) { calls++ })
	if err != nil || len(results) != 2 || calls != 12 {
		t.Fatalf("%d results, %d calls, %v", len(results), calls, err)
	}
	if c := results[1].Figure["cost"]; c.Mean != 1 || c.Half != 0 { // the oracle of a steady load has the peak too
		t.Errorf("cost of the peak %+v", c)
	}
	v := Judge(results, "swift")
	if len(v) != 1 || v[0].Against != Peak || v[0].Cases != 1 {
		t.Errorf("%+v", v)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Compare(ctx, Plan{Cases: cases, Scalers: []string{Peak}, Seeds: 1, Objective: 0.2}, nil); err == nil {
		t.Error("a cancelled comparison gives no error")
	}
	if _, err := Run(t.Context(), Experiment{Load: cases[0].Load, Plant: cases[0].Plant, Scaler: "magic"}); err == nil || !strings.Contains(err.Error(), `no policy called "magic": use one of kurama`) {
		t.Errorf("got %v", err)
	}
}

func TestFigures(t *testing.T) {
	f := figuresOf([]float64{1, 2, 3})
	near(t, "mean", f.Mean, 2, 1e-9)
	near(t, "half", f.Half, 4.303/math.Sqrt(3), 1e-9)
	if n := reversals([]int{2, 1, -1, -1, 3, -2}); n != 3 {
		t.Errorf("%d reversals", n)
	}
	h := &histogram{}
	for i := range 1000 {
		h.add(float64(i+1) / 1000)
	}
	near(t, "p95", h.quantile(0.95), 0.95, 0.01)
	near(t, "p50", h.quantile(0.5), 0.5, 0.01)
	h.add(math.Inf(1))
	if !math.IsInf(h.quantile(1), 1) || (&histogram{}).quantile(0.5) != 0 {
		t.Error("failed requests are lost, or nothing has a quantile")
	}
	tally := newTally(0.2, 10)
	for s, late := range []bool{true, true, false, true, true, true} {
		if s == 4 {
			continue // a second without requests
		}
		tally.answered(float64(s), map[bool]float64{true: 1, false: 0.1}[late])
	}
	if got := tally.recovery(); got != 3 {
		t.Errorf("recovery %d", got)
	}
}

func TestTrace(t *testing.T) {
	file, err := os.Open("testdata/worldcup98-05-05.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	trace, err := ReadTrace(file)
	if err != nil || len(trace.Minutes) != 1440 || trace.From.Format("2006-01-02") != "1998-05-05" {
		t.Fatalf("%d minutes from %s, %v", len(trace.Minutes), trace.From, err)
	}
	for _, within := range []Within{Even, Bursty} {
		load, factor := trace.Load(100, within, 1)
		sum, most := 0.0, 0.0
		for s := range load.Seconds {
			sum += load.Rate(s)
			most = max(most, load.Rate(s))
		}
		total := 0
		for _, n := range trace.Minutes {
			total += n
		}
		near(t, "requests "+string(within), sum, float64(total)*factor, 0.02)
		if within == Even {
			near(t, "busiest second", most, 100, 1e-3)
		}
	}
	f := func(text, want string) {
		t.Helper()
		if _, err := ReadTrace(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	f("minute,requests\n", "holds no minute")
	f("minute,requests\nminute,requests\n", "line 2")
	f("2026-01-01 00:00,1\n2026-01-01 00:01,x\n", `line 2: "x" is not a number of requests`)
	f("2026-01-01 00:01,1\n2026-01-01 00:00,1\n", "line 2: 2026-01-01 00:00,1 does not come after")
	f("2026-01-01 00:00,1\nyesterday,1\n", `line 2: "yesterday" is not a minute`)
	gaps, err := ReadTrace(strings.NewReader("2026-01-01T00:00:00Z,5\n2026-01-01T00:03:00Z,7\n"))
	if err != nil || len(gaps.Minutes) != 4 || gaps.Minutes[1] != 0 || gaps.Minutes[3] != 7 {
		t.Errorf("%+v, %v", gaps, err)
	}
	if day, ok := trace.Day(1); !ok || len(day.Minutes) != 1440 {
		t.Errorf("%v", ok)
	}
	if _, ok := trace.Day(2); ok {
		t.Error("a day that the trace does not have")
	}
}

func TestADailyPatternIsAnsweredBeforeItComes(t *testing.T) {
	day := 24 * 3600
	load := Load{Name: "days", Seconds: 2*day + 13*3600, Rate: func(s int) float64 {
		if at := s % day; at >= 12*3600 && at < 12*3600+120 { // a rush at noon, of two minutes
			return 150
		}
		return 0.5
	}}
	readyAt := map[int]int{}
	o := run(t, Experiment{Load: load, Plant: waits(t, nil), Scaler: "swift", Curve: true})
	for d := range 3 {
		readyAt[d] = o.Replicas[d*day+12*3600].Ready
	}
	if readyAt[0] != 1 || readyAt[1] != 1 || readyAt[2] < 3 {
		t.Errorf("as the rush of each day begins %v replicas are ready", readyAt)
	}
}
