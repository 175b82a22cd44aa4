package autoscaler

import (
	"fmt"
	"testing"
	"time"

	"kurama/autoscaler/policy"
	"kurama/logship/record"
	"kurama/paas"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestFigures(t *testing.T) {
	after := func(s float64) time.Time { return noon.Add(time.Duration(s * float64(time.Second))) }
	fresh := func() *app {
		return newApp(paas.ScaledApp{Desired: 1, Release: 3, Policy: paas.DefaultPolicy()}, noon)
	}
	routed := func(at time.Time, concurrency float64, requests, targets int) *record.Record {
		return &record.Record{Time: at, Kind: record.KindSample, Replica: router,
			Extra: fmt.Appendf(nil, `{"inflight":0,"queued":0,"concurrency":%g,"requests":%d,"targets":%d}`, concurrency, requests, targets)}
	}
	expect := func(t *testing.T, a *app, at float64, want policy.Second) {
		t.Helper()
		want.At = after(at)
		if got := a.figures.second(after(at), 3); got != want {
			t.Errorf("at %g s: %+v, want %+v", at, got, want)
		}
	}
	t.Run("what came within a second is one second", func(t *testing.T) {
		a := fresh()
		a.observe(after(0.1), routed(after(0), 4, 10, 2))
		a.observe(after(0.9), routed(after(0.9), 6, 20, 2))
		a.observe(after(0.5), &record.Record{Time: after(0.4), Kind: record.KindRequest, Dur: record.Num(60), Queue: record.Num(20)})
		a.observe(after(0.5), &record.Record{Time: after(0.4), Kind: record.KindRequest, Dur: record.Num(50)})
		a.observe(after(0.5), &record.Record{Time: after(0.4), Kind: record.KindSample, Replica: "a", Release: 3, CPU: record.Num(30)})
		expect(t, a, 1, policy.Second{CPU: record.Num(30), Concurrency: record.Num(5), Arrived: record.Num(15), Ready: record.Num(2), Done: 2, Work: 90})
		expect(t, a, 2, policy.Second{CPU: record.Num(30), Ready: record.Num(2)}) // no sample of the router came: not known
		expect(t, a, 5, policy.Second{})
	})
	t.Run("an app that nothing is asked of stays idle until the next sample is due", func(t *testing.T) {
		a := fresh()
		a.observe(after(0), routed(after(0), 0, 0, 2))
		idle := policy.Second{Concurrency: record.Num(0), Arrived: record.Num(0), Ready: record.Num(2)}
		expect(t, a, 1, idle)
		expect(t, a, 12, idle)
		expect(t, a, 14, policy.Second{})
	})
	t.Run("what is late is missing", func(t *testing.T) {
		a := fresh()
		a.observe(after(10), routed(after(0), 4, 10, 2))
		a.observe(after(100), &record.Record{Time: after(0), Kind: record.KindRequest, Dur: record.Num(60)})
		a.observe(after(10), &record.Record{Time: after(0), Kind: record.KindSample, Replica: "a", Release: 3, CPU: record.Num(30)})
		expect(t, a, 10, policy.Second{})
	})
	t.Run("after the clock went back nothing is left of the future", func(t *testing.T) {
		a := fresh()
		target := paas.ScaledApp{Desired: 1, Release: 3, Policy: paas.DefaultPolicy()}
		a.observe(after(20), routed(after(20), 4, 10, 2))
		a.look(after(20), target)
		a.Carried(a.Decide(after(20)))
		a.observe(after(21), routed(after(21), 4, 10, 2))
		a.look(after(-60), target)
		expect(t, a, -60, policy.Second{})
	})
	t.Run("replicas of another release are no part of the load", func(t *testing.T) {
		a := fresh()
		cpu := func(at float64, replica string, release int, v float64) {
			a.observe(after(at), &record.Record{Time: after(at), Kind: record.KindSample, Replica: replica, Release: release, CPU: record.Num(v)})
		}
		cpu(0, "old", 2, 100)
		expect(t, a, 0, policy.Second{})
		cpu(0, "a", 3, 10)
		cpu(0, "b", 3, 30)
		expect(t, a, 1, policy.Second{CPU: record.Num(20)})
		expect(t, a, 60, policy.Second{})
	})
}
