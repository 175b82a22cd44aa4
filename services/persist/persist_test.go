package persist

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/logship/record"
	"kurama/logship/stream"
	"kurama/services/sink"
	"kurama/services/sink/sinktest"
)

// bench is a persist role with everything real around it.
type bench struct {
	pool   *pgxpool.Pool
	stream *stream.Stream
	role   *Persist
	query  *Query
}

func setup(t testing.TB, change ...func(*config.Persist)) *bench {
	t.Helper()
	b := &bench{pool: pgtest.New(t), stream: sinktest.Stream(t)}
	cfg := config.Default().Persist
	for _, f := range change {
		f(&cfg)
	}
	b.role, b.query = b.another(t, cfg), NewQuery(b.pool)
	return b
}

func (b *bench) another(t testing.TB, cfg config.Persist) *Persist {
	t.Helper()
	role, err := New(cfg, sink.Deps{Stream: b.stream, Pool: b.pool, Log: sinktest.Log()})
	if err != nil {
		t.Fatal(err)
	}
	return role
}

func (b *bench) waitFor(t testing.TB, seq uint64) {
	t.Helper()
	sinktest.Eventually(t, fmt.Sprintf("persist has stored batch %d", seq), func() bool {
		position, err := sink.Position(t.Context(), b.pool, Sink)
		return err == nil && position >= seq
	})
}

