package persist

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/services/sink"
)

// laneCount is how many runs are copied at a time, each over a connection of
// its own. One backend of Postgres takes what one core does.
const laneCount = 2

// lanes store runs side by side and commit them in the order of the stream: a
// run may be copied while the one before is, but it moves the position and
// commits after it. So the position still tells that everything up to it is
// stored, and nothing behind it.
type lanes struct {
	p           *Persist
	feed        *sink.Feed
	days        *partitions // belongs to who holds the door while nothing is under way
	full, empty chan *run
	tick        *time.Ticker

	door   sync.Mutex    // held by the lane that waits for the next run
	before chan struct{} // closed once every run taken so far is committed; of who holds the door
}

func newLanes(p *Persist, feed *sink.Feed, days *partitions, full, empty chan *run) *lanes {
	l := &lanes{p: p, feed: feed, days: days, full: full, empty: empty, tick: time.NewTicker(maintainEvery), before: make(chan struct{})}
	close(l.before)
	return l
}

func (l *lanes) close() { l.tick.Stop() }

// turn is a run's place in the order of commits.
type turn struct {
	before <-chan struct{} // closed once the run before it is committed
	done   chan struct{}   // closed once it is
}

// run stores one run after the other until ctx ends or one fails.
func (l *lanes) run(ctx context.Context, conn *pgxpool.Conn) error {
	for {
		r, t, err := l.next(ctx, conn)
		if err != nil {
			return err
		}
		skipped, err := l.p.store(ctx, conn, r, t.before)
		if err != nil {
			return err
		}
		l.p.meter.At(r.last)
		l.p.meter.Stored(len(r.ends)-skipped, r.skipped+skipped)
		if err := l.feed.Ack(r.last); err != nil {
			return err
		}
		close(t.done)
		l.empty <- r
	}
}

// next takes the next run and, in between, keeps the partitions in shape.
func (l *lanes) next(ctx context.Context, conn *pgxpool.Conn) (*run, turn, error) {
	l.door.Lock()
	defer l.door.Unlock()
	for {
		select {
		case <-ctx.Done():
			return nil, turn{}, ctx.Err()
		case <-l.tick.C:
			if err := l.alone(ctx, func() error { return l.days.maintain(ctx, conn, l.p.now()) }); err != nil {
				return nil, turn{}, err
			}
		case r := <-l.full:
			if l.days.lack(r.days, l.p.now()) {
				if err := l.alone(ctx, func() error { return l.days.cover(ctx, conn, r.days, l.p.now()) }); err != nil {
					return nil, turn{}, err
				}
			}
			t := turn{before: l.before, done: make(chan struct{})}
			l.before = t.done
			return r, t, nil
		}
	}
}

// alone runs change once no lane has a transaction open: who changes
// partitions needs locks that a run in the making would keep from it.
func (l *lanes) alone(ctx context.Context, change func() error) error {
	select {
	case <-l.before:
		return change()
	case <-ctx.Done():
		return ctx.Err()
	}
}
