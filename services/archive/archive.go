// Package archive is the sink that keeps records as files: sealed, compressed
// JSON Lines per tenant, app and day, with a manifest per app. Its read side is
// Reader.
//
// What is sealed is the truth. A file holds all records of its app in a range
// of batches; its name and the app's manifest say which. After a crash the
// part that was not sealed is read from the stream again, and what a manifest
// already has is passed over, so nothing is missing and nothing is there twice.
package archive

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"kurama/internal/config"
	"kurama/logship/stream"
	"kurama/services/sink"
)

// Sink is the name of the sink's reader on the stream.
const Sink = "archive"

const (
	idleWait    = 100 * time.Millisecond // how long one read waits for a batch
	readRecords = 10_000                 // records taken from the stream at once
	tidyEvery   = 10 * time.Minute       // retention and joining are looked at this often
)

// Archive is the role.
type Archive struct {
	cfg    config.Archive
	dir    string
	socket string
	deps   sink.Deps
	meter  *sink.Meter
	seals  chan *sealRequest
	now    func() time.Time

	consumed atomic.Uint64 // batch up to which the stream was read

	fault func(step string) error // a test breaks a step here
}

// New returns the role. It keeps its files in dir and takes requests to seal on
// the Unix socket at the path socket ("" for none). It needs deps.Stream and
// deps.Log.
func New(cfg config.Archive, dir, socket string, deps sink.Deps) (*Archive, error) {
	if cfg.SealRecords < 1 || cfg.SealAge < time.Second || cfg.Retention < 24*time.Hour {
		return nil, fmt.Errorf("archive: seal_records is %d (at least 1), seal_age %s (at least 1s), retention %s (at least 24h)",
			cfg.SealRecords, cfg.SealAge, cfg.Retention)
	}
	return &Archive{
		cfg: cfg, dir: dir, socket: socket, deps: deps, now: time.Now,
		meter: sink.NewMeter(Sink, deps),
		seals: make(chan *sealRequest),
		fault: func(string) error { return nil },
	}, nil
}

// Run archives records until ctx ends. What is not sealed then is read again
// at the next start.
func (a *Archive) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if a.socket != "" {
		group.Go(func() error { return a.serveSeals(ctx) })
	}
	group.Go(func() error { return sink.Run(ctx, a.deps, a.meter, a.session) })
	return group.Wait()
}

// session opens the shelves as they are on disk and archives from there.
func (a *Archive) session(ctx context.Context) error {
	lib, err := openLibrary(a.dir, a.cfg, a.deps.Gate, a.deps.Log, a.fault)
	if err != nil {
		return err
	}
	defer lib.close()
	state, err := a.deps.Stream.State(ctx)
	if err != nil {
		return fmt.Errorf("asking the stream for its state: %w", err)
	}
	if sink.Replaced(sink.Place{Stream: lib.stream, Seq: lib.newest()}, state) {
		if err := lib.newEpoch(state); err != nil {
			return err
		}
	}
	lib.stream = state.ID
	feed, err := sink.OpenFeed(ctx, a.deps.Stream, Sink, sink.Place{Stream: state.ID, Seq: lib.position}, a.deps.Log)
	if err != nil {
		return err
	}
	defer feed.Close()
	a.meter.At(lib.consumed)
	return a.read(ctx, feed, lib)
}

// read is the loop of a session: batches in, files out, requests answered.
func (a *Archive) read(ctx context.Context, feed *sink.Feed, lib *library) error {
	var waiting []*sealRequest
	defer func() { refuse(waiting) }()
	var tidied time.Time
	for _, s := range lib.shelves { // what a crash kept from being joined is joined first
		if err := s.join(""); err != nil {
			return err
		}
	}
	for {
		batches, err := feed.Next(ctx, readRecords, idleWait)
		if err != nil {
			return err
		}
		if err := a.take(batches, feed, lib); err != nil {
			return err
		}
		if err := lib.sealDue(a.now(), len(batches) == 0); err != nil {
			return err
		}
		if waiting, err = a.answer(waiting, lib); err != nil {
			return err
		}
		if a.now().Sub(tidied) >= tidyEvery {
			tidied = a.now()
			if err := lib.tidy(tidied); err != nil {
				return err
			}
		}
	}
}

// take adds batches to the open parts. They are acknowledged although they are
// not sealed: the position on disk decides what is read again, not the broker.
func (a *Archive) take(batches []stream.Batch, feed *sink.Feed, lib *library) error {
	for i := range batches {
		records, skipped, err := lib.add(&batches[i])
		if err != nil {
			return err
		}
		a.meter.Stored(records, skipped)
	}
	if len(batches) == 0 {
		return nil
	}
	a.meter.At(lib.consumed)
	a.consumed.Store(lib.consumed)
	return feed.Ack(lib.consumed)
}
