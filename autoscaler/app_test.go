package autoscaler

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
	a := newApp(target, noon)
	for i := range length {
		now := noon.Add(time.Duration(i) * time.Second)
		clear(a.figures.replicas)
		if l := load(i, target.Desired); l >= 0 {
			a.figures.replicas["r"] = sample{at: now, release: 1, cpu: l}
		}
		if m := ms(i, target.Desired); m >= 0 {
			for range 10 {
				a.times.Add(now, m)
			}
		}
		a.follow(now, target)
		d, next := policy.Decide(now, a.policy, a.state, a.samples(now))
		a.state = next
		if d.Valid {
			a.reset(now)
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
		a := newApp(target, noon)
		for i := range 59 {
			a.figures.replicas["r"] = sample{at: noon.Add(time.Duration(i) * time.Second), release: 1, cpu: 100}
			a.follow(noon.Add(time.Duration(i)*time.Second), target)
		}
		target.Desired = 3
		a.follow(noon.Add(60*time.Second), target)
		if s := a.samples(noon.Add(60 * time.Second)); s.Load.Count > 1 || a.state.Changed != noon.Add(60*time.Second) {
			t.Errorf("%+v, %+v", s, a.state)
		}
	})
	t.Run("replicas of another release are no part of the load", func(t *testing.T) {
		a := newApp(paas.ScaledApp{Desired: 1, Release: 2, Policy: paas.DefaultPolicy()}, noon)
		a.figures.replicas["old"] = sample{at: noon, release: 1, cpu: 100}
		if v := a.figures.meanLoad(noon, 2); v.Known {
			t.Errorf("load %v", v)
		}
		a.figures.replicas["a"], a.figures.replicas["b"] = sample{at: noon, release: 2, cpu: 10}, sample{at: noon, release: 2, cpu: 30}
		if v := a.figures.meanLoad(noon.Add(time.Second), 2); v != record.Num(20) {
			t.Errorf("load %v", v)
		}
		if v := a.figures.meanLoad(noon.Add(time.Minute), 2); v.Known {
			t.Errorf("load %v of samples a minute old", v)
		}
	})
}
