package persist

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/services/sink/sinktest"
)

func TestARunIsCopiedWhileTheOneBeforeIs(t *testing.T) {
	b := setup(t, func(c *config.Persist) { c.BatchRecords = 5 })
	var last uint64
	for i := range 6 {
		var records []record.Record
		for j := range 5 {
			records = append(records, sinktest.Request("acme", "shop", 5*i+j, time.Now()))
		}
		last = sinktest.Publish(t, b.stream, records...)
	}
	overlapped := false
	b.role.beforeCommit = func() error {
		for end := time.Now().Add(10 * time.Second); !overlapped && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			// The next run is copied and waits for its turn.
			err := b.pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
				AND state = 'idle in transaction' AND query LIKE 'COPY records%')`).Scan(&overlapped)
			if err != nil {
				return err
			}
		}
		return nil
	}
	sinktest.Start(t, b.role.Run)
	b.waitFor(t, last)
	if n := b.count(t, "true"); n != 30 || !overlapped {
		t.Errorf("%d records, want 30; a run was copied meanwhile: %v", n, overlapped)
	}
}

// Whatever fails: at any moment exactly the batches up to the position are stored.
func TestThePositionIsTrueAtEveryMoment(t *testing.T) {
	b := setup(t, func(c *config.Persist) { c.BatchRecords = 4 })
	var commits, faults atomic.Int32
	b.role.beforeCommit = func() error {
		if commits.Add(1)%4 == 0 {
			faults.Add(1)
			return errors.New("a fault of the test")
		}
		return nil
	}
	const batches = 60
	for i := range batches {
		sinktest.Publish(t, b.stream, sinktest.Request("acme", "shop", 2*i, time.Now()), sinktest.Request("acme", "cart", 2*i+1, time.Now()))
	}
	sinktest.Start(t, b.role.Run)
	sinktest.Eventually(t, "all is stored", func() bool {
		var position, newest, stored, rows int // of one snapshot
		err := b.pool.QueryRow(t.Context(), `SELECT COALESCE((SELECT seq FROM sink_positions WHERE sink = 'persist'), 0),
			COALESCE(max(seq), 0), count(DISTINCT seq), count(*) FROM records`).Scan(&position, &newest, &stored, &rows)
		if err != nil {
			t.Fatal(err)
		}
		if newest != position || stored != position || rows != 2*position {
			t.Fatalf("at position %d: %d batches up to %d in %d rows", position, stored, newest, rows)
		}
		return position == batches
	})
	if faults.Load() == 0 {
		t.Error("nothing failed")
	}
}

func TestDaysGetTheirPartitionsBetweenTheLanes(t *testing.T) {
	b := setup(t, func(c *config.Persist) { c.BatchRecords = 3 })
	var last uint64
	for i := range 60 {
		at := time.Now().Add(-time.Duration(i%5) * 24 * time.Hour)
		last = sinktest.Publish(t, b.stream, sinktest.Request("acme", "shop", i, at), sinktest.Request("acme", "shop", 100+i, time.Now()))
	}
	sinktest.Start(t, b.role.Run)
	b.waitFor(t, last)
	var byDefault int
	if err := b.pool.QueryRow(t.Context(), "SELECT count(*) FROM records_default").Scan(&byDefault); err != nil {
		t.Fatal(err)
	}
	if n := b.count(t, "true"); n != 120 || byDefault != 0 {
		t.Errorf("%d records, want 120; %d of them in the default partition", n, byDefault)
	}
}

func TestTheRowsOfARunLieAppByAppInTheirOrder(t *testing.T) {
	b := setup(t)
	var records []record.Record
	for i := range 300 {
		records = append(records, sinktest.Request([]string{"acme", "zeta"}[i%2], fmt.Sprintf("app-%d", i%7), i, time.Now().Add(-time.Duration(i)*time.Millisecond)))
	}
	last := sinktest.Publish(t, b.stream, records...) // one batch: one run
	sinktest.Start(t, b.role.Run)
	b.waitFor(t, last)
	rows, err := b.pool.Query(t.Context(), "SELECT tenant || '/' || app, right(req, -4)::int FROM records ORDER BY ctid")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var apps []string
	before := map[string]int{}
	for rows.Next() {
		var app string
		var number int
		if err := rows.Scan(&app, &number); err != nil {
			t.Fatal(err)
		}
		if prev, seen := before[app]; seen && prev > number {
			t.Errorf("record %d of %s lies behind %d", number, app, prev)
		}
		before[app] = number
		if n := len(apps); n == 0 || apps[n-1] != app {
			apps = append(apps, app)
		}
	}
	if err := rows.Err(); err != nil || len(apps) != 14 || !slices.IsSorted(apps) {
		t.Errorf("the apps lie as %v, %v", apps, err)
	}
}
