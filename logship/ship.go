package logship

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"kurama/logship/record"
	"kurama/logship/spool"
	"kurama/logship/stream"
)

const (
	// publishTimeout bounds one attempt; a batch then goes to the spool.
	publishTimeout = 3 * time.Second
	// drainRetry is the pause between two attempts to empty the spool.
	drainRetry = 200 * time.Millisecond
)

// publisher is the stream as the shipper needs it.
type publisher interface {
	Publish(ctx context.Context, host, id string, batch []byte, records int) (uint64, error)
	Fits(host, id string, batch []byte, records int) bool
}

// shipper brings batches to the stream in order, or to the spool.
type shipper struct {
	stream  publisher
	host    string
	spool   *spool.Spool
	batches *batcher
	seen    *seen
	losses  *losses
	count   *metrics
	log     *slog.Logger

	spooled  chan struct{} // one token when something was spooled
	spooling bool          // the last batch went to the spool; run's alone
	blocked  bool          // it could not be spooled either; run's alone
}

// run ships batches until their channel is closed. While ctx lasts the stream
// is tried; afterwards batches go to the spool.
func (s *shipper) run(ctx context.Context) {
	for b := range s.batches.sealed {
		if b.records > 0 {
			s.ship(ctx, b)
		}
		s.batches.finish(b)
	}
}

// ship makes one batch durable, or counts its records as lost where the spool
// is full.
func (s *shipper) ship(ctx context.Context, b *batch) {
	entry := spool.Entry{ID: b.id, Records: b.records, Check: b.check, At: time.Now()}
	for pause := drainRetry; ; pause = min(2*pause, 5*time.Second) {
		if batches, _ := s.spool.Size(); batches == 0 {
			bounded, cancel := context.WithTimeout(ctx, publishTimeout)
			err := s.offer(bounded, entry, b.data, entry.Check)
			cancel()
			if err == nil {
				s.tell(&s.spooling, nil, "")
				s.tell(&s.blocked, nil, "The sources go on.")
				return
			}
			// What was sent may have arrived although no answer came.
			entry.Check = entry.Check || !errors.Is(err, stream.ErrAway)
			s.tell(&s.spooling, err, "The stream does not take batches; they wait in the spool.")
		}
		err := s.spool.Add(entry, b.data)
		switch {
		case err == nil:
			s.tell(&s.blocked, nil, "The sources go on.")
			s.count.spooled.Add(float64(b.records))
			notify(s.spooled)
			return
		case errors.Is(err, spool.ErrFull):
			s.lose(b.data, "the stream is away and the spool is full (logship.spool_max)")
			return
		case ctx.Err() != nil:
			s.log.Error("Records were lost at the end: neither the stream nor the spool took them.", "records", b.records, "error", err)
			return
		}
		s.tell(&s.blocked, err, "The spool cannot be written; the sources wait until it or the stream can.")
		wait(ctx, pause)
	}
}

func (s *shipper) publish(ctx context.Context, id string, data []byte, records int) error {
	if ctx.Err() != nil {
		return stream.ErrAway // the agent ends: nothing is sent any more
	}
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	if err := s.seen.lookUp(ctx); err != nil {
		return errors.Join(stream.ErrAway, err) // nothing was sent
	}
	began := time.Now()
	_, err := s.stream.Publish(ctx, s.host, id, data, records)
	switch {
	case err == nil:
		s.count.published.Inc()
		s.count.records.Add(float64(records))
		s.count.publish.Observe(time.Since(began).Seconds())
	case !errors.Is(err, nats.ErrMaxPayload): // what is too long goes in parts
		s.count.failed.Inc()
	}
	return err
}

// tell logs once when a trouble begins (err is not nil) and once when it ends,
// if there is something to say then. state is whether it is there.
func (s *shipper) tell(state *bool, err error, text string) {
	switch {
	case err != nil && !*state:
		s.log.Warn(text, "error", err)
	case err == nil && *state && text != "":
		s.log.Info(text)
	}
	*state = err != nil
}

// lose counts the records of a batch as dropped. An event that tells of
// drops gives its count back, so that the sum stays right.
func (s *shipper) lose(data []byte, cause string) {
	_ = record.Each(data, func(r *record.Record) error {
		s.losses.add(r.Tenant, r.App, cause, droppedCount(r))
		return nil
	})
}

// drain publishes what is in the spool, oldest first, until ctx ends.
func (s *shipper) drain(ctx context.Context) {
	doubt := true // the oldest may be on the stream: its predecessor died before it was removed
	for ctx.Err() == nil {
		e, ok := s.spool.First()
		if !ok {
			select {
			case <-ctx.Done():
			case <-s.spooled:
			}
			continue
		}
		err := s.drainOne(ctx, e, doubt)
		switch {
		case err == nil:
			doubt = false
			if batches, _ := s.spool.Size(); batches == 0 {
				s.log.Info("The spool is empty again.")
			}
			continue
		case !errors.Is(err, stream.ErrAway):
			doubt = true
			s.log.Debug("A spooled batch has to wait.", "batch", e.ID, "error", err)
		}
		wait(ctx, drainRetry)
	}
}

func (s *shipper) drainOne(ctx context.Context, e spool.Entry, doubt bool) error {
	data, err := s.spool.Data(e)
	if errors.Is(err, fs.ErrNotExist) {
		return s.spool.Done(e)
	}
	if err != nil {
		return err
	}
	if err := s.offer(ctx, e, data, e.Check || doubt); err != nil {
		return err
	}
	return s.spool.Done(e)
}

func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
