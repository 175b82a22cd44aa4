package sink

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"kurama/logship/stream"
)

const (
	fetchBatches = 16                   // batches asked for at once: of 1 MiB each before they are packed, where records come fast
	gatherWait   = 2 * time.Millisecond // how long a run waits for one more batch once it holds some
	lineBytes    = 256                  // guess of a record's size where a batch does not tell its count
)

// Feed cuts the stream into runs of neighbouring batches. Next is for one
// goroutine; Ack may be called from another.
type Feed struct {
	name   string
	log    *slog.Logger
	reader *stream.Reader
	next   uint64         // sequence expected next
	ahead  []stream.Batch // read but not handed over yet
}

// OpenFeed opens a feed of the durable reader name that begins after at. The
// caller must Close it.
func OpenFeed(ctx context.Context, source Stream, name string, at Place, log *slog.Logger) (*Feed, error) {
	reader, err := source.Reader(ctx, name, at.Seq+1, at.Stream)
	if err != nil {
		return nil, fmt.Errorf("reading the stream as %s from %d: %w", name, at.Seq+1, err)
	}
	return &Feed{name: name, log: log, reader: reader, next: at.Seq + 1}, nil
}

// Next returns a run of batches that together hold at most records records (or
// one batch that is larger), after waiting at most wait for the first. No batch
// and no error means that there was nothing to read. A stream that is replaced
// by another one is an error.
func (f *Feed) Next(ctx context.Context, records int, wait time.Duration) ([]stream.Batch, error) {
	var run []stream.Batch
	held := 0
	for {
		if len(f.ahead) == 0 {
			if err := f.fill(ctx, wait); err != nil {
				return nil, err
			}
			if len(f.ahead) == 0 {
				return run, nil
			}
		}
		for len(f.ahead) > 0 {
			n := size(f.ahead[0])
			if len(run) > 0 && held+n > records {
				return run, nil
			}
			run, held, f.ahead = append(run, f.ahead[0]), held+n, f.ahead[1:]
		}
		wait = gatherWait
	}
}

func (f *Feed) fill(ctx context.Context, wait time.Duration) error {
	batches, err := f.reader.Next(ctx, fetchBatches, wait)
	if err != nil {
		return fmt.Errorf("reading the stream as %s: %w", f.name, err)
	}
	for _, b := range batches {
		if b.Seq < f.next {
			return fmt.Errorf("the stream went back from batch %d to %d: it was replaced", f.next-1, b.Seq)
		}
		if b.Seq > f.next {
			f.log.Error("batches left the stream before they were read", "reader", f.name, "from", f.next, "to", b.Seq-1)
		}
		f.ahead, f.next = append(f.ahead, b), b.Seq+1
	}
	return nil
}

// Ack tells the broker that everything up to seq is done. The position of the
// sink does not depend on it.
func (f *Feed) Ack(seq uint64) error { return f.reader.Ack(seq) }

// Close ends the reading; the durable reader stays.
func (f *Feed) Close() { f.reader.Close() }

func size(b stream.Batch) int {
	if b.Records > 0 {
		return b.Records
	}
	return 1 + len(b.Data)/lineBytes
}
