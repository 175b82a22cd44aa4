package persist

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/paas"
	"kurama/services/sink/sinktest"
)

func TestPagesHoldEachRecordOnceNewestFirst(t *testing.T) {
	b := setup(t)
	sinktest.Start(t, b.role.Run)
	at := time.Now().Add(-time.Minute)
	var records []record.Record
	for i := range 250 { // ten records share each time
		records = append(records, sinktest.Request("acme", "shop", i, at.Add(time.Duration(i/10)*time.Second)))
	}
	b.waitFor(t, sinktest.Publish(t, b.stream, append(records, sinktest.Request("other", "shop", 1, at))...))

	seen := map[record.ID]bool{}
	var before record.Record
	filter := Filter{Tenant: "acme", App: "shop", Limit: 33}
	for page := 0; ; page++ {
		found, cursor, err := b.query.Logs(t.Context(), filter)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range found {
			if seen[r.ID] || r.Tenant != "acme" {
				t.Fatalf("page %d repeats %s of %s", page, r.ID, r.Tenant)
			}
			if (page > 0 || i > 0) && r.Time.After(before.Time) {
				t.Fatalf("page %d: %s comes after %s", page, r.Time, before.Time)
			}
			seen[r.ID], before = true, r
		}
		if cursor == "" {
			break
		}
		filter.Cursor = cursor
	}
	if len(seen) != 250 {
		t.Errorf("%d records in all pages, want 250", len(seen))
	}
}

