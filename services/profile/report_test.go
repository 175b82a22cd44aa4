package profile

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"kurama/logship/record"
	"kurama/paas"
	"kurama/services/sink/sinktest"
)

func TestAReportComparesRoutesAndReleases(t *testing.T) {
	b := setup(t)
	sinktest.Start(t, b.role.Run)
	now := time.Now()
	var batch []record.Record
	add := func(release int, route string, ms float64, ago time.Duration) {
		batch = append(batch, request(len(batch), now.Add(-ago), func(r *record.Record) {
			r.Release, r.Route, r.Dur, r.Req = release, route, record.Num(ms), fmt.Sprintf("req-%s-%g", route, ms)
			r.Bytes, r.DBMs = record.Num(100*ms), record.Number{}
			if route == "/buy" {
				r.DBMs = record.Num(ms / 4)
			}
		}))
	}
	for i := range 100 {
		add(1, "/buy", 20, 3*time.Hour)
		add(2, "/buy", 40, time.Minute)
		add(2, "/", 2, time.Minute)
		add(2, fmt.Sprintf("/r%d", i%12), 5, time.Minute)
	}
	add(2, "/buy", 900, 2*time.Minute)
	add(2, "/", 700, 2*time.Minute)
	b.waitFor(t, sinktest.Publish(t, b.stream, batch...))
	r, err := b.query.Report(t.Context(), "acme", "shop", 15*time.Minute)
	if err != nil || r.Release != 2 || r.Previous != 1 || r.Total.Requests != 302 || len(r.ByMean) != 10 || len(r.ByP95) != 10 {
		t.Fatalf("release %d after %d, %d requests, %d and %d slowest, error %v", r.Release, r.Previous, r.Total.Requests, len(r.ByMean), len(r.ByP95), err)
	}
	if r.ByMean[0].Route != "/buy" || r.ByP95[0].Route != "/buy" || r.ByMean[1].Route != "/" {
		t.Errorf("the slowest are %s and %s by mean, %s by p95", r.ByMean[0].Route, r.ByMean[1].Route, r.ByP95[0].Route)
	}
	for _, s := range r.Routes {
		switch s.Route {
		case "/buy":
			if mean := *s.Mean; math.Abs(*s.DBMs-mean/4) > 1e-6 || math.Abs(*s.Bytes-100*mean) > 1e-4 {
				t.Errorf("/buy: %v ms in the database, %v bytes, mean %v ms", *s.DBMs, *s.Bytes, mean)
			}
			if !s.AboveMedian || s.BeforeP50 == nil || *s.BeforeP50 < 19.8 || *s.BeforeP50 > 20.2 {
				t.Errorf("/buy: above the median %v, before %v", s.AboveMedian, s.BeforeP50)
			}
		case "/":
			if s.AboveMedian || s.BeforeP50 != nil || s.DBMs != nil {
				t.Errorf("/: above the median %v, before %v", s.AboveMedian, s.BeforeP50)
			}
		}
	}
	day, err := b.query.Report(t.Context(), "acme", "shop", 24*time.Hour)
	if err != nil || !day.From.Equal(now.Add(-3*time.Hour).Truncate(time.Minute)) {
		t.Fatalf("a day's report begins at %s, the first request was 3 hours before %s; error %v", day.From, now, err)
	}
	if want := float64(day.Total.Requests) / day.To.Sub(day.From).Seconds(); day.Total.Rate != want || r.To.Sub(r.From) < 15*time.Minute {
		t.Errorf("%v requests/s since the first one, want %v; the 15 minutes are %s", day.Total.Rate, want, r.To.Sub(r.From))
	}
	wantFigures := func(release int, warm time.Time, route string, requests, timed int64, p95 float64, last time.Time) {
		t.Helper()
		f, err := b.query.Release(t.Context(), "acme", "shop", release, time.Time{}, now, warm)
		if err != nil || f.Release != release || !f.To.Equal(last) || f.To.Sub(f.From) < time.Hour {
			t.Errorf("release %d: from %s to %s, not to %s: %v", release, f.From, f.To, last, err)
		}
		i := slices.IndexFunc(f.Routes, func(r paas.RouteFigures) bool { return r.Route == route })
		if i < 0 || f.Routes[i].Requests != requests || f.Routes[i].Timed != timed || math.Abs(f.Routes[i].Quantile(0.95)/p95-1) > 0.02 {
			t.Errorf("release %d: %+v", release, f.Routes)
		}
	}
	minute := func(ago time.Duration) time.Time { return now.Add(-ago).UTC().Truncate(time.Minute).Add(time.Minute) }
	wantFigures(1, time.Time{}, "/buy", 100, 100, 20, minute(3*time.Hour))
	wantFigures(2, now.Add(-2*time.Minute), "/buy", 101, 100, 40, minute(time.Minute))
	if f, err := b.query.Release(t.Context(), "other", "shop", 2, time.Time{}, now, now); err != nil || len(f.Routes) != 0 {
		t.Errorf("another tenant sees %+v, %v", f, err)
	}
	slow, err := b.query.Slowest(t.Context(), "acme", "shop", r.From, r.To, 3)
	if err != nil || len(slow) != 3 || slow[0].Dur != 900 || slow[0].Req != "req-/buy-900" || slow[1].Dur != 700 || slow[2].Dur != 40 || slow[0].Release != 2 {
		t.Errorf("slowest %+v, error %v", slow, err)
	}
	if other, err := b.query.Slowest(t.Context(), "other", "shop", r.From, r.To, 3); err != nil || len(other) != 0 {
		t.Errorf("another tenant sees %v, %v", other, err)
	}
}
