package main

import (
	"testing"
	"time"

	"kurama/dashboard"
	"kurama/logship/record"
	"kurama/services/persist"
)

func TestThePastCountsReplicasAsTheLiveViewDoes(t *testing.T) {
	from := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	sample := func(second int, replica string, count int64) persist.Sample {
		return persist.Sample{At: from.Add(time.Duration(second) * time.Second), App: "hello", Replica: replica, Count: count, CPU: record.Num(10)}
	}
	q := pastQuery{sampling: time.Second}
	counted := func(step time.Duration, seconds int, samples ...persist.Sample) map[int64]float64 {
		points := pastPoints{}
		q.samples(points, dashboard.Span{App: "hello", From: from, To: from.Add(time.Duration(seconds) * time.Second), Step: step}, samples)
		got := map[int64]float64{}
		for at, p := range points {
			if p.Replicas != nil {
				got[at-from.Unix()] = *p.Replicas
			}
		}
		return got
	}
	// b's sample of second 2 came late, and a is gone after second 3.
	got := counted(time.Second, 9, sample(1, "a", 1), sample(1, "b", 1), sample(2, "a", 1), sample(3, "a", 1), sample(3, "b", 2), sample(7, "b", 1))
	for second, want := range map[int64]float64{0: 0, 1: 2, 2: 2, 3: 2, 5: 2, 6: 0, 7: 1, 8: 1} {
		if got[second] != want {
			t.Errorf("second %d: %g replicas, want %g of %v", second, got[second], want, got)
		}
	}
	// Two replicas for half a minute and then two others are two, not four.
	got = counted(time.Minute, 60, sample(0, "a", 30), sample(0, "b", 30), sample(0, "c", 30), sample(0, "d", 29))
	if got[0] != 2 {
		t.Errorf("a minute with a deploy: %v", got)
	}
}

func TestThePastShowsTheMostLoadedHostAndAddsQueues(t *testing.T) {
	at := time.Unix(1763632800, 0)
	hosts := mostLoaded([]persist.Sample{{At: at, Replica: "one", CPU: record.Num(20), Mem: record.Num(70)}, {At: at, Replica: "two", CPU: record.Num(90)},
		{At: at.Add(time.Second), Replica: "one", CPU: record.Num(5)}})
	if len(hosts) != 2 || *hosts[0].CPU != 90 || *hosts[0].Mem != 70 || hosts[0].Swap != nil || hosts[0].Replica != "" || *hosts[1].CPU != 5 {
		t.Errorf("hosts: %+v", hosts)
	}
	points := pastPoints{}
	span := dashboard.Span{From: at, To: at.Add(time.Second), Step: time.Second}
	pastQuery{sampling: time.Second}.samples(points, span, []persist.Sample{{At: at, App: "a", Replica: "router", InFlight: record.Num(2)},
		{At: at, App: "b", Replica: "router", InFlight: record.Num(3), Queued: record.Num(1)}})
	if p := points.at(at); *p.InFlight != 5 || *p.Queued != 1 || p.Replicas != nil {
		t.Errorf("queues: %+v", p)
	}
}
