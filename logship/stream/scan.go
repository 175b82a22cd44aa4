package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// scanChunk is the number of batches that Scan asks for at once.
const scanChunk = 32

const (
	// clockSlack is how far a time may lie in the future: the hosts' clocks differ a little.
	clockSlack = 5 * time.Second
	// backStride and backLooks bound the search for the moment at which the clock was set back: so many batches are passed
	// over between two looks, or more where there would be more looks.
	backStride = 128
	backLooks  = 256
	// backSpan is what is scanned of a stream whose clock was not set back, where somebody names a time in the future.
	backSpan = 2 * time.Minute
)

// Scan calls fn with each batch that the stream holds of the host and took at
// since or later, oldest first, up to the newest at the time of the call. Where
// since lies in the future, and the stream shows that the clock was set back, it
// is what came after that, with a little of before. It returns fn's error,
// ctx's, or the server's; fn has then seen only a part.
func (s *Stream) Scan(ctx context.Context, host string, since time.Time, fn func(Batch) error) error {
	if err := s.ensure(ctx); err != nil {
		return err
	}
	from := jetstream.ConsumerConfig{FilterSubject: subjectPrefix + token(host), DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since,
		ReplayPolicy: jetstream.ReplayInstantPolicy, AckPolicy: jetstream.AckNonePolicy, InactiveThreshold: ephemeralAge,
		MemoryStorage: true}
	if now := time.Now(); since.After(now.Add(clockSlack)) {
		seq, err := s.setBackAt(ctx, now)
		if err != nil {
			return err
		}
		if since = now.Add(-backSpan); seq > 0 {
			from.DeliverPolicy, from.OptStartTime, from.OptStartSeq = jetstream.DeliverByStartSequencePolicy, nil, seq
		}
	}
	consumer, err := s.js.CreateConsumer(ctx, streamName, from)
	if err != nil {
		return fmt.Errorf("scanning the stream since %v: %w", since, err)
	}
	defer func() { _ = s.js.DeleteConsumer(context.WithoutCancel(ctx), streamName, consumer.CachedInfo().Name) }()
	for left := int(consumer.CachedInfo().NumPending); left > 0; {
		n, err := s.chunk(ctx, consumer, min(left, scanChunk), fn)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("scanning the stream: %d batches did not come within %v", left, callTimeout)
		}
		left -= n
	}
	return nil
}

// setBackAt returns the position of a batch shortly before the clock was set
// back: one that the stream took more than clockSlack later than now. Without one
// it is 0.
func (s *Stream) setBackAt(ctx context.Context, now time.Time) (uint64, error) {
	stream, err := s.js.Stream(ctx, streamName)
	if err != nil {
		return 0, fmt.Errorf("looking up the stream: %w", err)
	}
	state := stream.CachedInfo().State
	if state.Msgs == 0 {
		return 0, nil
	}
	stride := max(backStride, (state.LastSeq-state.FirstSeq)/backLooks)
	for seq := state.LastSeq; ; seq = max(seq, state.FirstSeq+stride) - stride {
		msg, err := stream.GetMsg(ctx, seq)
		if err != nil {
			return 0, fmt.Errorf("looking for when the clock was set back: %w", err)
		}
		if msg.Time.After(now.Add(clockSlack)) { // batches that came since now are no sign of it
			return seq, nil
		}
		if seq == state.FirstSeq {
			return 0, nil
		}
	}
}

// chunk hands up to n batches to fn and returns how many came.
func (s *Stream) chunk(ctx context.Context, consumer jetstream.Consumer, n int, fn func(Batch) error) (int, error) {
	waiting, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	messages, err := consumer.Fetch(n, jetstream.FetchContext(waiting))
	if err != nil {
		return 0, fmt.Errorf("scanning the stream: %w", err)
	}
	came := 0
	for msg := range messages.Messages() {
		came++
		meta, err := msg.Metadata()
		if err != nil {
			return came, fmt.Errorf("reading the position of a batch: %w", err)
		}
		if err := fn(batchOf(&nats.Msg{Subject: msg.Subject(), Header: msg.Headers(), Data: msg.Data()}, meta)); err != nil {
			return came, err
		}
	}
	if err := messages.Error(); err != nil && came == 0 {
		return 0, fmt.Errorf("scanning the stream: %w", err)
	}
	return came, nil
}
