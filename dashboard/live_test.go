package dashboard

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kurama/internal/config"
	"kurama/logship/record"
)

func TestNumbersEqualTheRecordsSent(t *testing.T) {
	f := setup(t, startStream(t), settings(), nil)
	p := f.watch("ann", "app=hello")
	if first := p.read(); !first.Snapshot || first.App != "hello" || first.Tenant != "acme" {
		t.Fatalf("the first frame is %+v", first)
	}
	const n = 3000
	var durations []float64
	now := time.Now()
	for i := range n / 100 {
		var batch []record.Record
		for j := range 100 {
			k := i*100 + j
			ms := 1 + float64((k*7919)%1000)/10
			durations = append(durations, ms)
			status := []int{200, 200, 200, 201, 302, 404, 500, 0}[k%8]
			batch = append(batch, request(now.Add(-time.Duration(k%5)*time.Second), status, ms))
		}
		batch = append(batch, logLine(now, record.LevelInfo, fmt.Sprintf("line %d", i)))
		f.publish(batch...)
	}
	p.until("all records counted", func() bool {
		return p.last.Total != nil && p.last.Total.Requests == n && p.last.Total.Logs == n/100 &&
			p.last.Window != nil && p.last.Window.Requests == n && len(p.last.Routes) == 1 && p.last.Routes[0].Requests == n
	})
	if s := p.sum(); s.Req != n || s.S2 != n/2 || s.S3 != n/8 || s.S4 != n/8 || s.S5 != n/4 || p.last.Window.Errors != n/4 {
		t.Errorf("the points sum up to %+v, the window to %+v", s, p.last.Window)
	}
	slices.Sort(durations)
	exact := durations[n*95/100]
	if got := *p.last.Routes[0].P95; math.Abs(got-exact)/exact > 0.02 {
		t.Errorf("p95 of the route is %.2f ms, of the durations sent %.2f ms", got, exact)
	}
	if got := len(p.logs) + p.dropped; got != n+n/100 {
		t.Errorf("%d records shown and %d told as dropped are %d, not %d", len(p.logs), p.dropped, got, n+n/100)
	}
	if p.last.Routes[0].Route != "/item/<id>" || p.last.Routes[0].Method != "GET" {
		t.Errorf("the route is %+v", p.last.Routes[0])
	}
}

func TestASnapshotHoldsTheHistoryAndDeltasOnlyTheNews(t *testing.T) {
	s, sent := startStream(t), 0
	at := time.Now().Add(-time.Second).Truncate(time.Second)
	publish(t, s, &sent, sample(at, "hello-1-aaaaaa", 10), sample(at, "hello-1-bbbbbb", 20), queue(at, 3, 1), request(at, 200, 5),
		logLine(at, record.LevelInfo, "before the dashboard started"))
	f := setup(t, s, settings(), nil)
	f.sent = sent
	f.poll("the history is read", func() bool { return value(f.server.counters.records) == 5 })

	p := f.watch("ann", "app=hello")
	first := p.read()
	pt := p.points[at.Unix()]
	if !first.Snapshot || pt.Req != 1 || pt.Replicas == nil || *pt.Replicas != 2 || pt.Inflight == nil || *pt.Inflight != 3 {
		t.Errorf("the snapshot holds %+v of second %d", pt, at.Unix())
	}
	if len(first.Figures) != 2 || len(first.Logs) != 2 || first.Total.Requests != 1 || first.Total.Logs != 1 {
		t.Errorf("the snapshot holds %d figures, %d logs, total %+v", len(first.Figures), len(first.Logs), first.Total)
	}
	f.publish(logLine(time.Now(), record.LevelInfo, "news"))
	for got := (frameJSON{}); len(got.Logs) == 0; {
		got = p.read()
		if got.Snapshot || len(got.Points) > 0 || len(got.Figures) > 0 || (len(got.Logs) > 0 && got.Logs[0].Msg != "news") {
			t.Fatalf("a later frame holds %+v", got)
		}
	}
}

func TestTheViewOfAllAppsSumsThemUp(t *testing.T) {
	f := setup(t, startStream(t), settings(), nil)
	p := f.watch("ann", "")
	now := time.Now()
	shop := request(now, 500, 20)
	shop.App, shop.Replica = "shop", "shop-1-aaaaaa"
	foreign := request(now, 500, 20)
	foreign.Tenant = "bee"
	event := record.Record{Time: now, ID: record.NewID(now), Kind: record.KindEvent, Level: record.LevelInfo, Tenant: "acme", App: "shop",
		Msg: "2 → 4 replicas", Extra: []byte(`{"event":"scaled"}`)}
	f.publish(request(now, 200, 5), sample(now, "hello-1-aaaaaa", 10), shop, foreign, event)
	p.until("both apps are listed", func() bool { return len(p.last.Apps) == 2 && p.last.Total.Requests == 2 })
	if a, b := p.last.Apps[0], p.last.Apps[1]; a.App != "hello" || *a.Replicas != 1 || a.Errors != 0 || b.App != "shop" || b.Errors != 1 || b.Replicas != nil {
		t.Errorf("the apps are %+v", p.last.Apps)
	}
	if len(p.last.Events) != 1 || p.last.Events[0].Event != "scaled" {
		t.Errorf("the events are %+v", p.last.Events)
	}
	for _, l := range p.logs {
		if l.Tenant != "acme" {
			t.Errorf("a record of %s is shown to acme", l.Tenant)
		}
	}
}

