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

// defaultSilence is long for a stream that carries a sample each second.
const defaultSilence = 10 * time.Second

// errReplaced says that the stream was made anew: its positions start again,
// and a reader would wait for one that may never come.
var errReplaced = errors.New("the stream was made anew")

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
	heard := time.Now()
	for {
		batches, err := reader.Next(ctx, readBatches, readWait)
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		fresh := newer(batches, *last)
		if len(fresh) == 0 {
			if time.Since(heard) > s.silence {
				heard = time.Now()
				if _, end, err := s.opts.Stream.Bounds(ctx); err == nil && end < *last {
					*last = 0
					return errReplaced
				}
			}
			continue
		}
		heard = time.Now()
		select {
		case s.hub.batches <- fresh:
		case <-ctx.Done():
			return ctx.Err()
		}
		end := fresh[len(fresh)-1]
		*since, *last = end.At, end.Seq
	}
}

func newer(batches []stream.Batch, last uint64) []stream.Batch {
	for len(batches) > 0 && batches[0].Seq <= last {
		batches = batches[1:]
	}
	return batches
}
