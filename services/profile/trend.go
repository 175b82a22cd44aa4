package profile

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// trendSteps is how many steps a trend has at the most: as many as a small
// picture shows apart.
const trendSteps = 30

// Trend is how one route did from step to step of a window.
type Trend struct {
	Method   string
	Route    string
	Requests []int64
	Mean     []*float64 // ms; nil where nobody asked
}

// Trends returns the course of each route of an app over the window that ends
// now, and where and in which steps, of whole minutes, it is told; the last one
// is not over. Routes that nobody asked for are left out.
func (q *Query) Trends(ctx context.Context, tenant, app string, window time.Duration) (list []Trend, from time.Time, step time.Duration, err error) {
	step = max(time.Minute, (window/trendSteps + time.Minute - 1).Truncate(time.Minute))
	now := q.now().UTC()
	steps := int((window + step - 1) / step)
	from = now.Truncate(time.Minute).Add(time.Minute - time.Duration(steps)*step)
	rows, err := q.pool.Query(ctx, `SELECT method, route, floor(extract(epoch FROM minute - $3) / $4)::bigint AS n, sum(requests)::bigint, sum(dur_sum)
		FROM rollups WHERE tenant = $1 AND app = $2 AND minute >= $3 AND minute <= $5
		GROUP BY method, route, n ORDER BY method, route`, tenant, app, from, step.Seconds(), now)
	if err != nil {
		return nil, from, step, fmt.Errorf("reading the trends of %s/%s: %w", tenant, app, err)
	}
	var mr methodRoute
	var n, requests int64
	var durSum float64
	_, err = pgx.ForEachRow(rows, []any{&mr.method, &mr.route, &n, &requests, &durSum}, func() error {
		if k := len(list) - 1; k < 0 || list[k].Method != mr.method || list[k].Route != mr.route {
			list = append(list, Trend{Method: mr.method, Route: mr.route, Requests: make([]int64, steps), Mean: make([]*float64, steps)})
		}
		if n < 0 || n >= int64(steps) || requests == 0 {
			return nil
		}
		t, mean := &list[len(list)-1], durSum/float64(requests)
		t.Requests[n], t.Mean[n] = requests, &mean
		return nil
	})
	if err != nil {
		return nil, from, step, fmt.Errorf("reading the trends of %s/%s: %w", tenant, app, err)
	}
	return list, from, step, nil
}
