package alert

import (
	"math"
	"testing"
	"time"

	"kurama/logship/record"
)

var hello = appKey{"default", "hello"}

func sampleAt(t time.Time, replica string, cpu record.Number) *record.Record {
	return &record.Record{Time: t, Kind: record.KindSample, Tenant: "default", App: "hello", Replica: replica, CPU: cpu, Mem: record.Num(10)}
}

func requestAt(t time.Time, status int, ms float64) *record.Record {
	return &record.Record{Time: t, Kind: record.KindRequest, Level: record.LevelInfo, Tenant: "default", App: "hello", Status: status, Dur: record.Num(ms)}
}

func TestFigures(t *testing.T) {
	at := func(s float64) time.Time { return noon.Add(time.Duration(s * float64(time.Second))) }
	see := func(records ...*record.Record) *watch {
		w := newWatch()
		for _, r := range records {
			w.observe(r, r.Time)
		}
		return w
	}
	check := func(t *testing.T, f Figures, name string, want float64) {
		t.Helper()
		if got, ok := f[name]; !ok || math.Abs(got-want) > 0.02*want {
			t.Errorf("%s is %v (known: %v), want %v", name, got, ok, want)
		}
	}
	unknown := func(t *testing.T, f Figures, names ...string) {
		t.Helper()
		for _, name := range names {
			if v, ok := f[name]; ok {
				t.Errorf("%s is %v, want it unknown", name, v)
			}
		}
	}
	t.Run("resource figures are the highest of the replicas", func(t *testing.T) {
		f := see(sampleAt(at(0), "a", record.Num(93)), sampleAt(at(0), "b", record.Num(12))).figures(hello, at(1))
		check(t, f, "cpu", 93)
		check(t, f, "replicas", 2)
		unknown(t, f, "disk", "swap", "inflight", "p95", "error_rate", "status", "level")
	})
	t.Run("a sample says nothing after 5 s, and a figure that could not be read is unknown", func(t *testing.T) {
		w := see(sampleAt(at(0), "a", record.Num(93)), sampleAt(at(4), "b", record.Number{}))
		f := w.figures(hello, at(6))
		unknown(t, f, "cpu")
		check(t, f, "replicas", 1)
	})
	t.Run("no replica is known to be none only while the agent reports", func(t *testing.T) {
		w := see(&record.Record{Time: at(0), Kind: record.KindSample, Replica: "host"})
		if n, ok := w.figures(hello, at(1))["replicas"]; !ok || n != 0 {
			t.Errorf("replicas %v, known %v; want 0", n, ok)
		}
		unknown(t, w.figures(hello, at(9)), "replicas")
	})
	t.Run("request figures cover the last minute", func(t *testing.T) {
		w := newWatch()
		for i := range 600 { // ten a second, every tenth an error of 500 ms
			r := requestAt(at(float64(i)/10), 200, 20)
			if i%10 == 0 {
				r.Status, r.Dur = 503, record.Num(500)
			}
			w.observe(r, r.Time)
		}
		f := w.figures(hello, at(59.9))
		check(t, f, "requests", 600)
		check(t, f, "rate", 10)
		check(t, f, "error_rate", 10)
		check(t, f, "p50", 20)
		check(t, f, "p95", 500)
		check(t, f, "status", 503)
		f = w.figures(hello, at(89.9))
		check(t, f, "requests", 300)
		unknown(t, w.figures(hello, at(121)), "p95", "error_rate", "status", "rate", "requests")
	})
	t.Run("no request is a known answer while records flow", func(t *testing.T) {
		w := see(sampleAt(at(0), "a", record.Num(1)), sampleAt(at(60), "a", record.Num(1)))
		if n, ok := w.figures(hello, at(60))["rate"]; !ok || n != 0 {
			t.Errorf("rate %v, known %v; want 0", n, ok)
		}
	})
	t.Run("a record from the future counts as now", func(t *testing.T) {
		w := newWatch()
		w.observe(requestAt(at(3600), 500, 5), at(1))
		check(t, w.figures(hello, at(2)), "status", 500)
	})
	t.Run("in-flight requests come from the router's sample", func(t *testing.T) {
		r := sampleAt(at(0), "router", record.Number{})
		r.Extra = []byte(`{"inflight":7,"queued":0}`)
		f := see(r).figures(hello, at(1))
		check(t, f, "inflight", 7)
		unknown(t, f, "replicas")
	})
}
