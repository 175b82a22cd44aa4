package persist

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/logship/record"
	"kurama/paas"
)

// queryTimeout bounds one query: a rare text in weeks of records would
// otherwise hold a connection for minutes.
const queryTimeout = 30 * time.Second

// Query reads the records that persist stored. It is safe for concurrent use.
type Query struct {
	pool *pgxpool.Pool
}

// NewQuery returns the read side on pool.
func NewQuery(pool *pgxpool.Pool) *Query { return &Query{pool: pool} }

const selected = `SELECT seq, ts, id, kind, level, tenant, app, release, replica, COALESCE(method, ''), COALESCE(url, ''),
	COALESCE(route, ''), COALESCE(status, 0), msg, cpu, disk, swap, mem, dur, queue, cpu_ms, db_ms, bytes, COALESCE(req, ''), COALESCE(exc, ''), extra
	FROM records WHERE `

// Logs returns a page of the records that f chooses, newest first, and the
// cursor of the next page, "" after the last. A filter or cursor that cannot
// be read is a *paas.Invalid, and so is a search that takes longer than 30 s.
func (q *Query) Logs(ctx context.Context, f Filter) ([]record.Record, string, error) {
	w, err := f.where()
	if err != nil {
		return nil, "", err
	}
	if !f.From.IsZero() {
		w.add("ts >= $?", f.From)
	}
	if !f.To.IsZero() {
		w.add("ts < $?", f.To)
	}
	if f.Cursor != "" {
		at, id, err := parseCursor(f.Cursor)
		if err != nil {
			return nil, "", err
		}
		w.add("ts <= $? AND (ts, id) < ($?, $?)", at, at, id)
	}
	limit := f.limit()
	sql := selected + w.String() + " ORDER BY ts DESC, id DESC LIMIT " + strconv.Itoa(limit+1)
	found, _, err := q.collect(ctx, sql, w.args)
	if err != nil || len(found) <= limit {
		return found, "", err
	}
	return found[:limit], cursorOf(&found[limit-1]), nil
}

// collect runs a query of selected columns and returns the records and the
// batch of the last one.
func (q *Query) collect(ctx context.Context, sql string, args []any) (found []record.Record, seq int64, err error) {
	bounded, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	rows, err := q.pool.Query(bounded, sql, args...)
	if err == nil {
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (record.Record, error) {
			var r record.Record
			n, err := scan(row, &r)
			seq = n
			return r, err
		})
	}
	if err != nil && ctx.Err() == nil && errors.Is(bounded.Err(), context.DeadlineExceeded) {
		return nil, 0, &paas.Invalid{Reason: fmt.Sprintf("The search took longer than %s and was stopped. Narrow its time range.", queryTimeout)}
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading records: %w", err)
	}
	return found, seq, nil
}

// scan reads one row of selected columns.
func scan(row pgx.Row, r *record.Record) (seq int64, err error) {
	var (
		id          [16]byte
		kind, level int16
		status      int16
		figures     [8]*float32
		size        *int64
		extra       []byte
	)
	err = row.Scan(&seq, &r.Time, &id, &kind, &level, &r.Tenant, &r.App, &r.Release, &r.Replica, &r.Method, &r.URL,
		&r.Route, &status, &r.Msg, &figures[0], &figures[1], &figures[2], &figures[3], &figures[4], &figures[5], &figures[6],
		&figures[7], &size, &r.Req, &r.Exc, &extra)
	if err != nil {
		return 0, err
	}
	r.Time, r.ID, r.Kind, r.Level, r.Status = r.Time.UTC(), id, record.Kind(kind), record.Level(level), int(status)
	for i, n := range []*record.Number{&r.CPU, &r.Disk, &r.Swap, &r.Mem, &r.Dur, &r.Queue, &r.CPUMs, &r.DBMs} {
		*n = number(figures[i])
	}
	if r.Bytes = (record.Number{}); size != nil {
		r.Bytes = record.Num(float64(*size))
	}
	r.Extra = compact(extra)
	return seq, nil
}

// number widens a real by its shortest decimal, so that 12.3 stays 12.3.
func number(v *float32) record.Number {
	if v == nil || math.IsInf(float64(*v), 0) || math.IsNaN(float64(*v)) {
		return record.Number{}
	}
	wide, err := strconv.ParseFloat(strconv.FormatFloat(float64(*v), 'g', -1, 32), 64)
	if err != nil {
		wide = float64(*v)
	}
	return record.Num(wide)
}

// compact takes out the blanks that jsonb puts between members.
func compact(extra []byte) []byte {
	if len(extra) == 0 {
		return nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, extra); err != nil {
		return extra
	}
	return b.Bytes()
}
