package persist

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/logship/record"
	"kurama/paas"
)

// The bounds of one history.
const (
	maxPoints = 5000
	maxEvents = 500 // the newest
)

// Span says which part of an app's past is read, in steps of Step. With App
// empty it is all apps of the tenant.
type Span struct {
	Tenant, App string
	From, To    time.Time // From inclusive, To exclusive
	Step        time.Duration
}

func (s Span) check() error {
	if s.Step < time.Second || s.To.Sub(s.From)/s.Step > maxPoints {
		return &paas.Invalid{Reason: fmt.Sprintf("%s in steps of %s are too many points: at most %d, of at least 1 s.", s.To.Sub(s.From), s.Step, maxPoints)}
	}
	return nil
}

// where limits a query to the span; its arguments are $1 to $4, the step is $5.
func (s Span) where() string {
	if s.App == "" {
		return "tenant = $1 AND app <> $2 AND ts >= $3 AND ts < $4"
	}
	return "tenant = $1 AND app = $2 AND ts >= $3 AND ts < $4"
}

func (s Span) args(kind record.Kind) []any {
	return []any{s.Tenant, s.App, s.From, s.To, s.Step, int16(kind)}
}

// Requests are the requests of one step.
type Requests struct {
	At             time.Time // begin of the step
	Count          int64
	S2, S3, S4, S5 int64         // by class of status; 1xx counts as S2, none as S5
	P50, P95, P99  record.Number // ms, within 1 %
}

// Requests returns the steps of s in which requests were stored, oldest first,
// and all of them together.
func (q *Query) Requests(ctx context.Context, s Span) (steps []Requests, all Requests, err error) {
	if err := s.check(); err != nil {
		return nil, all, err
	}
	var (
		at    time.Time
		class int
		bin   *int
		n     int64
		total = tally{at: s.From}
		open  []*tally
	)
	// The times are counted in bins that grow by 2 %: those of many steps can be added up.
	err = q.each(ctx, s, `SELECT date_bin($5::interval, ts, $3::timestamptz) AS at, COALESCE(status, 0) / 100,
		CASE WHEN dur IS NOT NULL THEN ceil(ln(greatest(dur, 0.001)) / `+binWidth+`)::int END, count(*)
		FROM records WHERE `+s.where()+` AND kind = $6 GROUP BY 1, 2, 3 ORDER BY 1`,
		record.KindRequest, []any{&at, &class, &bin, &n}, func() {
			if len(open) == 0 || !open[len(open)-1].at.Equal(at) {
				open = append(open, &tally{at: at.UTC()})
			}
			open[len(open)-1].add(class, bin, n)
			total.add(class, bin, n)
		})
	for _, t := range open {
		steps = append(steps, t.requests())
	}
	return steps, total.requests(), err
}

// Sample is what one replica used during a step, as the mean of its samples;
// figures that nothing was measured for are unknown. Of the router (Replica
// "router") it holds the queue of an app, the highest of the step.
type Sample struct {
	At                   time.Time
	App, Replica         string
	Count                int64 // samples
	CPU, Mem, Disk, Swap record.Number
	InFlight, Queued     record.Number
}

// Samples returns the steps of s in which samples were stored, oldest first;
// with tenant and app both empty the hosts', whose names are the replicas'.
func (q *Query) Samples(ctx context.Context, s Span) ([]Sample, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	limit := s.where()
	if s.Tenant == "" {
		limit = "tenant = $1 AND app = $2 AND ts >= $3 AND ts < $4"
	}
	var (
		found   []Sample
		row     Sample
		figures [6]*float64
	)
	err := q.each(ctx, s, `SELECT date_bin($5::interval, ts, $3::timestamptz) AS at, app, replica, count(*),
		avg(cpu), avg(mem), avg(disk), avg(swap),
		max((extra->>'inflight')::float8) FILTER (WHERE replica = 'router' AND jsonb_typeof(extra->'inflight') = 'number'),
		max((extra->>'queued')::float8) FILTER (WHERE replica = 'router' AND jsonb_typeof(extra->'queued') = 'number')
		FROM records WHERE `+limit+` AND kind = $6 AND kind IN (3, 4) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
		record.KindSample, []any{&row.At, &row.App, &row.Replica, &row.Count, &figures[0], &figures[1], &figures[2], &figures[3], &figures[4], &figures[5]},
		func() {
			sample := row
			sample.At = row.At.UTC()
			for i, n := range []*record.Number{&sample.CPU, &sample.Mem, &sample.Disk, &sample.Swap, &sample.InFlight, &sample.Queued} {
				*n = known(figures[i])
			}
			found = append(found, sample)
		})
	return found, err
}

// Event is what happened to an app.
type Event struct {
	At             time.Time
	App, Name, Msg string
}

// Events returns what happened during s, oldest first; of very many the newest 500.
func (q *Query) Events(ctx context.Context, s Span) ([]Event, error) {
	var (
		found []Event
		e     Event
	)
	s.Step = time.Second // not asked for
	err := q.each(ctx, s, fmt.Sprintf(`SELECT ts, app, COALESCE(extra->>'event', ''), msg FROM
		(SELECT ts, app, extra, msg FROM records WHERE %s AND kind = $6 AND kind IN (3, 4) AND $5::interval > '0' ORDER BY ts DESC LIMIT %d) newest ORDER BY ts`, s.where(), maxEvents),
		record.KindEvent, []any{&e.At, &e.App, &e.Name, &e.Msg}, func() {
			e.At = e.At.UTC()
			found = append(found, e)
		})
	return found, err
}

// each runs a query of a span and calls fn with each row in into.
func (q *Query) each(ctx context.Context, s Span, sql string, kind record.Kind, into []any, fn func()) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	rows, err := q.pool.Query(ctx, sql, s.args(kind)...)
	if err == nil {
		_, err = pgx.ForEachRow(rows, into, func() error {
			fn()
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("reading the history of %s/%s: %w", s.Tenant, s.App, err)
	}
	return nil
}

func known(v *float64) record.Number {
	if v == nil {
		return record.Number{}
	}
	return record.Num(*v)
}
