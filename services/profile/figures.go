package profile

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"kurama/paas"
)

// figuresSpan is how much of a release's life its figures are of, at most.
const figuresSpan = time.Hour

// Release returns how the routes of one release did in the minutes from from to
// to; with from zero in the last hour before to in which it answered requests, a
// week back at most. Times of the minutes up to warm are left out: those of
// replicas that have just begun. Without requests From and To are those asked for.
func (q *Query) Release(ctx context.Context, tenant, app string, release int, from, to, warm time.Time) (paas.ReleaseFigures, error) {
	f := paas.ReleaseFigures{Release: release, From: from, To: to}
	wrong := func(err error) (paas.ReleaseFigures, error) {
		return f, fmt.Errorf("reading how release %d of %s/%s did: %w", release, tenant, app, err)
	}
	if from.IsZero() {
		var last pgtype.Timestamptz
		if err := q.pool.QueryRow(ctx, `SELECT max(minute) FROM rollups WHERE tenant = $1 AND app = $2 AND release = $3 AND minute > $4 AND minute <= $5`,
			tenant, app, release, to.Add(-releaseSpan), to).Scan(&last); err != nil {
			return wrong(err)
		}
		if !last.Valid {
			return f, nil
		}
		f.To = earlier(to, last.Time.UTC().Add(time.Minute))
		f.From = f.To.Add(-figuresSpan).Truncate(time.Minute)
	}
	cells, err := q.cells(ctx, tenant, app, f.From.Truncate(time.Minute), f.To, release)
	if err != nil {
		return wrong(err)
	}
	timed := cells
	if begin := warm.Truncate(time.Minute).Add(time.Minute); !begin.Before(f.From) {
		if timed, err = q.cells(ctx, tenant, app, begin, f.To, release); err != nil {
			return wrong(err)
		}
	}
	for mr, c := range cells {
		r := paas.RouteFigures{Method: mr.method, Route: mr.route, Requests: c.requests, Errors: c.errors}
		if t := timed[mr]; t != nil && t.sketch.GetCount() > 0 {
			r.Timed, r.Quantile = int64(t.sketch.GetCount()), quantile(t)
		}
		f.Routes = append(f.Routes, r)
	}
	return f, nil
}

func quantile(c *cell) func(float64) float64 {
	return func(q float64) float64 {
		v, err := c.sketch.GetValueAtQuantile(q)
		if err != nil {
			return math.NaN() // q is none: no comparison with it holds
		}
		return v
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
