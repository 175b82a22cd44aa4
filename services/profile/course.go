package profile

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"kurama/paas"
)

// maxSteps bounds one course.
const maxSteps = 5000

// Step is what an app, or a tenant's apps together, answered during one step.
// Times are in milliseconds, within 1 %, and nil where none is known.
type Step struct {
	At            time.Time
	Requests      int64
	Errors        int64 // answered with 5xx
	P50, P95, P99 *float64
}

// Course returns the steps from from to to in which there were requests, oldest
// first, and all of them together. It reads the rollups, so step and from are
// whole minutes; with app empty it is about all apps of the tenant. More than
// 5000 steps are a *paas.Invalid.
func (q *Query) Course(ctx context.Context, tenant, app string, from, to time.Time, step time.Duration) (steps []Step, all Step, err error) {
	if step < time.Minute || step%time.Minute != 0 || to.Sub(from)/step > maxSteps {
		return nil, all, &paas.Invalid{Reason: fmt.Sprintf("A course from rollups has steps of whole minutes and at most %d of them; %s in steps of %s has not.", maxSteps, to.Sub(from), step)}
	}
	limit := "tenant = $1 AND app = $2"
	if app == "" {
		limit = "tenant = $1 AND app <> $2"
	}
	rows, err := q.pool.Query(ctx, `SELECT date_bin($5::interval, minute, $3::timestamptz) AS at, requests, errors, sketch
		FROM rollups WHERE `+limit+` AND minute >= $3 AND minute < $4 ORDER BY 1`, tenant, app, from, to, step)
	if err != nil {
		return nil, all, fmt.Errorf("reading the course of %s/%s: %w", tenant, app, err)
	}
	var (
		at, current time.Time
		row         cell
		sketch      pgtype.DriverBytes // valid until the next row: merged at once
		open, total = newCell(), newCell()
	)
	_, err = pgx.ForEachRow(rows, []any{&at, &row.requests, &row.errors, &sketch}, func() error {
		if !at.Equal(current) {
			if open.requests > 0 {
				steps = append(steps, stepOf(current, open))
			}
			current, open = at, newCell()
		}
		for _, c := range []*cell{open, total} {
			c.requests += row.requests
			c.errors += row.errors
			if err := c.sketch.DecodeAndMergeWith(sketch); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, all, fmt.Errorf("reading the course of %s/%s: %w", tenant, app, err)
	}
	if open.requests > 0 {
		steps = append(steps, stepOf(current, open))
	}
	return steps, stepOf(from, total), nil
}

func stepOf(at time.Time, c *cell) Step {
	s := Step{At: at.UTC(), Requests: c.requests, Errors: c.errors}
	if values, err := c.sketch.GetValuesAtQuantiles([]float64{0.5, 0.95, 0.99}); err == nil {
		s.P50, s.P95, s.P99 = &values[0], &values[1], &values[2]
	}
	return s
}
