package stream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// prefetch is the number of batches that a reader holds ready, packed, at about 200 KiB each where records come fast.
	prefetch = 32
	// ackWait is after how long the server sends a batch again that was not acknowledged. Longer than the archive's seal_age.
	ackWait = 5 * time.Minute
	// ephemeralAge is how long the server keeps a consumer without a name after its reader went.
	ephemeralAge = time.Minute
	// durableAge is how long it keeps one with a name, which also shows how far a stopped sink had come.
	durableAge = 30 * 24 * time.Hour
	// callTimeout bounds one call to the server.
	callTimeout = 5 * time.Second
)

// errClosed is returned by Next after Close.
var errClosed = errors.New("the reader is closed")

// Reader reads batches in the order of the stream, each once, with no gap
// but that of batches older than the stream keeps. It survives the server's
// restarts. Next and Ack are for one goroutine.
type Reader struct {
	stream  *Stream
	name    string // durable consumer; "" where ephemeral
	id      string // of the stream that it reads; "": of the first one that it meets
	failure error  // why it ended by itself; set before done is closed
	batches chan delivery
	cancel  context.CancelFunc
	done    chan struct{}

	acking  sync.Mutex
	pending []receipt
	epoch   int // of the consumer whose receipts are in pending
}

// delivery is a batch and what is needed to acknowledge it.
type delivery struct {
	Batch
	reply string
	more  bool // the server has more batches right behind this one
	epoch int
}

type receipt struct {
	seq   uint64
	reply string
}

// maxReceipts bounds the batches that may wait for Ack; beyond it the oldest are acknowledged with the next one.
const maxReceipts = 1 << 16

// Reader opens the durable consumer name (letters, digits, - and _) at
// position from (at least 1) of the stream that State calls id ("": whichever
// it is). What the consumer had read or acknowledged before does not matter:
// the sink's own position does. One reader of a name may be open at a time. It
// does not wait for the server.
func (s *Stream) Reader(_ context.Context, name string, from uint64, id string) (*Reader, error) {
	if name == "" || strings.ContainsAny(name, ".*> \t/\\") {
		return nil, fmt.Errorf("%q cannot name a reader: use letters, digits, - and _", name)
	}
	return s.open(name, max(from, 1), id), nil
}

// Tail opens a reader without a name that reads the batches published from
// now on. Unlike the others it needs the server at once, to know where now
// is. Its Ack does nothing.
func (s *Stream) Tail(ctx context.Context) (*Reader, error) {
	state, err := s.State(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the tail of the stream: %w", err)
	}
	return s.open("", state.Last+1, state.ID), nil
}

func (s *Stream) open(name string, from uint64, id string) *Reader {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Reader{stream: s, name: name, id: id, batches: make(chan delivery, prefetch), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.failure = r.pump(ctx, from)
	}()
	return r
}

// Next returns up to max batches. It waits up to wait for the first, and goes
// on without waiting as long as the server has more. No batch within wait is
// no error. Errors: ctx's; ErrReplaced, after the last batch of the former
// stream; and after Close.
func (r *Reader) Next(ctx context.Context, max int, wait time.Duration) ([]Batch, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	var out []Batch
	for len(out) < max {
		var d delivery
		select {
		case d = <-r.batches:
		default:
			select {
			case d = <-r.batches:
			case <-timer.C:
				return out, nil
			case <-ctx.Done():
				if len(out) > 0 {
					return out, nil
				}
				return nil, ctx.Err()
			case <-r.done:
				select {
				case d = <-r.batches: // what it handed on before it ended comes first
				default:
					if len(out) > 0 {
						return out, nil
					}
					return nil, r.failure
				}
			}
		}
		r.keep(d)
		out = append(out, d.Batch)
		if !d.more && len(r.batches) == 0 {
			break
		}
	}
	return out, nil
}

// Ack tells the server that everything up to seq is done with, so that its
// figures show how far the sink has come. The sink's own position is the
// truth; an Ack that is lost harms nothing.
func (r *Reader) Ack(seq uint64) error {
	reply := r.receiptFor(seq)
	if reply == "" {
		return nil
	}
	if err := r.stream.conn.Publish(reply, []byte("+ACK")); err != nil {
		return fmt.Errorf("acknowledging batch %d: %w", seq, err)
	}
	return nil
}

// Close ends the reader and waits for it.
func (r *Reader) Close() {
	r.cancel()
	<-r.done
}

func (r *Reader) keep(d delivery) {
	if r.name == "" {
		return
	}
	r.acking.Lock()
	defer r.acking.Unlock()
	if d.epoch != r.epoch || len(r.pending) >= maxReceipts {
		r.pending, r.epoch = r.pending[:0], d.epoch
	}
	r.pending = append(r.pending, receipt{seq: d.Seq, reply: d.reply})
}

// receiptFor takes the receipts up to seq and returns the last of them.
func (r *Reader) receiptFor(seq uint64) (reply string) {
	r.acking.Lock()
	defer r.acking.Unlock()
	n := 0
	for n < len(r.pending) && r.pending[n].seq <= seq {
		reply = r.pending[n].reply
		n++
	}
	r.pending = append(r.pending[:0], r.pending[n:]...)
	return reply
}

// batchOf reads a message.
func batchOf(msg *nats.Msg, meta *jetstream.MsgMetadata) Batch {
	records, _ := strconv.Atoi(msg.Header.Get(recordsHeader))
	return Batch{Seq: meta.Sequence.Stream, ID: msg.Header.Get(nats.MsgIdHdr), Host: strings.TrimPrefix(msg.Subject, subjectPrefix),
		Records: records, At: meta.Timestamp, Data: msg.Data, packing: msg.Header.Get(packingHeader)}
}
