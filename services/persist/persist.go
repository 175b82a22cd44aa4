// Package persist is the sink that stores records in Postgres: runs of batches
// are copied into daily partitions together with the position in the stream,
// in one transaction, so that no record is lost and none is stored twice.
// Its read side is Query.
package persist

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"kurama/internal/config"
	"kurama/services/sink"
)

// Sink is the name of the sink in sink_positions and of its reader on the stream.
const Sink = "persist"

const (
	idleWait      = 250 * time.Millisecond // how long one read waits for a batch; a batch that comes ends it
	maintainEvery = time.Minute            // partitions are looked at this often
)

// Persist is the role.
type Persist struct {
	cfg   config.Persist
	deps  sink.Deps
	meter *sink.Meter
	now   func() time.Time

	beforeCommit func() error // a test breaks the transaction here
}

// New returns the role. It needs deps.Stream, deps.Pool and deps.Log.
func New(cfg config.Persist, deps sink.Deps) (*Persist, error) {
	if cfg.BatchRecords < 1 || cfg.Retention < 24*time.Hour || cfg.Ahead < 1 {
		return nil, fmt.Errorf("persist: batch_records is %d (at least 1), retention %s (at least 24h), ahead %d (at least 1)",
			cfg.BatchRecords, cfg.Retention, cfg.Ahead)
	}
	return &Persist{
		cfg: cfg, deps: deps, now: time.Now,
		meter:        sink.NewMeter(Sink, deps),
		beforeCommit: func() error { return nil },
	}, nil
}

// Run stores records until ctx ends. While Postgres or the stream is away it
// tries again for ever; the stream keeps what is not stored.
func (p *Persist) Run(ctx context.Context) error {
	return sink.Run(ctx, p.deps, p.meter, p.session)
}

// session reads and encodes in one goroutine while lanes store the runs before:
// Postgres and the decoder work at the same time.
func (p *Persist) session(ctx context.Context) error {
	at, err := sink.Resume(ctx, p.deps.Pool, p.deps.Stream, Sink, p.deps.Log)
	if err != nil {
		return err
	}
	conns, release, err := p.connect(ctx) // the pool may have no connection beyond these
	if err != nil {
		return err
	}
	defer release()
	days := newPartitions(p.cfg, p.deps.Log)
	if err := days.maintain(ctx, conns[0], p.now()); err != nil {
		return err
	}
	feed, err := sink.OpenFeed(ctx, p.deps.Stream, Sink, at, p.deps.Log)
	if err != nil {
		return err
	}
	defer feed.Close()
	p.meter.At(at.Seq)

	full, empty := make(chan *run, 1), make(chan *run, laneCount+2)
	for range cap(empty) {
		empty <- &run{}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.shorten(ctx) })
	group.Go(func() error { return p.read(ctx, feed, at.Seq, full, empty) })
	l := newLanes(p, feed, days, full, empty)
	defer l.close()
	for _, conn := range conns {
		group.Go(func() error { return l.run(ctx, conn) })
	}
	return group.Wait()
}

// connect takes a connection for each lane.
func (p *Persist) connect(ctx context.Context) (conns []*pgxpool.Conn, release func(), err error) {
	release = func() {
		for _, conn := range conns {
			conn.Release()
		}
	}
	for range laneCount {
		conn, err := p.deps.Pool.Acquire(ctx)
		if err != nil {
			release()
			return nil, nil, fmt.Errorf("connecting to Postgres: %w", err)
		}
		conns = append(conns, conn)
	}
	return conns, release, nil
}

// read turns batches into runs, one or two ahead of what is being stored.
func (p *Persist) read(ctx context.Context, feed *sink.Feed, position uint64, full, empty chan *run) error {
	for {
		batches, err := feed.Next(ctx, p.cfg.BatchRecords, idleWait)
		if err != nil {
			return err
		}
		if len(batches) == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		}
		var r *run
		select {
		case r = <-empty:
		case <-ctx.Done():
			return ctx.Err()
		}
		r.encode(position, batches, p.deps.Gate, p.deps.Log)
		position = r.last
		select {
		case full <- r:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
