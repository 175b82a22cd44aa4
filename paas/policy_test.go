package paas

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestPolicyCheck(t *testing.T) {
	f := func(want string, edit func(*Policy)) {
		t.Helper()
		p := DefaultPolicy()
		edit(&p)
		err := p.Check()
		var invalid *Invalid
		switch {
		case want == "" && err != nil:
			t.Errorf("%v", err)
		case want != "" && (!errors.As(err, &invalid) || !strings.Contains(err.Error(), want)):
			t.Errorf("%v, want %q", err, want)
		}
	}
	f("", func(*Policy) {})
	for _, name := range PolicyNames() {
		f("", func(p *Policy) { p.Name = name })
	}
	f("", func(p *Policy) { p.Min, p.Cooldown, p.LoadDown, p.HPA.Tolerance = 0, 0, 0, 0 })
	f(`There is no policy called "magic". Use one of kurama, swift, target, hpa, step, off.`, func(p *Policy) { p.Name = "magic" })
	f("min is 5 and max is 4: min must be", func(p *Policy) { p.Min = 5 })
	f("max is 65: an app can have 1 to 64 replicas", func(p *Policy) { p.Max = 65 })
	f("max is 0: an app", func(p *Policy) { p.Max, p.Min = 0, 0 })
	f("load_down is 85 % and load_up is 85 %: the first must be lower", func(p *Policy) { p.LoadDown = 85 })
	f("load_up is 101 %: use 1 to 100 % (of load, above which replicas are added).", func(p *Policy) { p.LoadUp = 101 })
	f("load_window is 9 s: use 10 to 3600 s", func(p *Policy) { p.LoadWindow = 9 })
	f("time_up is -1 ms", func(p *Policy) { p.TimeUp = -1 })
	f("cooldown is NaN s", func(p *Policy) { p.Cooldown = math.NaN() })
	f("target.down_rate is 1 ×: use 1.1 to", func(p *Policy) { p.Target.DownRate = 1 })
	f("step.down is 70 % and step.up is 60 %", func(p *Policy) { p.Step.Down = 70 })
	f("hpa.cpu and hpa.utilization are both 0", func(p *Policy) { p.HPA.CPU = 0 })
	f(`"Mon 8-18 3" has the time "8-18": write it as`, func(p *Policy) { p.Schedule = "Mon 8-18 3" })
}

func TestPolicyNumbers(t *testing.T) {
	seen := map[string]bool{}
	p := DefaultPolicy()
	for i, n := range Numbers("") {
		if seen[n.Field()] {
			t.Errorf("%s is there twice", n.Field())
		}
		seen[n.Field()] = true
		if n.Of(p) != n.Default || n.What == "" {
			t.Errorf("%+v has %g", n, n.Of(p))
		}
		if err := p.Set(n.Field(), float64(1000+i)); err != nil {
			t.Error(err)
		}
	}
	for i, n := range Numbers("") {
		if n.Of(p) != float64(1000+i) {
			t.Errorf("%s shares its place with another number", n.Field())
		}
	}
	p.Name = PolicyStep
	if err := p.Set("cooldown", 3); err != nil || p.Step.Cooldown != 3 {
		t.Errorf("the policy's own number does not come first: %v, %+v", err, p)
	}
	p.Name = PolicyHPA
	if err := p.Set("cpu", 7); err != nil || p.HPA.CPU != 7 {
		t.Errorf("%v, %+v", err, p.HPA)
	}
	if err := p.Set("cooldown", 7); err != nil || p.Cooldown != 7 {
		t.Errorf("%v, %+v", err, p)
	}
	if err := p.Set("magic", 7); err == nil || !strings.Contains(err.Error(), "The policy hpa has hpa.cpu, hpa.utilization") {
		t.Error(err)
	}
}

func TestFloor(t *testing.T) {
	p := DefaultPolicy()
	p.Schedule = "Mon-Fri 08:00-18:00 3; Sat,Sun 22:30-02:00 2; Fri-Mon 12:00-13:00 4"
	f := func(at string, want int) {
		t.Helper()
		when, err := time.Parse("2006-01-02 15:04", at)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Floor(when); got != want {
			t.Errorf("%s %s: %d, want %d", when.Weekday(), at, got, want)
		}
	}
	f("2026-11-20 07:59", 1) // a Friday
	f("2026-11-20 08:00", 3)
	f("2026-11-20 12:30", 4)
	f("2026-11-19 12:30", 3)
	f("2026-11-20 18:00", 1)
	f("2026-11-21 22:29", 1)
	f("2026-11-21 22:30", 2)
	f("2026-11-23 01:59", 2) // Monday, still of Sunday
	f("2026-11-24 01:59", 1)
	if got := p.Bound(1, time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)); got != 3 {
		t.Errorf("bound %d", got)
	}
	p.Max = 2
	if got := p.Bound(9, time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)); got != 2 {
		t.Errorf("the largest number does not hold against the schedule: %d", got)
	}
}

func TestConcurrency(t *testing.T) {
	f := func(want int, s Start) {
		t.Helper()
		if got := s.Concurrency(); got != want {
			t.Errorf("%v: %d, want %d", s.Command, got, want)
		}
	}
	f(8, Start{Command: []string{"python3", "-m", "gunicorn", "--workers", "2", "--threads", "4", "app:app"}})
	f(1, Start{Command: []string{"gunicorn", "app:app"}})
	f(3, Start{Command: []string{"gunicorn -w 3 app:app --bind 0.0.0.0:$PORT"}, Shell: true})
	f(6, Start{Command: []string{"/venv/bin/gunicorn --threads=6 app:app"}, Shell: true})
	f(1, Start{Command: []string{"gunicorn -w $WORKERS app:app"}, Shell: true})
	f(4, Start{Command: []string{"waitress-serve", "app:app"}})
	f(4, Start{})
}
