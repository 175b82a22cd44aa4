// Package sink is what the sinks on the stream share: a feed that hands over
// each batch once and in order, a position kept in the sink's own transaction,
// a loop that never gives up, and the health page. It knows no sink.
package sink

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"kurama/logship/pipeline"
	"kurama/logship/stream"
)

// Stream is the durable stream as a sink reads it; *stream.Stream is one.
type Stream interface {
	Reader(ctx context.Context, name string, from uint64, id string) (*stream.Reader, error)
	State(ctx context.Context) (stream.State, error)
}

// Deps is what a sink needs from outside. Pool may be nil for a sink that
// writes files; with no Listener there is no health page.
type Deps struct {
	Stream   Stream
	Pool     *pgxpool.Pool
	Gate     *pipeline.Gate // what apps keep from the sink; nil: nothing
	Log      *slog.Logger
	Listener net.Listener
}

// The pause after a session that failed grows from retryMin to retryMax.
const (
	retryMin = 100 * time.Millisecond
	retryMax = 5 * time.Second
)

// Run serves the health page and runs session after session until ctx ends.
// A session opens the feed at the sink's own position and returns when
// something breaks; what it had not stored is read again by the next one.
func Run(ctx context.Context, deps Deps, meter *Meter, session func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	if deps.Listener != nil {
		group.Go(func() error { return meter.Serve(ctx, deps.Listener) })
	}
	group.Go(func() error {
		keep(ctx, deps.Log, meter, session)
		return nil
	})
	return group.Wait()
}

// keep logs the first failure and each new one, not every attempt.
func keep(ctx context.Context, log *slog.Logger, meter *Meter, session func(context.Context) error) {
	pause, told := retryMin, ""
	for ctx.Err() == nil {
		began := time.Now()
		err := session(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("the session ended without a reason")
		}
		if meter.Fail(err) || time.Since(began) > retryMax {
			pause, told = retryMin, ""
		}
		if err.Error() != told {
			told = err.Error()
			log.Warn("the sink stopped and starts again from its position", "error", err, "pause", pause)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, retryMax)
	}
}
