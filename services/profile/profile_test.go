package profile

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/logship/record"
	"kurama/logship/stream"
	"kurama/paas"
	"kurama/services/sink"
	"kurama/services/sink/sinktest"
)

type bench struct {
	pool   *pgxpool.Pool
	stream *stream.Stream
	role   *Profile
	query  *Query
}

func setup(t testing.TB, change ...func(*config.Profile)) *bench {
	t.Helper()
	b := &bench{pool: pgtest.New(t), stream: sinktest.Stream(t)}
	cfg := config.Default().Profile
	cfg.FlushInterval = 100 * time.Millisecond
	for _, f := range change {
		f(&cfg)
	}
	role, err := New(cfg, sink.Deps{Stream: b.stream, Pool: b.pool, Log: sinktest.Log()})
	if err != nil {
		t.Fatal(err)
	}
	b.role, b.query = role, NewQuery(b.pool)
	return b
}

func (b *bench) waitFor(t testing.TB, seq uint64) {
	t.Helper()
	sinktest.Eventually(t, fmt.Sprintf("profile has stored batch %d", seq), func() bool {
		position, err := sink.Position(t.Context(), b.pool, Sink)
		return err == nil && position >= seq
	})
}

func (b *bench) routes(t testing.TB, window time.Duration) []RouteStats {
	t.Helper()
	stats, from, to, err := b.query.Routes(t.Context(), "acme", "shop", window)
	if err != nil || !from.Before(to) || to.Sub(from) > window+time.Minute {
		t.Fatalf("from %s to %s, error %v", from, to, err)
	}
	return stats
}

func request(i int, at time.Time, change func(*record.Record)) record.Record {
	r := sinktest.Request("acme", "shop", i, at)
	change(&r)
	return r
}

func TestQuantilesAreWithinOnePercentOverManyMinutesAndFlushes(t *testing.T) {
	b := setup(t)
	sinktest.Start(t, b.role.Run)
	random := rand.New(rand.NewPCG(1, 2))
	var exact []float64
	var sum float64
	now := time.Now()
	for range 8 {
		var batch []record.Record
		for range 600 {
			dur := math.Exp(random.NormFloat64()*1.5 + 3)
			exact, sum = append(exact, dur), sum+dur
			at := now.Add(-time.Duration(random.IntN(10*60)) * time.Second)
			batch = append(batch, request(1, at, func(r *record.Record) { r.Dur = record.Num(dur) }))
		}
		b.waitFor(t, sinktest.Publish(t, b.stream, batch...)) // a flush each: minutes are merged again and again
	}
	slices.Sort(exact)
	stats := b.routes(t, 15*time.Minute)
	if len(stats) != 1 || stats[0].Requests != int64(len(exact)) || stats[0].Route != "/user/<id>" {
		t.Fatalf("stats: %+v", stats)
	}
	for q, got := range map[float64]*float64{0.5: stats[0].P50, 0.95: stats[0].P95, 0.99: stats[0].P99} {
		want := exact[int(q*float64(len(exact)-1))]
		if math.Abs(*got-want) > want*0.0101 {
			t.Errorf("p%g is %g, exactly %g", q*100, *got, want)
		}
	}
	if mean := sum / float64(len(exact)); math.Abs(*stats[0].Mean-mean) > mean*1e-9 {
		t.Errorf("the mean is %g, exactly %g", *stats[0].Mean, mean)
	}
}

func TestEachRequestCountsOnceAcrossFaultsBeforeTheCommit(t *testing.T) {
	b := setup(t)
	var calls atomic.Int32
	b.role.beforeCommit = func() error {
		if calls.Add(1)%2 == 1 {
			return errors.New("a fault of the test")
		}
		return nil
	}
	sinktest.Start(t, b.role.Run)
	var last uint64
	for i := range 200 {
		last = sinktest.Publish(t, b.stream, request(i, time.Now(), func(r *record.Record) {
			if i%10 == 0 {
				r.Status = 502
			}
		}))
	}
	b.waitFor(t, last)
	stats := b.routes(t, 15*time.Minute)
	if len(stats) != 1 || stats[0].Requests != 200 || stats[0].Errors != 20 || calls.Load() < 2 {
		t.Errorf("after %d calls: %+v", calls.Load(), stats)
	}
}

func TestRoutesBeyondTheLimitAreCountedAsOne(t *testing.T) {
	b := setup(t, func(c *config.Profile) { c.MaxRoutes = 5 })
	stop := sinktest.Start(t, b.role.Run)
	send := func() {
		var batch []record.Record
		for i := range 20 {
			batch = append(batch, request(i, time.Now(), func(r *record.Record) { r.Route = fmt.Sprintf("/r%02d", i) }))
		}
		b.waitFor(t, sinktest.Publish(t, b.stream, batch...))
	}
	send()
	stop()
	again, err := New(b.role.cfg, b.role.deps) // the limit holds across a restart
	if err != nil {
		t.Fatal(err)
	}
	sinktest.Start(t, again.Run)
	send()
	stats := b.routes(t, time.Hour)
	if len(stats) != 6 || stats[0].Route != OtherRoutes || stats[0].Requests != 30 || stats[1].Requests != 2 {
		t.Errorf("stats: %+v", stats)
	}
}

