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
	"kurama/paas"
)

const (
	historyRecords = 200_000         // what is read back for one figure: the newest so many
	recallRound    = time.Second     // after this no further figure is read back before the rules are looked at
	recallOne      = 2 * time.Second // a figure that takes longer is not read back
)

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
	rows, err := pool.Query(ctx, `SELECT ts, kind, level, release, replica, cpu, mem, disk, swap, dur, queue, cpu_ms, db_ms, bytes::float8, coalesce(status,0),
			coalesce(method,''), coalesce(url,''), coalesce(route,''), CASE WHEN $4 THEN msg ELSE '' END, CASE WHEN $4 THEN coalesce(exc,'') ELSE '' END,
			CASE WHEN kind = $5 OR replica = 'router' THEN coalesce(extra::text,'') ELSE '' END
		FROM records WHERE tenant=$1 AND app=$2 AND ts > $3 AND seq < $6 ORDER BY ts`, key.tenant, key.app, begin, texts, int(record.KindEvent), before)
	if err != nil {
		return err
	}
	var (
		r           record.Record
		kind, level int16
		numbers     [9]*float64
		extra       string
	)
	fields := [9]*record.Number{&r.CPU, &r.Mem, &r.Disk, &r.Swap, &r.Dur, &r.Queue, &r.CPUMs, &r.DBMs, &r.Bytes}
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
// that none counts twice. What cannot be read within its time is left as it is:
// that meter begins where it began.
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
	began := time.Now()
	w.wishes = slices.DeleteFunc(w.wishes, func(h wish) bool {
		before := h.before
		if before == 0 {
			before = w.first
		}
		if before == 0 || stored+1 < before || time.Since(began) > recallRound {
			return false
		}
		short, cancel := context.WithTimeout(ctx, recallOne)
		defer cancel()
		if err := w.fill(short, h, int64(before), now); err != nil && ctx.Err() == nil {
			w.log.Warn("The past of a window cannot be read; it fills with what comes.", "tenant", h.key.tenant, "app", h.key.app, "figure", h.meter.of.name, "error", err)
		}
		return true
	})
	return nil
}

// fill reads the past of one meter's window.
func (w *watcher) fill(ctx context.Context, h wish, before int64, now time.Time) error {
	begin := now.Add(-h.meter.of.window)
	if !h.meter.begun.IsZero() && h.meter.begun.Before(begin) {
		return nil // it has seen all of it
	}
	whole, made, err := storedWhole(ctx, w.opts.Pool, h.key, begin)
	if err != nil || !whole {
		return err
	}
	cut, err := newest(ctx, w.opts.Pool, h.key, begin, historyRecords)
	if err != nil {
		return err
	}
	past := newMeter(h.meter.of)
	past.begun = latest(latest(begin, cut), made)
	if err := eachRecord(ctx, w.opts.Pool, h.key, past.begun, before, h.texts, func(r *record.Record) {
		if w.opts.Gate.Takes(r) {
			past.observe(r, r.Time)
		}
	}); err != nil {
		return err
	}
	h.meter.absorb(past)
	return nil
}

// storedWhole reports whether persist has stored all records of an app since
// begin, and when the app was made: not where its pipeline keeps some of them
// back, or was changed since. No retention is shorter than a window can be. An
// app that was deleted has nothing.
func storedWhole(ctx context.Context, pool *pgxpool.Pool, key appKey, begin time.Time) (whole bool, made time.Time, err error) {
	var stage paas.Stage
	var changed *time.Time
	err = pool.QueryRow(ctx, `SELECT a.created_at, coalesce(p.config -> 'persist', '{}'), p.updated_at
		FROM apps a LEFT JOIN pipelines p ON p.tenant = a.tenant AND p.app = a.name AND p.updated_by <> ''
		WHERE a.tenant=$1 AND a.name=$2`, key.tenant, key.app).Scan(&made, &stage, &changed)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, made, nil
	}
	whole = !stage.Off && len(stage.Take) == 0 && !timeOf(changed).After(begin)
	return whole, made, err
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