func (b *bench) count(t testing.TB, where string) (n int) {
	t.Helper()
	if err := b.pool.QueryRow(t.Context(), "SELECT count(*) FROM records WHERE "+where).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEveryFieldComesBackAsItWasSent(t *testing.T) {
	b := setup(t)
	sinktest.Start(t, b.role.Run)
	want := sinktest.Request("acme", "shop", 7, time.Now())
	want.Exc, want.Extra = "Traceback\n  boom", []byte(`{"a":1,"b":[true,null,"ü"]}`)
	log := record.Record{Time: want.Time.Add(time.Millisecond), ID: record.NewID(time.Now()), Kind: record.KindLog,
		Level: record.LevelError, Tenant: "acme", App: "shop", Replica: "r", Msg: "no figures"}
	b.waitFor(t, sinktest.Publish(t, b.stream, want, log))

	got, cursor, err := b.query.Logs(t.Context(), Filter{Tenant: "acme", App: "shop"})
	if err != nil || cursor != "" || len(got) != 2 {
		t.Fatalf("got %d records, cursor %q, error %v", len(got), cursor, err)
	}
	for i, w := range []record.Record{log, want} {
		if g, w := string(record.Append(nil, &got[i])), string(record.Append(nil, &w)); g != w {
			t.Errorf("got  %swant %s", g, w)
		}
	}
}

func TestNothingIsLostOrDoubledWhenTheSinkDiesBeforeItsCommit(t *testing.T) {
	b := setup(t, func(c *config.Persist) { c.BatchRecords = 50 })
	var deaths atomic.Int32
	const batches, each = 40, 10
	for kill := range 4 { // each life ends after the copy, before the commit
		ctx, cancel := context.WithCancel(t.Context())
		role, n := b.another(t, b.role.cfg), 0
		role.beforeCommit = func() error {
			if n++; n > 1 {
				deaths.Add(1)
				cancel()
			}
			return nil
		}
		done := make(chan error, 1)
		go func() { done <- role.Run(ctx) }()
		for i := range batches / 4 {
			var records []record.Record
			for j := range each {
				records = append(records, sinktest.Request("acme", "shop", (kill*batches/4+i)*each+j, time.Now()))
			}
			sinktest.Publish(t, b.stream, records...)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	sinktest.Start(t, b.role.Run)
	b.waitFor(t, batches)
	if n := b.count(t, "true"); n != batches*each || deaths.Load() < 4 {
		t.Errorf("%d records after %d deaths, want %d after 4", n, deaths.Load(), batches*each)
	}
	var distinct int
	if err := b.pool.QueryRow(t.Context(), "SELECT count(DISTINCT req) FROM records").Scan(&distinct); err != nil || distinct != batches*each {
		t.Errorf("%d distinct records, error %v", distinct, err)
	}
}

func TestTwoSinksAtOnceStoreEachRecordOnce(t *testing.T) {
	b := setup(t, func(c *config.Persist) { c.BatchRecords = 5 })
	other := b.another(t, b.role.cfg)
	var faults atomic.Int32
	other.beforeCommit = func() error {
		if faults.Add(1)%3 == 0 {
			return errors.New("a fault of the test")
		}
		return nil
	}
	sinktest.Start(t, b.role.Run)
	sinktest.Start(t, other.Run)
	var last uint64
	for i := range 60 {
		last = sinktest.Publish(t, b.stream, sinktest.Request("acme", "shop", i, time.Now()))
	}
	b.waitFor(t, last)
	if n := b.count(t, "true"); n != 60 {
		t.Errorf("%d records, want 60", n)
	}
}

func TestTheSinkOutlivesItsConnections(t *testing.T) {
	b := setup(t)
	sinktest.Start(t, b.role.Run)
	var last uint64
	for i := range 30 {
		last = sinktest.Publish(t, b.stream, sinktest.Request("acme", "shop", i, time.Now()))
		if i%10 == 5 { // what a restart of Postgres does to its clients
			sinktest.Eventually(t, "its connections are cut", func() bool { // the test's own may be among those cut before
				_, err := b.pool.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
					WHERE datname = current_database() AND pid <> pg_backend_pid()`)
				return err == nil
			})
		}
	}
	b.waitFor(t, last)
	n := 0
	sinktest.Eventually(t, "the rows can be counted", func() bool {
		return b.pool.QueryRow(t.Context(), "SELECT count(*) FROM records").Scan(&n) == nil
	})
	if n != 30 {
		t.Errorf("%d records, want 30", n)
	}
}

func TestHostileRecordsAreStoredOrPassedOverButNeverBlock(t *testing.T) {
	b := setup(t)
	sinktest.Start(t, b.role.Run)
	hostile := func(change func(*record.Record)) record.Record {
		r := sinktest.Request("acme", "shop", 1, time.Now())
		change(&r)
		return r
	}
	deep := strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000)
	records := []record.Record{
		hostile(func(r *record.Record) { r.Msg = "nul \x00 here" }),
		hostile(func(r *record.Record) { r.Extra = []byte(`{"a":"\u0000"}`) }),
		hostile(func(r *record.Record) { r.Extra = []byte(`{"a":"\ud800"}`) }),
		hostile(func(r *record.Record) { r.Extra = []byte(`{"a":1e999999}`) }),
		hostile(func(r *record.Record) { r.Extra = []byte(`{"a":` + deep[:200] + deep[9800:] + `}`) }),
		hostile(func(r *record.Record) { r.Status = 70_000 }),
		hostile(func(r *record.Record) { r.Release = math.MaxInt32 + 1 }),
		hostile(func(r *record.Record) { r.Dur = record.Num(1e300) }),
		hostile(func(r *record.Record) { r.App = strings.Repeat("a", 9000) }),
		hostile(func(r *record.Record) { r.Msg = strings.Repeat("x", 3<<20) }),
		hostile(func(r *record.Record) { r.Time = time.Time{} }),
		hostile(func(r *record.Record) { r.Time = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC) }),
		hostile(func(r *record.Record) { r.Time = time.Date(1, 2, 3, 0, 0, 0, 0, time.UTC) }),
	}
	sinktest.Publish(t, b.stream, records...)
	sinktest.PublishRaw(t, b.stream, []byte("{\"msg\":\"cut of\n\xff\xfe\n{\"ts\":7}\n{}\n"), 4)
	last := sinktest.Publish(t, b.stream, sinktest.Request("acme", "after", 1, time.Now()))
	b.waitFor(t, last)
	if n := b.count(t, "tenant = 'acme'"); n != len(records)+1 {
		t.Errorf("%d records, want %d", n, len(records)+1)
	}
	if n := b.count(t, "msg = 'nul \u2400 here'"); n != 1 {
		t.Errorf("%d records with a visible NUL, want 1", n)
	}
	if n := b.count(t, "jsonb_typeof(extra) = 'string'"); n < 3 {
		t.Errorf("%d records whose extra is kept as a string, want at least 3", n)
	}
}

func TestARecordThatPostgresRefusesCostsOnlyItself(t *testing.T) {
	b := setup(t)
	if _, err := b.pool.Exec(t.Context(), `ALTER TABLE records ADD CONSTRAINT refuse CHECK (msg <> 'poison')`); err != nil {
		t.Fatal(err)
	}
	sinktest.Start(t, b.role.Run)
	var records []record.Record
	for i := range 100 {
		r := sinktest.Request("acme", "shop", i, time.Now())
		if i == 13 || i == 77 {
			r.Msg = "poison"
		}
		records = append(records, r)
	}
	b.waitFor(t, sinktest.Publish(t, b.stream, records...))
	if n := b.count(t, "true"); n != 98 {
		t.Errorf("%d records, want 98", n)
	}
}

func TestAReplacedStreamIsReadFromItsBeginning(t *testing.T) {
	b := setup(t)
	if _, err := b.pool.Exec(t.Context(), `INSERT INTO sink_positions VALUES ('persist', 5000)`); err != nil {
		t.Fatal(err)
	}
	sinktest.Publish(t, b.stream, sinktest.Request("acme", "shop", 1, time.Now()))
	sinktest.Start(t, b.role.Run)
	sinktest.Eventually(t, "the record is stored", func() bool { return b.count(t, "true") == 1 })
}

func TestACallIsARowSoon(t *testing.T) {
	b := setup(t)
	sinktest.Start(t, b.role.Run)
	b.waitFor(t, sinktest.Publish(t, b.stream, sinktest.Request("acme", "shop", 0, time.Now())))
	best := time.Hour
	for i := range 10 {
		began := time.Now()
		b.waitFor(t, sinktest.Publish(t, b.stream, sinktest.Request("acme", "shop", i+1, time.Now())))
		best = min(best, time.Since(began))
	}
	t.Logf("the quickest of ten took %s from the call of Publish to the row", best)
	if best > 200*time.Millisecond {
		t.Errorf("the quickest of ten took %s", best)
	}
}

func TestTheHealthPageTellsReadinessAndLag(t *testing.T) {
	b := setup(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	role, err := New(b.role.cfg, sink.Deps{Stream: b.stream, Pool: b.pool, Log: sinktest.Log(), Listener: listener})
	if err != nil {
		t.Fatal(err)
	}
	sinktest.Start(t, role.Run)
	b.waitFor(t, sinktest.Publish(t, b.stream, sinktest.Request("acme", "shop", 0, time.Now())))
	get := func(path string) (int, string) {
		resp, err := http.Get("http://" + listener.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var body strings.Builder
		_ = resp.Write(&body)
		return resp.StatusCode, body.String()
	}
	if status, body := get("/readyz"); status != http.StatusOK {
		t.Errorf("readyz: %d %s", status, body)
	}
	sinktest.Eventually(t, "the figures are right", func() bool {
		_, body := get("/metrics")
		return strings.Contains(body, "kurama_persist_records_total 1") && strings.Contains(body, "kurama_persist_lag 0")
	})
}