func TestAFilterChoosesTheLog(t *testing.T) {
	f := setup(t, startStream(t), settings(), nil)
	p, other := f.watch("ann", "app=hello"), f.watch("ann", "app=hello")
	now := time.Now()
	f.publish(logLine(now, record.LevelInfo, "quiet"), logLine(now, record.LevelError, "The disk is FULL"), request(now, 500, 3))
	p.until("all lines came", func() bool { return len(p.logs) == 3 })
	filter := `{"filter":{"level":"WARNING","text":"full","kind":"log"}}`
	if err := p.conn.WriteMessage(websocket.TextMessage, []byte(filter)); err != nil {
		t.Fatal(err)
	}
	p.logs = nil
	p.until("the log is sent anew", func() bool { return len(p.logs) > 0 })
	f.publish(logLine(now, record.LevelInfo, "full of info"), logLine(now, record.LevelCritical, "Full again"))
	p.until("the news came", func() bool { return len(p.logs) > 1 })
	if p.logs[0].Msg != "The disk is FULL" || p.logs[1].Msg != "Full again" || len(p.logs) != 2 {
		t.Errorf("the filtered log is %+v", p.logs)
	}
	other.until("the other client got everything", func() bool { return len(other.logs) == 5 })
}

func TestAStreamThatWasMadeAnewIsFollowed(t *testing.T) {
	cfg := config.Default().Stream
	cfg.Listen = "127.0.0.1:0"
	first, url := startServer(t, cfg)
	s := connect(t, cfg, url)
	f := setup(t, s, settings(), nil)
	p := f.watch("ann", "app=hello")
	for range 3 {
		f.publish(request(time.Now(), 200, 5))
	}
	p.until("the first stream is read", func() bool { return p.last.Total != nil && p.last.Total.Requests == 3 })
	first()
	cfg.Listen = strings.TrimPrefix(url, "nats://")
	startServer(t, cfg)
	f.publish(request(time.Now(), 200, 5))
	p.until("the second stream is read", func() bool { return p.last.Total.Requests == 4 })
}

func TestASlowClient(t *testing.T) {
	load := func(f *fixture, batches int) (sent int) {
		text := strings.Repeat("x", 1500)
		for range batches {
			var batch []record.Record
			for range 100 {
				batch = append(batch, logLine(time.Now(), record.LevelInfo, text))
			}
			f.publish(batch...)
			sent += len(batch)
		}
		return sent
	}
	t.Run("that stops reading is cut off and delays nobody", func(t *testing.T) {
		f := setup(t, startStream(t), settings(), func(s *Server) { s.writeWait = 2 * time.Second })
		quick := f.watch("ann", "app=hello")
		f.dialer.NetDialContext = narrow
		f.watch("ann", "app=hello") // and never read
		quick.read()
		slowest, sent := time.Duration(0), 0
		for value(f.server.counters.evicted) == 0 {
			sent += load(f, 2)
			start := time.Now()
			quick.until("the quick client is up to date", func() bool { return quick.last.Total != nil && quick.last.Total.Logs == sent })
			slowest = max(slowest, time.Since(start))
		}
		if slowest > 1500*time.Millisecond {
			t.Errorf("the quick client waited %s", slowest)
		}
		if len(quick.logs)+quick.dropped != sent {
			t.Errorf("%d shown and %d dropped of %d", len(quick.logs), quick.dropped, sent)
		}
		f.poll("one client is left", func() bool { return value(f.server.counters.clients) == 1 })
	})
	t.Run("that falls behind gets merged frames and misses no number", func(t *testing.T) {
		f := setup(t, startStream(t), settings(), nil)
		f.dialer.NetDialContext = narrow
		slow := f.watch("ann", "app=hello")
		slow.read()
		sent := 0
		for lags := false; !lags; {
			sent += load(f, 1)
			f.server.hub.do(func() {
				for c := range f.server.hub.topics[key{"acme", "hello"}].clients {
					lags = c.behind
				}
			})
		}
		for i := range 500 {
			f.publish(request(time.Now(), 200, float64(i)))
		}
		slow.until("the slow client is up to date", func() bool {
			return slow.last.Total != nil && slow.last.Total.Requests == 500 && slow.last.Total.Logs == sent
		})
		if s := slow.sum(); s.Req != 500 {
			t.Errorf("its points sum up to %d requests", s.Req)
		}
		if value(f.server.counters.merged) == 0 {
			t.Error("no frame was merged")
		}
	})
}
