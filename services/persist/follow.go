package persist

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"kurama/logship/record"
	"kurama/services/sink"
)

const (
	followEvery = 200 * time.Millisecond
	// lateness is how far behind the newest record of the app one may be and
	// still be followed. It keeps each look at a few seconds of the index.
	lateness = 30 * time.Second
)

// Follow calls fn with each record that f chooses and that is stored from now
// on, in order of arrival, until ctx ends (then nil) or fn fails (then its
// error). From, To, Limit and Cursor of f do not matter. A record that arrives
// more than 30 s behind the newest one of its app is left to Logs.
func (q *Query) Follow(ctx context.Context, f Filter, fn func(*record.Record) error) error {
	if _, err := f.where(); err != nil {
		return err
	}
	at, err := q.place(ctx, &f)
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for err == nil {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			at, err = q.catchUp(ctx, &f, at, fn)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// place is a moment in the stored records of one app.
type place struct {
	seq    int64     // everything up to this batch is stored
	newest time.Time // time of the app's newest record
}

// place returns where the records of the app end now. A clock that is ahead
// does not count, or nothing would be new beside its records.
func (q *Query) place(ctx context.Context, f *Filter) (place, error) {
	var at place
	err := q.pool.QueryRow(ctx, `SELECT COALESCE((SELECT seq FROM sink_positions WHERE sink = $1), 0),
		COALESCE((SELECT max(ts) FROM records WHERE tenant = $2 AND app = $3
			AND ts > now() - interval '1 day' AND ts <= now() + interval '1 minute'), now() - interval '1 hour')`,
		Sink, f.Tenant, f.App).Scan(&at.seq, &at.newest)
	if err != nil {
		return at, fmt.Errorf("looking where the records of %s/%s end: %w", f.Tenant, f.App, err)
	}
	return at, nil
}

// catchUp hands over what was stored since at. Records and position are
// committed together and in order, so everything up to the position is there.
func (q *Query) catchUp(ctx context.Context, f *Filter, at place, fn func(*record.Record) error) (place, error) {
	position, err := sink.Position(ctx, q.pool, Sink)
	if err != nil || int64(position) == at.seq {
		return at, err
	}
	now, err := q.place(ctx, f)
	if err != nil {
		return at, err
	}
	for from := (row{seq: at.seq + 1}); ; {
		found, last, err := q.page(ctx, f, at.newest.Add(-lateness), from, now.seq)
		if err != nil {
			return at, err
		}
		for i := range found {
			if err := fn(&found[i]); err != nil {
				return at, err
			}
		}
		if len(found) < MaxLimit {
			return now, nil
		}
		from = last
	}
}

// row names a stored record in the order of arrival.
type row struct {
	seq int64
	ts  time.Time
	id  [16]byte
}

// page returns up to MaxLimit records behind after in batches up to seq, in
// order of arrival, and the row of the last one.
func (q *Query) page(ctx context.Context, f *Filter, since time.Time, after row, seq int64) ([]record.Record, row, error) {
	w, err := f.where()
	if err != nil {
		return nil, row{}, err
	}
	w.add("ts >= $? AND seq <= $?", since, seq)
	w.add("(seq, ts, id) > ($?, $?, $?)", after.seq, after.ts, after.id)
	found, last, err := q.collect(ctx, selected+w.String()+" ORDER BY seq, ts, id LIMIT "+strconv.Itoa(MaxLimit), w.args)
	if err != nil || len(found) == 0 {
		return nil, row{}, err
	}
	end := &found[len(found)-1]
	return found, row{seq: last, ts: end.Time, id: end.ID}, nil
}
