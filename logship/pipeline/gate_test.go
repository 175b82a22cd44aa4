package pipeline

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"kurama/logship/record"
	"kurama/paas"
)

// slowOnly stands in for the language of alerts, which this package does not know.
func slowOnly(when string) (func(*record.Record) bool, error) {
	if when != "slow" {
		return nil, &paas.Invalid{Reason: "no condition"}
	}
	return func(r *record.Record) bool { return r.Dur.Known && r.Dur.Value > 1000 }, nil
}

// gateOf returns a gate before persist on which the app a/shop has set up stage.
func gateOf(t testing.TB, stage paas.Stage) *Gate {
	t.Helper()
	config, err := json.Marshal(stage)
	if err != nil {
		t.Fatal(err)
	}
	g := New(paas.ServicePersist, slowOnly)
	g.set([]row{{appKey{"a", "shop"}, string(config)}}, slog.New(slog.DiscardHandler))
	return g
}

func of(app string, level record.Level, route string) *record.Record {
	return &record.Record{Kind: record.KindLog, Tenant: "a", App: app, Level: level, Route: route}
}

func TestGate(t *testing.T) {
	t.Run("none, and one that nobody has set up, let everything pass", func(t *testing.T) {
		var none *Gate
		if !none.Takes(of("shop", record.LevelDebug, "")) || !New(paas.ServicePersist, slowOnly).Takes(of("shop", 0, "")) || none.Off("a", "shop") || none.RetentionDays("a", "shop") != 0 {
			t.Error("something was kept back")
		}
	})
	t.Run("a level keeps back what is below, of that app alone", func(t *testing.T) {
		g := gateOf(t, paas.Stage{Take: []paas.Branch{{Level: "WARNING"}}})
		if g.Takes(of("shop", record.LevelInfo, "")) || !g.Takes(of("shop", record.LevelError, "")) || !g.Takes(of("other", record.LevelDebug, "")) {
			t.Error("the level decided otherwise")
		}
		if !g.Takes(&record.Record{Kind: record.KindSample, Tenant: "a", App: "shop"}) || !g.Takes(&record.Record{Kind: record.KindEvent, Tenant: "a", App: "shop", Level: record.LevelInfo}) {
			t.Error("a sample or an event was kept back")
		}
	})
	t.Run("branches lie beside each other, what one says must all be met", func(t *testing.T) {
		g := gateOf(t, paas.Stage{Take: []paas.Branch{{Level: "ERROR"}, {Route: "/pay*", When: "slow"}, {Route: "/cart"}}})
		slow := of("shop", record.LevelInfo, "/pay/card")
		slow.Dur = record.Num(2000)
		if !g.Takes(slow) || !g.Takes(of("shop", record.LevelError, "/x")) || !g.Takes(of("shop", record.LevelDebug, "/cart")) {
			t.Error("a branch did not let its own pass")
		}
		if g.Takes(of("shop", record.LevelInfo, "/pay/card")) || g.Takes(of("shop", record.LevelInfo, "/cart/2")) {
			t.Error("something passed that no branch takes")
		}
	})
	t.Run("off takes nothing at all", func(t *testing.T) {
		g := gateOf(t, paas.Stage{Off: true, RetentionDays: 3})
		if g.Takes(&record.Record{Kind: record.KindSample, Tenant: "a", App: "shop"}) || !g.Off("a", "shop") || g.Off("a", "other") || g.RetentionDays("a", "shop") != 3 {
			t.Error("it is not off")
		}
	})
	t.Run("a sample keeps its part, and a request with its lines", func(t *testing.T) {
		g := gateOf(t, paas.Stage{Take: []paas.Branch{{Sample: 0.1}}})
		const many = 20_000
		kept := 0
		for i := range many {
			r := of("shop", record.LevelInfo, "/")
			r.Req, r.ID = fmt.Sprintf("req-%d", i), record.ID{byte(i)}
			first := g.Takes(r)
			r.Kind, r.ID = record.KindRequest, record.ID{15: byte(i)}
			if g.Takes(r) != first {
				t.Fatalf("request %d was torn apart", i)
			}
			if first {
				kept++
			}
		}
		if deviation := math.Abs(float64(kept)/many - 0.1); deviation > 0.01 { // five standard deviations
			t.Errorf("%d of %d were kept", kept, many)
		}
	})
	t.Run("what cannot be read lets everything pass", func(t *testing.T) {
		if !gateOf(t, paas.Stage{Take: []paas.Branch{{When: "gone"}}}).Takes(of("shop", record.LevelDebug, "")) {
			t.Error("it was kept back")
		}
	})
	t.Run("both outcomes are counted, and go on when another app changes", func(t *testing.T) {
		g := gateOf(t, paas.Stage{Take: []paas.Branch{{Level: "ERROR"}}})
		g.Takes(of("shop", record.LevelError, ""))
		g.Takes(of("shop", record.LevelInfo, ""))
		config, _ := json.Marshal(paas.Stage{Take: []paas.Branch{{Level: "ERROR"}}})
		g.set([]row{{appKey{"a", "shop"}, string(config)}, {appKey{"b", "new"}, `{}`}}, slog.New(slog.DiscardHandler))
		g.Takes(of("shop", record.LevelInfo, ""))
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(g)
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, family := range families {
			for _, m := range family.GetMetric() {
				name := family.GetName()
				for _, label := range m.GetLabel() {
					name += " " + label.GetValue()
				}
				got[name] = m.GetCounter().GetValue()
			}
		}
		want := map[string]float64{"kurama_persist_left_total": 2, "kurama_persist_app_total new left b": 0, "kurama_persist_app_total new taken b": 0,
			"kurama_persist_app_total shop left a": 2, "kurama_persist_app_total shop taken a": 1}
		if !maps.Equal(got, want) {
			t.Errorf("got %v", got)
		}
	})
}

// BenchmarkTakes: what a record costs where no app has a pipeline, where
// another one has, and behind a level.
func BenchmarkTakes(b *testing.B) {
	r := of("shop", record.LevelInfo, "/")
	for name, g := range map[string]*Gate{"nobody": New(paas.ServicePersist, slowOnly), "level": gateOf(b, paas.Stage{Take: []paas.Branch{{Level: "ERROR"}}})} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				g.Takes(r)
			}
		})
	}
}
