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

// Scan calls fn with each batch that the stream holds of the host and took at
// since or later, oldest first, up to the newest at the time of the call. It
// returns fn's error, ctx's, or the server's; fn has then seen only a part.
func (s *Stream) Scan(ctx context.Context, host string, since time.Time, fn func(Batch) error) error {
	if err := s.ensure(ctx); err != nil {
		return err
	}
	consumer, err := s.js.CreateConsumer(ctx, streamName, jetstream.ConsumerConfig{
		FilterSubject: subjectPrefix + token(host), DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since,
		ReplayPolicy: jetstream.ReplayInstantPolicy, AckPolicy: jetstream.AckNonePolicy, InactiveThreshold: ephemeralAge,
		MemoryStorage: true})
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
