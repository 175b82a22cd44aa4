package dashboard

import (
	"context"
	"errors"
	"time"

	"kurama/logship/stream"
)

// Of a read: at most this many batches at a time, and the pause before the
// stream is asked again after a fault.
const (
	readBatches = 64
	readWait    = time.Second
	retryPause  = time.Second
)

// follow hands every batch of the stream to the hub until ctx ends. It starts
// with the history, and after a fault goes on where it stopped.
func (s *Server) follow(ctx context.Context) {
	since, last := time.Now().Add(-s.cfg.History), uint64(0)
	for ctx.Err() == nil {
		err := s.tail(ctx, &since, &last)
		wasAttached := s.attached.Swap(false)
		if ctx.Err() != nil {
			return
		}
		if wasAttached || last == 0 {
			s.log.Warn("the stream does not answer; the live view stands still", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryPause):
		}
	}
}

// tail reads until the reader fails. since and last are moved with each batch,
// and batches up to last are left out: TailSince may give them again.
func (s *Server) tail(ctx context.Context, since *time.Time, last *uint64) error {
	reader, err := s.opts.Stream.TailSince(ctx, *since)
	if err != nil {
		return err
	}
	defer reader.Close()
	s.attached.Store(true)
	s.log.Info("reading the stream", "since", since.UTC())
	for {
		batches, err := reader.Next(ctx, readBatches, readWait)
		if errors.Is(err, stream.ErrReplaced) {
			*last = 0 // its positions begin anew
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		fresh := newer(batches, *last)
		if len(fresh) == 0 {
			continue
		}
		select {
		case s.hub.batches <- fresh:
		case <-ctx.Done():
			return ctx.Err()
		}
		end := fresh[len(fresh)-1]
		*since, *last = end.At, end.Seq
		s.reached.Store(end.Seq)
	}
}

func newer(batches []stream.Batch, last uint64) []stream.Batch {
	for len(batches) > 0 && batches[0].Seq <= last {
		batches = batches[1:]
	}
	return batches
}
