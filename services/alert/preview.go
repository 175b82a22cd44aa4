package alert

import (
	"context"
	"fmt"
	"math"
	"time"

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
	cut, err := newest(ctx, s.pool, p.key, begin, previewRecords)
	if err != nil {
		return err
	}
	if !cut.IsZero() {
		begin, p.out.From = cut, cut
	}
	p.seen.begun, p.clock = begin, p.out.From
	p.seen.meter(p.key, p.condition, begin)
	return eachRecord(ctx, s.pool, p.key, begin, math.MaxInt64, p.condition.readsTexts(), func(r *record.Record) {
		p.until(r.Time)
		p.seen.observe(r, r.Time)
	})
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
