package alert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/logship/record"
)

// historyRecords bounds what is read back for one figure: the newest so many.
const historyRecords = 200_000

// wish is a meter whose window began before it saw the stream.
type wish struct {
	key    appKey
	meter  *meter
	before uint64 // position of the first batch that it sees; 0: the first that the watcher reads
	texts  bool   // its records need their texts
}

// newest returns the time of the n-th newest record of an app since begin; zero
// where there are fewer.
func newest(ctx context.Context, pool *pgxpool.Pool, key appKey, begin time.Time, n int) (time.Time, error) {
	var at *time.Time
	err := pool.QueryRow(ctx, `SELECT (SELECT ts FROM records WHERE tenant=$1 AND app=$2 AND ts > $3 ORDER BY ts DESC OFFSET $4 LIMIT 1)`,
		key.tenant, key.app, begin, n).Scan(&at)
	return timeOf(at), err
}

// eachRecord calls fn with the stored records of an app since begin that came
// to the stream before a position, oldest first. Without texts they have no
// message and no exception.
func eachRecord(ctx context.Context, pool *pgxpool.Pool, key appKey, begin time.Time, before int64, texts bool, fn func(*record.Record)) error {
	rows, err := pool.Query(ctx, `SELECT ts, kind, level, release, replica, cpu, mem, disk, swap, dur, queue, cpu_ms, coalesce(status,0),
			coalesce(method,''), coalesce(url,''), coalesce(route,''), CASE WHEN $4 THEN msg ELSE '' END, CASE WHEN $4 THEN coalesce(exc,'') ELSE '' END,
			CASE WHEN kind = $5 OR replica = 'router' THEN coalesce(extra::text,'') ELSE '' END
		FROM records WHERE tenant=$1 AND app=$2 AND ts > $3 AND seq < $6 ORDER BY ts`, key.tenant, key.app, begin, texts, int(record.KindEvent), before)
	if err != nil {
		return err
	}
	var (
		r           record.Record
		kind, level int16
		numbers     [7]*float64
		extra       string
	)
	fields := [7]*record.Number{&r.CPU, &r.Mem, &r.Disk, &r.Swap, &r.Dur, &r.Queue, &r.CPUMs}
	to := []any{&r.Time, &kind, &level, &r.Release, &r.Replica}
	for i := range numbers {
		to = append(to, &numbers[i])
	}
	to = append(to, &r.Status, &r.Method, &r.URL, &r.Route, &r.Msg, &r.Exc, &extra)
	_, err = pgx.ForEachRow(rows, to, func() error {
		r.Kind, r.Level, r.Extra = record.Kind(kind), record.Level(level), []byte(extra)
		r.Tenant, r.App = key.tenant, key.app
		for i, n := range numbers {
			*fields[i] = record.Number{}
			if n != nil {
				*fields[i] = record.Num(*n)
			}
		}
		fn(&r)
		return nil
	})
	return err
}

// readsTexts reports whether the condition looks at messages or exceptions.
func (c *Condition) readsTexts() bool {
	return strings.Contains(c.Text, "msg") || strings.Contains(c.Text, "exc")
}

// recall fills the windows that began before their meters did, once persist
// has stored what came to the stream before. Records are taken by position, so
// that none counts twice.
func (w *watcher) recall(ctx context.Context, now time.Time) error {
	if len(w.wishes) == 0 {
		return nil
	}
	var stored uint64
	err := w.opts.Pool.QueryRow(ctx, "SELECT seq FROM sink_positions WHERE sink='persist' AND stream=$1", w.stream).Scan(&stored)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the position of persist: %w", err)
	}
	w.wishes = slices.DeleteFunc(w.wishes, func(h wish) bool {
		before := h.before
		if before == 0 {
			before = w.first
		}
		if before == 0 || stored+1 < before {
			return false
		}
		if recallErr := w.fill(ctx, h, int64(before), now); recallErr != nil {
			err = errors.Join(err, recallErr)
			return false
		}
		return true
	})
	return err
}

// fill reads the past of one meter's window.
func (w *watcher) fill(ctx context.Context, h wish, before int64, now time.Time) error {
	begin := now.Add(-h.meter.of.window)
	if !h.meter.begun.IsZero() && h.meter.begun.Before(begin) {
		return nil // it has seen all of it
	}
	cut, err := newest(ctx, w.opts.Pool, h.key, begin, historyRecords)
	if err != nil {
		return fmt.Errorf("reading the past of %s: %w", h.key.app, err)
	}
	var made time.Time
	err = w.opts.Pool.QueryRow(ctx, "SELECT created_at FROM apps WHERE tenant=$1 AND name=$2", h.key.tenant, h.key.app).Scan(&made)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // it was deleted
	}
	if err != nil {
		return fmt.Errorf("reading the past of %s: %w", h.key.app, err)
	}
	past := newMeter(h.meter.of)
	past.begun = latest(latest(begin, cut), made)
	if err := eachRecord(ctx, w.opts.Pool, h.key, past.begun, before, h.texts, func(r *record.Record) {
		if w.opts.Gate.Takes(r) {
			past.observe(r, r.Time)
		}
	}); err != nil {
		return fmt.Errorf("reading the past of %s: %w", h.key.app, err)
	}
	h.meter.absorb(past)
	return nil
}

// absorb adds what another meter of the same call saw before this one began.
func (m *meter) absorb(past *meter) {
	for i := range past.slices {
		from, to := &past.slices[i], &m.slices[i]
		switch {
		case from.start > to.start:
			*to = *from
		case from.start == to.start && from.start > 0:
			_ = to.merge(from, m.of.fn) // sketches of one accuracy always merge
		}
	}
	if m.begun.IsZero() || past.begun.Before(m.begun) {
		m.begun = past.begun
	}
}
