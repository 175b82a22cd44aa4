package persist

import (
	"errors"
	"math"
	"testing"
	"time"

	"kurama/logship/record"
	"kurama/paas"
	"kurama/services/sink/sinktest"
)

// past stores what happened to two apps within three minutes and returns its begin.
func past(t *testing.T) (*bench, time.Time) {
	t.Helper()
	b := setup(t)
	sinktest.Start(t, b.role.Run)
	from := time.Now().UTC().Truncate(time.Minute).Add(-3 * time.Minute)
	var all []record.Record
	for i := range 100 {
		r := sinktest.Request("acme", "shop", i, from.Add(time.Duration(i)*time.Millisecond))
		r.Status, r.Dur = 200, record.Num(float64(i+1))
		switch {
		case i < 4:
			r.Status = 503
		case i < 10:
			r.Status = 404
		}
		all = append(all, r)
	}
	unanswered := sinktest.Request("acme", "shop", 100, from.Add(90*time.Second))
	unanswered.Status, unanswered.Dur = 0, record.Number{}
	sample := func(app, replica string, after time.Duration, cpu float64, extra string) record.Record {
		r := record.Record{Time: from.Add(after), ID: record.NewID(from), Kind: record.KindSample, Tenant: "acme", App: app, Replica: replica}
		if extra != "" {
			r.Extra = []byte(extra)
		} else {
			r.CPU = record.Num(cpu)
		}
		return r
	}
	host := sample("", "host-1", 2*time.Second, 33, "")
	host.Tenant = ""
	event := record.Record{Time: from.Add(100 * time.Second), ID: record.NewID(from), Kind: record.KindEvent, Tenant: "acme", App: "shop",
		Msg: "2 → 4 replicas", Extra: []byte(`{"event":"scaled"}`)}
	all = append(all, unanswered, event, host, sinktest.Request("acme", "other", 1, from), sinktest.Request("foreign", "shop", 1, from),
		sample("shop", "shop-1-a", 61*time.Second, 40, ""), sample("shop", "shop-1-a", 62*time.Second, 60, ""), sample("shop", "shop-1-b", 61*time.Second, 10, ""),
		sample("shop", "router", 61*time.Second, 0, `{"inflight":3,"queued":1}`), sample("shop", "router", 62*time.Second, 0, `{"inflight":"many","queued":2}`))
	b.waitFor(t, sinktest.Publish(t, b.stream, all...))
	return b, from
}

func TestHistory(t *testing.T) {
	b, from := past(t)
	span := Span{Tenant: "acme", App: "shop", From: from, To: from.Add(3 * time.Minute), Step: time.Minute}

	t.Run("requests are counted by class and timed within 1 %, and steps can be added up", func(t *testing.T) {
		steps, all, err := b.query.Requests(t.Context(), span)
		if err != nil || len(steps) != 2 {
			t.Fatalf("%d steps, %v", len(steps), err)
		}
		if s := steps[0]; !s.At.Equal(from) || s.Count != 100 || s.S2 != 90 || s.S4 != 6 || s.S5 != 4 || !near(s.P50, 50) || !near(s.P95, 95) || !near(s.P99, 99) {
			t.Errorf("first step: %+v", s)
		}
		if s := steps[1]; s.Count != 1 || s.S5 != 1 || s.P50.Known {
			t.Errorf("a request that nobody answered: %+v", s)
		}
		if all.Count != 101 || all.S5 != 5 || !near(all.P95, 95) {
			t.Errorf("all: %+v", all)
		}
	})
	t.Run("samples are the mean of each replica, the queue the highest", func(t *testing.T) {
		samples, err := b.query.Samples(t.Context(), span)
		if err != nil || len(samples) != 3 {
			t.Fatalf("%+v, %v", samples, err)
		}
		router, first, second := samples[0], samples[1], samples[2]
		if router.Replica != "router" || router.InFlight.Value != 3 || router.Queued.Value != 2 || router.CPU.Known {
			t.Errorf("router: %+v", router)
		}
		if first.Replica != "shop-1-a" || first.CPU.Value != 50 || first.Count != 2 || first.Mem.Known || first.InFlight.Known || second.CPU.Value != 10 {
			t.Errorf("replicas: %+v %+v", first, second)
		}
	})
	t.Run("without an app it is the whole tenant, without a tenant the hosts", func(t *testing.T) {
		wide := span
		wide.App = ""
		if _, all, err := b.query.Requests(t.Context(), wide); err != nil || all.Count != 102 {
			t.Errorf("%+v, %v", all, err)
		}
		wide.Tenant = ""
		if samples, err := b.query.Samples(t.Context(), wide); err != nil || len(samples) != 1 || samples[0].CPU.Value != 33 {
			t.Errorf("%+v, %v", samples, err)
		}
	})
	t.Run("events come in their order", func(t *testing.T) {
		events, err := b.query.Events(t.Context(), span)
		if err != nil || len(events) != 1 || events[0].Name != "scaled" || events[0].App != "shop" || !events[0].At.Equal(from.Add(100*time.Second)) {
			t.Errorf("%+v, %v", events, err)
		}
	})
	t.Run("more steps than can be shown are refused", func(t *testing.T) {
		fine := span
		fine.To, fine.Step = from.Add(24*time.Hour), time.Second
		var invalid *paas.Invalid
		if _, _, err := b.query.Requests(t.Context(), fine); !errors.As(err, &invalid) {
			t.Errorf("got %v", err)
		}
	})
}

func near(n record.Number, want float64) bool {
	return n.Known && math.Abs(n.Value-want) <= 0.0101*want
}