func TestFilters(t *testing.T) {
	b := setup(t)
	sinktest.Start(t, b.role.Run)
	base := time.Now().UTC().Truncate(time.Second).Add(-time.Minute)
	var records []record.Record
	add := func(change func(*record.Record)) {
		r := sinktest.Request("acme", "shop", len(records), base.Add(time.Duration(len(records))*time.Second))
		change(&r)
		records = append(records, r)
	}
	add(func(r *record.Record) { r.Msg = "plain" })
	add(func(r *record.Record) { r.Status, r.Level = 404, record.LevelWarning })
	add(func(r *record.Record) { r.Status, r.Level, r.Exc = 503, record.LevelError, "ZeroDivisionError" })
	add(func(r *record.Record) { r.Kind, r.Msg = record.KindLog, `100% of C:\temp_1` })
	add(func(r *record.Record) { r.Kind, r.Level, r.URL = record.KindSample, record.LevelNone, "" })
	add(func(r *record.Record) { r.Route = "/cart" })
	b.waitFor(t, sinktest.Publish(t, b.stream, records...))

	check := func(what string, f Filter, want ...int) {
		t.Helper()
		f.Tenant, f.App = "acme", "shop"
		found, _, err := b.query.Logs(t.Context(), f)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		var got []int
		for i := range found {
			for j := range records {
				if records[j].ID == found[i].ID {
					got = append(got, j)
				}
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	check("everything but samples", Filter{}, 5, 3, 2, 1, 0)
	check("samples", Filter{Kinds: []record.Kind{record.KindSample}}, 4)
	check("level", Filter{Level: record.LevelWarning}, 2, 1)
	check("exact status", Filter{Status: "404"}, 1)
	check("class of status", Filter{Status: "5xx"}, 2)
	check("text in any case", Filter{Text: "PLAIN"}, 0)
	check("text in the traceback", Filter{Text: "zerodiv"}, 2)
	check("per cent is no wildcard", Filter{Text: "%"}, 3)
	check("underscore is no wildcard", Filter{Text: "p_1"}, 3)
	check("backslash is no escape", Filter{Text: `C:\t`}, 3)
	check("route", Filter{Route: "/cart"}, 5)
	check("request", Filter{Req: "req-1"}, 1)
	check("time", Filter{From: base.Add(time.Second), To: base.Add(3 * time.Second)}, 2, 1)
	for _, f := range []Filter{{Status: "6xx"}, {Status: "abc"}, {Cursor: "?"}, {Cursor: "AAAA"}} {
		var invalid *paas.Invalid
		if _, _, err := b.query.Logs(t.Context(), f); !errors.As(err, &invalid) {
			t.Errorf("%+v: error %v, want one that the sender can mend", f, err)
		}
	}
}

func TestFollowYieldsNewRecordsInOrderOfArrival(t *testing.T) {
	b := setup(t)
	sinktest.Start(t, b.role.Run)
	now := time.Now()
	b.waitFor(t, sinktest.Publish(t, b.stream, sinktest.Request("acme", "shop", 0, now)))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got, done := make(chan string, 5000), make(chan error, 1)
	go func() {
		done <- b.query.Follow(ctx, Filter{Tenant: "acme", App: "shop"}, func(r *record.Record) error {
			got <- r.Req
			return nil
		})
	}()
	sinktest.Eventually(t, "the follower follows", func() bool { // the first record that it sees
		b.waitFor(t, sinktest.Publish(t, b.stream, sinktest.Request("acme", "shop", 1, time.Now())))
		return len(got) > 0
	})
	var big []record.Record
	for i := range 2500 { // more than a page, the later ones with earlier times
		big = append(big, sinktest.Request("acme", "shop", 10_000+i, now.Add(-time.Duration(i)*time.Millisecond)))
	}
	sinktest.Publish(t, b.stream, big[:1500]...)
	sinktest.Publish(t, b.stream, sinktest.Request("other", "shop", 99, now))
	sinktest.Publish(t, b.stream, big[1500:]...)
	seen := map[string]int{}
	for seen["req-12499"] == 0 || seen["req-11500"] == 0 {
		select {
		case req := <-got:
			seen[req]++
		case <-time.After(20 * time.Second):
			t.Fatalf("only %d records came", len(seen))
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(seen) != 2501 || seen["req-0"] != 0 || seen["req-99"] != 0 {
		t.Errorf("%d different records came", len(seen))
	}
	for _, r := range big {
		if seen[r.Req] != 1 {
			t.Fatalf("%s came %d times", r.Req, seen[r.Req])
		}
	}
}

func TestPartitionsAreMadeAheadFilledFromTheDefaultOneAndDropped(t *testing.T) {
	b := setup(t, func(c *config.Persist) { c.Retention, c.Ahead = 3*24*time.Hour, 2 })
	now := time.Now()
	partition := func(days int) string { return now.UTC().AddDate(0, 0, days).Format("records_20060102") }
	rowsIn := func(table string) (n int) {
		if err := b.pool.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			return -1
		}
		return n
	}
	conn, err := b.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	was := newPartitions(config.Persist{Retention: 3 * 24 * time.Hour, Ahead: 2}, sinktest.Log())
	if err := was.maintain(t.Context(), conn, now.AddDate(0, 0, -9)); err != nil { // nine days ago
		t.Fatal(err)
	}
	for _, days := range []int{-9, 0} { // the one of today lands in the default partition
		_, err := b.pool.Exec(t.Context(), `INSERT INTO records (ts, id, seq, release, kind, level, tenant, app, replica, msg)
			VALUES ($1, gen_random_uuid(), 0, 1, 2, 20, 'acme', 'shop', '', '')`, now.AddDate(0, 0, days))
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := rowsIn("records_default"); n != 1 {
		t.Fatalf("%d rows in the default partition, want 1", n)
	}
	sinktest.Start(t, b.role.Run)
	b.waitFor(t, sinktest.Publish(t, b.stream, sinktest.Request("acme", "shop", 1, now), sinktest.Request("acme", "shop", 2, now.AddDate(0, 0, -2)),
		sinktest.Request("acme", "shop", 3, now.AddDate(0, 0, 300))))
	for table, want := range map[string]int{partition(-9): -1, partition(-2): 1, partition(0): 2, partition(1): 0, partition(2): 0,
		partition(3): -1, "records_default": 1} {
		if n := rowsIn(table); n != want {
			t.Errorf("%s holds %d rows, want %d (-1: it does not exist)", table, n, want)
		}
	}
}
