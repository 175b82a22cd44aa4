package persist

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/logship/record"
	"kurama/logship/stream"
	"kurama/services/sink"
	"kurama/services/sink/sinktest"
)

// benchRows are stored per round: twenty transactions of the default size.
const benchRows = 200_000

func benchBatches(now time.Time) []stream.Batch {
	var batches []stream.Batch
	for i := 0; i < benchRows; {
		var data []byte
		for range 500 {
			r := sinktest.Request("acme", fmt.Sprintf("app-%d", i%50), i, now.Add(time.Duration(i)*time.Microsecond))
			data = record.Append(data, &r)
			i++
		}
		batches = append(batches, stream.Batch{Seq: uint64(len(batches) + 1), Records: 500, Data: data, At: now})
	}
	return batches
}

// BenchmarkBareCopy is what Postgres itself takes: the same tuples, made
// beforehand, in transactions of the same size.
func BenchmarkBareCopy(b *testing.B) {
	pool := pgtest.New(b)
	conn, err := pool.Acquire(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Release()
	if err := newPartitions(config.Default().Persist, sinktest.Log()).maintain(b.Context(), conn, time.Now()); err != nil {
		b.Fatal(err)
	}
	var runs []*run
	for batches := benchBatches(time.Now()); len(batches) > 0; batches = batches[20:] {
		r := &run{}
		r.encode(0, batches[:20], nil, sinktest.Log())
		runs = append(runs, r)
	}
	rows := 0
	for b.Loop() {
		for _, r := range runs {
			err := pgx.BeginFunc(b.Context(), conn, func(tx pgx.Tx) error {
				if _, err := tx.Exec(b.Context(), "SET LOCAL synchronous_commit = off"); err != nil {
					return err
				}
				return copyTuples(b.Context(), tx, r, 0, len(r.ends))
			})
			if err != nil {
				b.Fatal(err)
			}
			rows += len(r.ends)
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkPersist is the whole way: from the stream, decoded, encoded and
// committed with the position.
func BenchmarkPersist(b *testing.B) {
	cfg := config.Default().Persist
	s := sinktest.Stream(b)
	var last uint64
	for _, batch := range benchBatches(time.Now()) {
		last = sinktest.PublishRaw(b, s, batch.Data, batch.Records)
	}
	rows := 0
	for b.Loop() {
		b.StopTimer()
		pool := pgtest.New(b)
		role, err := New(cfg, sink.Deps{Stream: s, Pool: pool, Log: sinktest.Log()})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		stop := sinktest.Start(b, role.Run)
		sinktest.Eventually(b, "all is stored", func() bool {
			position, err := sink.Position(b.Context(), pool, Sink)
			return err == nil && position >= last
		})
		b.StopTimer()
		stop()
		rows += benchRows
		b.StartTimer()
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkEncode is the part of it that is Go's.
func BenchmarkEncode(b *testing.B) {
	batches, r, rows := benchBatches(time.Now())[:20], &run{}, 0
	b.ReportAllocs()
	for b.Loop() {
		r.encode(0, batches, nil, sinktest.Log())
		rows += len(r.ends)
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}
