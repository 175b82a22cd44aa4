package alert

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/logship/record"
)

const (
	previewSpan    = time.Hour
	previewStep    = 10 * time.Second
	previewRecords = 200_000 // newest records that a preview reads; a busy app's begins later
)

// Preview is what a condition would have said of the last hour.
type Preview struct {
	Condition string // as it is understood, with units
	From, To  time.Time
	Subject   string // figure that the points show; empty where the condition compares none with a number
	Unit      string // of the figure: %, ms, /s or empty
	Limit     *float64
	Points    []PreviewPoint // one every ten seconds
	Fired     int            // how often it would have fired
	Held      time.Duration  // how long the condition held
	Now       string         // the figures at the end, in words
}

// PreviewPoint is one moment of a preview; Value is nil where it was not known.
type PreviewPoint struct {
	At    time.Time
	Value *float64
	Holds bool
}

// Preview tries a condition on the stored records of the last hour of an app;
// hold is its for-duration in seconds where the text has none. Errors:
// *paas.Invalid for a condition that cannot be.
func (s *Rules) Preview(ctx context.Context, tenant, app, condition string, hold float64) (Preview, error) {
	c, err := Compile(condition)
	if err != nil {
		return Preview{}, err
	}
	if c.For, err = waitOf(c, hold); err != nil {
		return Preview{}, err
	}
	to := time.Now().UTC()
	p := &previewing{condition: c, key: appKey{tenant, app}, seen: newWatch(), status: status{state: stateOK},
		out: Preview{Condition: c.Phrase(nil), From: to.Add(-previewSpan), To: to, Subject: c.subject, Unit: symbol(c.unitOf(c.subject))}}
	if c.hasLimit {
		p.out.Limit = &c.limit
	}
	if err := p.seen.kinds.load(ctx, s.pool); err != nil {
		return Preview{}, err
	}
	if err := p.read(ctx, s); err != nil {
		return Preview{}, fmt.Errorf("trying a condition on %s: %w", app, err)
	}
	p.until(to)
	p.out.Now = c.Now(p.figures)
	return p.out, nil
}

// previewing is a preview that is being made.
type previewing struct {
	condition *Condition
	key       appKey
	seen      *watch
	status    status
	clock     time.Time
	figures   Figures
	out       Preview
}

// read goes through the records as the service would have.
func (p *previewing) read(ctx context.Context, s *Rules) error {
	begin := p.out.From.Add(-max(p.condition.longest(), lookBackMin))
	var oldest *time.Time
	err := s.pool.QueryRow(ctx, `SELECT (SELECT ts FROM records WHERE tenant=$1 AND app=$2 AND ts > $3 ORDER BY ts DESC OFFSET $4 LIMIT 1)`,
		p.key.tenant, p.key.app, begin, previewRecords).Scan(&oldest)
	if err != nil {
		return err
	}
	if oldest != nil {
		begin = *oldest
		p.out.From = begin
	}
	p.seen.begun, p.clock = begin, p.out.From
	p.seen.meter(p.key, p.condition, begin)
	texts := strings.Contains(p.condition.Text, "msg") || strings.Contains(p.condition.Text, "exc")
	rows, err := s.pool.Query(ctx, `SELECT ts, kind, level, release, replica, cpu, mem, disk, swap, dur, queue, cpu_ms, db_ms, bytes::float8, coalesce(status,0),
			coalesce(method,''), coalesce(url,''), coalesce(route,''), CASE WHEN $4 THEN msg ELSE '' END, CASE WHEN $4 THEN coalesce(exc,'') ELSE '' END,
			CASE WHEN kind = $5 OR replica = 'router' THEN coalesce(extra::text,'') ELSE '' END
		FROM records WHERE tenant=$1 AND app=$2 AND ts > $3 ORDER BY ts`, p.key.tenant, p.key.app, begin, texts, int(record.KindEvent))
	if err != nil {
		return err
	}
	return p.scan(rows)
}

func (p *previewing) scan(rows pgx.Rows) error {
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
	_, err := pgx.ForEachRow(rows, to, func() error {
		r.Kind, r.Level, r.Extra = record.Kind(kind), record.Level(level), []byte(extra)
		r.Tenant, r.App = p.key.tenant, p.key.app
		for i, n := range numbers {
			*fields[i] = record.Number{}
			if n != nil {
				*fields[i] = record.Num(*n)
			}
		}
		p.until(r.Time)
		p.seen.observe(&r, r.Time)
		return nil
	})
	return err
}

// until evaluates each ten seconds up to t.
func (p *previewing) until(t time.Time) {
	for next := p.clock.Add(previewStep); !next.After(t); next = p.clock.Add(previewStep) {
		p.clock = next
		p.figures = p.seen.figures(p.key, next)
		point := PreviewPoint{At: next, Holds: p.condition.Holds(p.figures)}
		if v, ok := p.figures[p.condition.subject]; ok {
			point.Value = &v
		}
		if point.Holds {
			p.out.Held += previewStep
		}
		var ch change
		if p.status, ch = p.status.next(next, point.Holds, p.condition.For, calmMin); ch == fired {
			p.out.Fired++
		}
		p.out.Points = append(p.out.Points, point)
	}
}

// symbol writes a unit as an axis has it.
func symbol(u unit) string {
	return map[unit]string{unitPercent: "%", unitMillis: "ms", unitRate: "/s"}[u]
}
