package watch

import (
	"math"
	"testing"
	"time"

	"kurama/autoscaler/policy"
	"kurama/logship/record"
	"kurama/paas"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// story runs an app of the given number of replicas for a while, one round a
// second, and returns its decisions. The load and response time (ms; negative:
// none) are functions of the second and of the replicas that run.
func story(start, length int, load, ms func(second, replicas int) float64) (changes []paas.Decision) {
	target := paas.ScaledApp{Tenant: "default", App: "hello", Desired: start, Release: 1, Policy: paas.DefaultPolicy()}
	a := New(target, noon)
	for i := range length {
		now := noon.Add(time.Duration(i) * time.Second)
		a.Follow(now, target)
		second := policy.Second{At: now}
		if l := load(i, target.Desired); l >= 0 {
			second.CPU = record.Num(l)
		}
		a.Add(second)
		if m := ms(i, target.Desired); m >= 0 {
			for range 10 {
				a.Took(now, m)
			}
		}
		d := a.Decide(now)
		a.Carried(d)
		if d.Valid {
			target.Desired = d.To
			changes = append(changes, d)
		}
	}
	return changes
}

func steps(changes []paas.Decision) (out []int) {
	for _, d := range changes {
		out = append(out, d.To)
	}
	return out
}

func at(d paas.Decision) time.Duration { return d.At.Sub(noon) }

func none(int, int) float64 { return -1 }

func equal(got []int, want ...int) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i] != want[i] {
			return false
		}
	}
	return true
}

func TestStories(t *testing.T) {
	t.Run("a rush is answered after a minute and a lull one replica at a time", func(t *testing.T) {
		rush := func(s, replicas int) float64 {
			if s < 600 {
				return math.Min(100, 300/float64(replicas)) // three replicas' worth of work
			}
			return 1
		}
		got := story(1, 3600, rush, none)
		if !equal(steps(got), 2, 4, 3, 2, 1) {
			t.Fatalf("%v", got)
		}
		if at(got[0]) < 59*time.Second || at(got[0]) > 61*time.Second || at(got[1])-at(got[0]) < time.Minute {
			t.Errorf("up at %v and %v", at(got[0]), at(got[1]))
		}
		if down := at(got[3]) - at(got[2]); down < 5*time.Minute || at(got[2]) < 10*time.Minute {
			t.Errorf("down at %v, then after %v", at(got[2]), down)
		}
	})
	t.Run("a peak of ten seconds in five minutes is no reason", func(t *testing.T) {
		peaks := func(s, _ int) float64 {
			if s%300 >= 200 && s%300 < 210 {
				return 100
			}
			return 60
		}
		if got := story(2, 1800, peaks, none); len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
	t.Run("an app that is slow whatever its replicas is not scaled without end", func(t *testing.T) {
		got := story(1, 7200, func(_, _ int) float64 { return 60 }, func(_, _ int) float64 { return 400 })
		if !equal(steps(got), 2) {
			t.Errorf("%v", got)
		}
	})
	t.Run("an app that gets quicker with replicas is scaled until it is quick", func(t *testing.T) {
		got := story(1, 3600, func(_, _ int) float64 { return 60 }, func(_, replicas int) float64 { return 600 / float64(replicas) })
		if !equal(steps(got), 2, 4) {
			t.Errorf("%v", got)
		}
	})
	t.Run("samples that stop coming change nothing", func(t *testing.T) {
		got := story(3, 3600, func(s, _ int) float64 {
			if s < 100 {
				return 60
			}
			return -1
		}, none)
		if len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
	t.Run("a change by hand empties the windows", func(t *testing.T) {
		target := paas.ScaledApp{Desired: 1, Release: 1, Policy: paas.DefaultPolicy()}
		a := New(target, noon)
		for i := range 59 {
			now := noon.Add(time.Duration(i) * time.Second)
			a.Follow(now, target)
			a.Add(policy.Second{At: now, CPU: record.Num(100)})
		}
		target.Desired = 3
		a.Follow(noon.Add(60*time.Second), target)
		if s := a.samples(noon.Add(60 * time.Second)); s.Load.Count != 0 || a.state.Changed != noon.Add(60*time.Second) {
			t.Errorf("%+v, %+v", s.Load, a.state)
		}
	})
	t.Run("after the clock went back nothing is left of the future", func(t *testing.T) {
		target := paas.ScaledApp{Desired: 1, Release: 1, Policy: paas.DefaultPolicy()}
		a := New(target, noon)
		for i := range 90 {
			now := noon.Add(time.Duration(i) * time.Second)
			a.Follow(now, target)
			a.Add(policy.Second{At: now, CPU: record.Num(100)})
			a.Carried(a.Decide(now.Add(-time.Hour)))
			a.Carried(a.Decide(now))
		}
		before := noon.Add(-time.Minute)
		if back := a.Follow(before, target); !back || len(a.seconds) != 0 || a.state.Changed != before || a.Decide(before).Valid {
			t.Errorf("%d seconds, %+v", len(a.seconds), a.state)
		}
	})
	t.Run("another policy remembers nothing, another release forgets what helped", func(t *testing.T) {
		target := paas.ScaledApp{Desired: 1, Release: 1, Policy: paas.DefaultPolicy()}
		a := New(target, noon)
		a.state.Kurama.Futile, a.state.Swift = 400, policy.SwiftState{Start: 2, Base: 50}
		target.Release = 2
		a.Follow(noon, target)
		if a.state.Kurama.Futile != 0 || a.state.Swift != (policy.SwiftState{Start: 2}) {
			t.Errorf("%+v", a.state)
		}
		target.Policy.Name = paas.PolicyTarget
		a.Follow(noon, target)
		if a.state.Swift.Start != 0 || a.state.Desired != 1 {
			t.Errorf("%+v", a.state)
		}
	})
}