func TestUnknownFiguresStayUnknown(t *testing.T) {
	b := setup(t)
	sinktest.Start(t, b.role.Run)
	b.waitFor(t, sinktest.Publish(t, b.stream,
		request(1, time.Now(), func(r *record.Record) {
			r.Dur, r.CPUMs, r.DBMs, r.Bytes = record.Number{}, record.Number{}, record.Number{}, record.Number{}
		}),
		sinktest.Request("..", "x", 1, time.Now()), // no name: not counted, no harm
		request(1, time.Now().AddDate(-1, 0, 0), func(*record.Record) {}),
		record.Record{Time: time.Now(), Kind: record.KindLog, Tenant: "acme", App: "shop"}))
	stats := b.routes(t, time.Minute)
	if len(stats) != 1 || stats[0].Requests != 1 || stats[0].P50 != nil || stats[0].Mean != nil || stats[0].CPUMs != nil || stats[0].DBMs != nil || stats[0].Bytes != nil {
		t.Errorf("stats: %+v", stats)
	}
	var invalid *paas.Invalid
	if _, _, _, err := b.query.Routes(t.Context(), "acme", "shop", time.Second); !errors.As(err, &invalid) {
		t.Errorf("error %v, want one that the sender can mend", err)
	}
}

func TestABrokenStoredSketchDoesNotBlock(t *testing.T) {
	b := setup(t)
	stop := sinktest.Start(t, b.role.Run)
	now := time.Now()
	b.waitFor(t, sinktest.Publish(t, b.stream, request(1, now, func(*record.Record) {})))
	stop()
	if _, err := b.pool.Exec(t.Context(), `UPDATE rollups SET sketch = '\xff01'`); err != nil {
		t.Fatal(err)
	}
	sinktest.Start(t, b.role.Run)
	b.waitFor(t, sinktest.Publish(t, b.stream, request(1, now, func(*record.Record) {})))
	if stats := b.routes(t, 15*time.Minute); len(stats) != 1 || stats[0].Requests != 2 || stats[0].P50 == nil {
		t.Errorf("stats: %+v", stats)
	}
}

func TestOldMinutesAreDeleted(t *testing.T) {
	b := setup(t, func(c *config.Profile) { c.Retention = 24 * time.Hour })
	_, err := b.pool.Exec(t.Context(), `INSERT INTO rollups (minute, tenant, app, release, method, route, requests, errors, dur_sum, cpu_sum, sketch)
		VALUES (now() - interval '2 days', 'acme', 'shop', 1, 'GET', '/', 1, 0, 0, 0, '')`)
	if err != nil {
		t.Fatal(err)
	}
	sinktest.Start(t, b.role.Run)
	sinktest.Eventually(t, "the old minute is gone", func() bool {
		var n int
		err := b.pool.QueryRow(t.Context(), `SELECT count(*) FROM rollups`).Scan(&n)
		return err == nil && n == 0
	})
}

func TestRouteOf(t *testing.T) {
	f := func(url, rule string, status int, want string) {
		t.Helper()
		if got := routeOf(&record.Record{URL: url, Route: rule, Status: status}); got != want {
			t.Errorf("routeOf(%q, %q, %d) = %q, want %q", url, rule, status, got, want)
		}
	}
	f("/user/7?x=1", "/user/<id>", 200, "/user/<id>")
	f("/user/7?x=1", "", 200, "/user/<n>")
	f("/user/7", "", 404, NotFound)
	f("/user/7", "/user/<id>", 404, "/user/<id>")
	f("", "", 200, "/")
	f("/", "", 200, "/")
	f("/a/", "", 200, "/a/")
	f("http://host:80/a/12/b#c", "", 200, "/a/<n>/b")
	f("http://host", "", 200, "/")
	f("/o/0192f0c5-2a6b-7c3d-8e4f-5a6b7c8d9e0f", "", 200, "/o/<uuid>")
	f("/t/DEADBEEF00112233/v", "", 200, "/t/<hex>/v")
	f("/cafe/decade", "", 200, "/cafe/decade")
	f("/x/"+strings.Repeat("y", 100), "", 200, "/x/<text>")
	f("/1/2/3/4/5/6/7/8/9/10", "", 200, "/<n>/<n>/<n>/<n>/<n>/<n>/<n>/<n>/…")
	f("/a\x00b", "", 200, "/a\u2400b")
}

func FuzzRouteOf(f *testing.F) {
	f.Add("/user/7?x=1", "")
	f.Add("http://a//\xff", "\x00")
	f.Fuzz(func(t *testing.T, url, rule string) {
		got := routeOf(&record.Record{URL: url, Route: rule})
		if got == "" && rule == "" || strings.IndexByte(got, 0) >= 0 || len(got) > 3*maxRoute || strings.ToValidUTF8(got, "") != got {
			t.Errorf("routeOf(%q, %q) = %q", url, rule, got)
		}
	})
}
