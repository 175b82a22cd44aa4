package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// TailSince opens a reader without a name at the first batch that the stream
// took at t or later, and reads on for ever. Like Tail it needs the server at
// once, to know which batch that is. Its Ack does nothing.
func (s *Stream) TailSince(ctx context.Context, t time.Time) (*Reader, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	state, err := s.State(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the stream at %s: %w", t.UTC().Format(time.RFC3339), err)
	}
	from := state.Last + 1
	if state.First <= state.Last {
		// A consumer that starts at a time knows the position of that time; it is needed for nothing else.
		probe, err := s.js.CreateConsumer(ctx, streamName, jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartTimePolicy,
			OptStartTime: &t, AckPolicy: jetstream.AckNonePolicy, InactiveThreshold: ephemeralAge, MemoryStorage: true})
		if err != nil {
			return nil, fmt.Errorf("finding the batch of %s: %w", t.UTC().Format(time.RFC3339), err)
		}
		from = probe.CachedInfo().Delivered.Stream + 1
		_ = s.js.DeleteConsumer(ctx, streamName, probe.CachedInfo().Name) // left alone, it goes after ephemeralAge
	}
	return s.open("", max(from, state.First, 1), state.ID), nil
}
