package logship

import (
	"context"
	"sync"
	"time"

	"kurama/logship/record"
)

// source is where records come from and wants to know when they are safe.
type source interface {
	// durable says that everything up to the position is on the stream or fsynced to the spool. It must not block.
	durable(position int64)
}

// batch is a run of records on its way to the stream.
type batch struct {
	id      string
	data    []byte
	records int
	check   bool             // some records may be on the stream already
	marks   map[source]int64 // how far each source is with this batch
	done    chan struct{}    // closed once it is durable
}

// firstBatch is the room of a new buffer, in bytes. It grows as far as batches
// do: those of a calm host never come near logship.batch_bytes.
const firstBatch = 64 << 10

// sealedBatches is the number of batches that may wait for the shipper; with
// more the sources wait.
const sealedBatches = 3

// batcher gathers records into batches.
type batcher struct {
	maxRecords int
	maxBytes   int
	delay      time.Duration
	name       func() string // gives out the ids of batches

	sealed  chan *batch
	started chan struct{} // one token when a batch gets its first entry

	free chan []byte // buffers to use again

	mu   sync.Mutex // held while waiting for the shipper, which must never take it
	open *batch
	held map[source]int64 // positions that wait for release; 0: from the next on
}

func newBatcher(maxRecords, maxBytes int, delay time.Duration, name func() string) *batcher {
	b := &batcher{maxRecords: maxRecords, maxBytes: maxBytes, delay: delay, name: name,
		sealed: make(chan *batch, sealedBatches), started: make(chan struct{}, 1), free: make(chan []byte, sealedBatches),
		held: map[source]int64{}}
	b.open = b.fresh()
	return b
}

// add appends r (nil: nothing) and notes that from is at position now. It
// waits while too many batches are sealed; the error is ctx's.
func (b *batcher) add(ctx context.Context, r *record.Record, from source, position int64, check bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.append(ctx, r, from, position, check)
}

// append is add with mu held.
func (b *batcher) append(ctx context.Context, r *record.Record, from source, position int64, check bool) error {
	empty := b.open.records == 0 && len(b.open.marks) == 0
	if r != nil {
		b.open.data = record.Append(b.open.data, r)
		b.open.records++
		b.open.check = b.open.check || check
	}
	if _, waits := b.held[from]; waits {
		b.held[from] = position
	} else if from != nil {
		b.open.marks[from] = position
	}
	if b.open.records >= b.maxRecords || len(b.open.data) >= b.maxBytes {
		return b.seal(ctx)
	}
	if empty {
		select {
		case b.started <- struct{}{}:
		default:
		}
	}
	return nil
}

// hold keeps the positions of from back until release: something that it sent
// was counted as lost, and the count is not on its way yet.
func (b *batcher) hold(from source) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, waits := b.held[from]; !waits {
		b.held[from] = 0
	}
}

// release appends the events that tell of losses, and notes the positions that
// waited for them. Whoever holds has counted before. It reports whether there
// was something to tell; the error is ctx's.
func (b *batcher) release(ctx context.Context, losses func(now time.Time) []record.Record) (told bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	events := losses(time.Now())
	for i := range events {
		if err := b.append(ctx, &events[i], nil, 0, false); err != nil {
			return true, err
		}
	}
	waiting := b.held
	b.held = map[source]int64{}
	for from, position := range waiting {
		if position == 0 {
			continue
		}
		if err := b.append(ctx, nil, from, position, false); err != nil {
			return true, err
		}
	}
	return len(events) > 0, nil
}

// flush seals what is open and returns a channel that is closed once it, and
// so all before it, is durable.
func (b *batcher) flush(ctx context.Context) (<-chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	done := b.open.done
	return done, b.seal(ctx)
}

// seal hands the open batch to the shipper. Called with mu held, so that
// nobody overtakes; a full channel holds back every source.
func (b *batcher) seal(ctx context.Context) error {
	select {
	case b.sealed <- b.open:
		b.open = b.fresh()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run seals batches that are old enough until ctx ends.
func (b *batcher) run(ctx context.Context) {
	timer := time.NewTimer(b.delay)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.started:
		}
		timer.Reset(b.delay)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		b.sealOld(ctx)
	}
}

func (b *batcher) sealOld(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open.records > 0 || len(b.open.marks) > 0 {
		_ = b.seal(ctx) // at the end of ctx the batch stays open for close
	}
}

// close seals what is open and closes the channel; no source may add after.
func (b *batcher) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.seal(context.Background()) // the shipper takes batches until the channel is closed
	close(b.sealed)
}

func (b *batcher) fresh() *batch {
	var buffer []byte
	select {
	case buffer = <-b.free:
	default:
		buffer = make([]byte, 0, min(firstBatch, b.maxBytes))
	}
	return &batch{id: b.name(), data: buffer[:0], marks: map[source]int64{}, done: make(chan struct{})}
}

// finish tells the sources that the batch is safe and takes its buffer back.
func (b *batcher) finish(done *batch) {
	for from, position := range done.marks {
		from.durable(position)
	}
	close(done.done)
	if cap(done.data) > 4*b.maxBytes {
		return // one giant does not stay in memory
	}
	select {
	case b.free <- done.data:
	default:
	}
}
