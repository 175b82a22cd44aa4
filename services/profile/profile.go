// Package profile is the sink that rolls requests up by route and minute: how
// many, how many failed, how long they took (a sketch whose quantiles are within
// 1 %) and what CPU time they used. Its read side is Query.
package profile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/logship/stream"
	"kurama/services/sink"
)

// Sink is the name of the sink in sink_positions and of its reader on the stream.
const Sink = "profile"

const (
	readRecords = 10_000
	idleWait    = 250 * time.Millisecond
	// maxCells are stored early: at up to some KiB each they bound the memory.
	maxCells = 20_000
	// tidyEvery is how often old minutes are deleted and routes that are gone forgotten.
	tidyEvery = time.Hour
	// ahead is how far a request's clock may be in front.
	ahead = 24 * time.Hour
)

// Profile is the role.
type Profile struct {
	cfg   config.Profile
	deps  sink.Deps
	meter *sink.Meter
	now   func() time.Time

	beforeCommit func() error // a test breaks the transaction here
}

// New returns the role. It needs deps.Stream, deps.Pool and deps.Log.
func New(cfg config.Profile, deps sink.Deps) (*Profile, error) {
	if cfg.FlushInterval < 100*time.Millisecond || cfg.MaxRoutes < 1 || cfg.Retention < 24*time.Hour {
		return nil, fmt.Errorf("profile: flush_interval is %s (at least 100ms), max_routes %d (at least 1), retention %s (at least 24h)",
			cfg.FlushInterval, cfg.MaxRoutes, cfg.Retention)
	}
	return &Profile{
		cfg: cfg, deps: deps, now: time.Now,
		meter:        sink.NewMeter(Sink, deps),
		beforeCommit: func() error { return nil },
	}, nil
}

// Run rolls up until ctx ends. What was not stored then is read again.
func (p *Profile) Run(ctx context.Context) error {
	return sink.Run(ctx, p.deps, p.meter, p.session)
}

// session gathers batches in memory and stores them with the position.
func (p *Profile) session(ctx context.Context) error {
	at, err := sink.Resume(ctx, p.deps.Pool, p.deps.Stream, Sink, p.deps.Log)
	if err != nil {
		return err
	}
	feed, err := sink.OpenFeed(ctx, p.deps.Stream, Sink, at, p.deps.Log)
	if err != nil {
		return err
	}
	defer feed.Close()
	p.meter.At(at.Seq)
	g := &gathering{position: at.Seq, last: at.Seq, cells: map[key]*cell{}}
	var tidied time.Time
	for {
		if now := p.now(); now.Sub(tidied) >= tidyEvery {
			tidied = now
			if g.routes, err = p.tidy(ctx, now); err != nil {
				return err
			}
		}
		batches, err := feed.Next(ctx, readRecords, idleWait)
		if err != nil {
			return err
		}
		for i := range batches {
			p.gather(g, &batches[i])
		}
		if !g.due(p.now(), p.cfg.FlushInterval) {
			continue
		}
		if err := p.flush(ctx, feed, g); err != nil {
			return err
		}
	}
}

// gathering is what was read since the last flush.
type gathering struct {
	position, last uint64 // stored up to, read up to
	since          time.Time
	cells          map[key]*cell
	routes         *routes
	records        int
	skipped        int
	scratch        []byte // memory of a batch
}

func (g *gathering) due(now time.Time, interval time.Duration) bool {
	return g.last > g.position && (now.Sub(g.since) >= interval || len(g.cells) >= maxCells)
}

// gather adds the requests of a batch.
func (p *Profile) gather(g *gathering, b *stream.Batch) {
	now := p.now()
	if g.last == g.position {
		g.since = now
	}
	oldest, newest := now.Add(-p.cfg.Retention), now.Add(ahead)
	err := record.EachOf(b.Lines(&g.scratch), func(r *record.Record) error {
		if !p.deps.Gate.Takes(r) {
			return nil
		}
		if r.Time.Before(oldest) || r.Time.After(newest) {
			g.skipped++
			return nil
		}
		k, ok := g.routes.key(r)
		if !ok {
			g.skipped++
			return nil
		}
		c := g.cells[k]
		if c == nil {
			c = newCell()
			g.cells[k] = c
		}
		c.add(r)
		g.records++
		return nil
	}, record.KindRequest)
	if err != nil {
		p.deps.Log.Warn("records of a batch cannot be read and are passed over", "seq", b.Seq, "batch", b.ID, "first", err)
	}
	g.last = b.Seq
}

// flush merges the cells with what is stored and moves the position.
func (p *Profile) flush(ctx context.Context, feed *sink.Feed, g *gathering) error {
	err := pgx.BeginFunc(ctx, p.deps.Pool, func(tx pgx.Tx) error {
		// What a crash of the machine takes back it takes back together with the position.
		if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = off"); err != nil {
			return fmt.Errorf("setting up a transaction: %w", err)
		}
		if err := sink.Advance(ctx, tx, Sink, g.position, g.last); err != nil {
			return err
		}
		if err := merge(ctx, tx, g.cells, p.deps.Log); err != nil {
			return err
		}
		return p.beforeCommit()
	})
	if err != nil {
		return fmt.Errorf("storing the rollups up to batch %d: %w", g.last, err)
	}
	p.meter.At(g.last)
	p.meter.Stored(g.records, g.skipped)
	g.position, g.records, g.skipped = g.last, 0, 0
	clear(g.cells)
	return feed.Ack(g.last)
}

// tidy deletes minutes beyond the retention and returns the routes in use.
func (p *Profile) tidy(ctx context.Context, now time.Time) (*routes, error) {
	_, err := p.deps.Pool.Exec(ctx, `DELETE FROM rollups WHERE minute < $1`, now.Add(-p.cfg.Retention))
	if err != nil {
		return nil, fmt.Errorf("deleting old rollups: %w", err)
	}
	used := newRoutes(p.cfg.MaxRoutes)
	rows, err := p.deps.Pool.Query(ctx, `SELECT DISTINCT tenant, app, method, route FROM rollups WHERE minute >= $1`, now.Add(-tidyEvery))
	if err != nil {
		return nil, fmt.Errorf("reading the routes in use: %w", err)
	}
	var tenant, app, method, route string
	_, err = pgx.ForEachRow(rows, []any{&tenant, &app, &method, &route}, func() error {
		used.use(tenant, app, method, route)
		return nil
	})
	if err != nil {
		return nil, errors.Join(errors.New("reading the routes in use"), err)
	}
	return used, nil
}
