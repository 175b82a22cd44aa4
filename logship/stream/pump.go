package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// pump moves batches from the server to r.batches until ctx ends, or the stream
// is replaced. Whenever the consumer fails, or skips a position, it opens a new
// one just behind the last batch that it handed on.
func (r *Reader) pump(ctx context.Context, from uint64) error {
	next := from
	told := false
	for epoch := 1; ctx.Err() == nil; epoch++ {
		reached, err := r.session(ctx, next, epoch)
		if ctx.Err() != nil {
			return errClosed
		}
		if errors.Is(err, ErrReplaced) {
			return err
		}
		if errors.Is(err, errGap) {
			next = reached
			continue
		}
		if reached != next {
			told = false
		}
		next = reached
		if !told {
			told = true
			r.stream.log.Warn("Reading from the stream is interrupted; it is tried again.", "reader", r.name, "next", next, "error", err)
		}
		if r.stream.conn.IsClosed() {
			return errClosed
		}
		pause(ctx, reconnectWait)
	}
	return errClosed
}

// errGap says that a batch came that is not the one behind the last.
var errGap = errors.New("a batch is missing")

// session opens a consumer at next and hands its batches on until one fails.
// It returns the position of the batch that should come next.
func (r *Reader) session(ctx context.Context, next uint64, epoch int) (uint64, error) {
	consumer, err := r.consumer(ctx, next)
	if err != nil {
		return next, err
	}
	it, err := consumer.Messages(jetstream.PullMaxMessages(prefetch), jetstream.PullExpiry(10*time.Second),
		jetstream.PullHeartbeat(2*time.Second))
	if err != nil {
		return next, fmt.Errorf("reading: %w", err)
	}
	defer it.Stop()
	// The first batch of a new consumer may lie behind a gap: older ones have left the stream.
	for first := true; ; {
		msg, err := it.Next(jetstream.NextContext(ctx))
		if err != nil {
			return next, fmt.Errorf("reading: %w", err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return next, fmt.Errorf("reading the position of a batch: %w", err)
		}
		seq := meta.Sequence.Stream
		if seq < next {
			continue // sent again because it is not acknowledged yet
		}
		if seq > next && !first {
			return next, errGap
		}
		first = false
		raw := &nats.Msg{Subject: msg.Subject(), Header: msg.Headers(), Data: msg.Data()}
		d := delivery{Batch: batchOf(raw, meta), reply: msg.Reply(), more: meta.NumPending > 0, epoch: epoch}
		select {
		case r.batches <- d:
			next = seq + 1
		case <-ctx.Done():
			return next, ctx.Err()
		}
	}
}

// consumer makes the consumer of a session. One with a name is made anew,
// because a consumer's start cannot be moved.
func (r *Reader) consumer(ctx context.Context, from uint64) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	state, err := r.stream.State(ctx)
	if err != nil {
		return nil, err
	}
	if r.id == "" {
		r.id = state.ID
	}
	if state.ID != r.id {
		return nil, fmt.Errorf("%w: it was made at %s, the former one at %s", ErrReplaced, state.ID, r.id)
	}
	cfg := jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from,
		ReplayPolicy: jetstream.ReplayInstantPolicy, AckPolicy: jetstream.AckNonePolicy, InactiveThreshold: ephemeralAge,
		MemoryStorage: true}
	if r.name != "" {
		cfg.Durable, cfg.AckPolicy, cfg.AckWait, cfg.MaxAckPending = r.name, jetstream.AckAllPolicy, ackWait, -1
		cfg.InactiveThreshold, cfg.MemoryStorage = durableAge, false
		err := r.stream.js.DeleteConsumer(ctx, streamName, r.name)
		if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return nil, fmt.Errorf("moving the consumer %s: %w", r.name, err)
		}
	}
	consumer, err := r.stream.js.CreateConsumer(ctx, streamName, cfg)
	if err != nil {
		return nil, fmt.Errorf("making a consumer at %d: %w", from, err)
	}
	return consumer, nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
