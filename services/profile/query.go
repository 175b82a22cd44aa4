package profile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/paas"
)

// maxWindow bounds how far back one profile looks: as far as the API asks, and
// as long as rollups are kept by default.
const maxWindow = 30 * 24 * time.Hour

// RouteStats is the profile of one route over a window. Times are in
// milliseconds and nil where none is known.
type RouteStats struct {
	Method   string   `json:"method"` // empty for OtherRoutes
	Route    string   `json:"route"`
	Requests int64    `json:"requests"`
	Errors   int64    `json:"errors"` // answered with 5xx
	P50      *float64 `json:"p50"`    // quantiles are within 1 %
	P95      *float64 `json:"p95"`
	P99      *float64 `json:"p99"`
	Mean     *float64 `json:"mean"`
	CPUMs    *float64 `json:"cpu_ms"` // mean CPU time of a request
	DBMs     *float64 `json:"db_ms"`  // mean time of a request in database calls; nil where none made any
	Bytes    *float64 `json:"bytes"`  // mean of an answer
	Rate     float64  `json:"rate"`   // requests per second

	// Filled in by Report.
	AboveMedian bool     `json:"above_median"` // the route's median is above the app's
	BeforeP50   *float64 `json:"before_p50"`   // under the release before; nil where it had none
	BeforeP95   *float64 `json:"before_p95"`
	BeforeMean  *float64 `json:"before_mean"`
}

// Query reads the rollups that profile stored. It is safe for concurrent use.
type Query struct {
	pool *pgxpool.Pool
	now  func() time.Time
}

// NewQuery returns the read side on pool.
func NewQuery(pool *pgxpool.Pool) *Query { return &Query{pool: pool, now: time.Now} }

// Routes returns the profile of each route of an app over the window that ends
// now, all releases together, most requests first. The window begins at a whole
// minute, not before the app's first request: from and to are what it really
// covers. A window of less than a minute or more than 30 days is a *paas.Invalid.
func (q *Query) Routes(ctx context.Context, tenant, app string, window time.Duration) (stats []RouteStats, from, to time.Time, err error) {
	to = q.now().UTC()
	from = to.Add(-window).Truncate(time.Minute)
	if window < time.Minute || window > maxWindow {
		return nil, from, to, &paas.Invalid{Reason: fmt.Sprintf("A profile cannot cover %s: use 1m to %s, such as 15m, 1h or 24h.", window, maxWindow)}
	}
	if from, err = q.begin(ctx, tenant, app, from, to); err != nil {
		return nil, from, to, err
	}
	stats, err = q.Between(ctx, tenant, app, from, to)
	return stats, from, to, err
}

// begin returns the minute of the app's first request where that is after from:
// a rate over a time without the app would be too small. A minute is the least.
func (q *Query) begin(ctx context.Context, tenant, app string, from, to time.Time) (time.Time, error) {
	var first *time.Time
	if err := q.pool.QueryRow(ctx, `SELECT min(minute) FROM rollups WHERE tenant = $1 AND app = $2`, tenant, app).Scan(&first); err != nil {
		return from, fmt.Errorf("reading the first minute of %s/%s: %w", tenant, app, err)
	}
	if first == nil || first.Before(from) {
		return from, nil
	}
	if last := to.Add(-time.Minute); first.After(last) {
		return last, nil
	}
	return first.UTC(), nil
}

// Between returns the profile of each route of an app in the minutes that begin
// from from to to, both included, most requests first.
func (q *Query) Between(ctx context.Context, tenant, app string, from, to time.Time) ([]RouteStats, error) {
	cells, err := q.cells(ctx, tenant, app, from, to, 0)
	if err != nil {
		return nil, fmt.Errorf("reading the profile of %s/%s: %w", tenant, app, err)
	}
	stats := make([]RouteStats, 0, len(cells))
	for mr, c := range cells {
		stats = append(stats, statsOf(mr, c, to.Sub(from)))
	}
	slices.SortFunc(stats, func(a, b RouteStats) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Method, b.Method))
	})
	return stats, nil
}

// cells merges the rows of each route, of one release or of all (0).
func (q *Query) cells(ctx context.Context, tenant, app string, from, to time.Time, release int) (map[methodRoute]*cell, error) {
	rows, err := q.pool.Query(ctx, `SELECT method, route, requests, errors, dur_sum, cpu_sum, cpu_count, db_sum, bytes_sum, bytes_count, sketch
		FROM rollups WHERE tenant = $1 AND app = $2 AND minute >= $3 AND minute <= $4 AND ($5 = 0 OR release = $5)`, tenant, app, from, to, release)
	if err != nil {
		return nil, err
	}
	cells := map[methodRoute]*cell{}
	var (
		mr     methodRoute
		row    cell
		sketch pgtype.DriverBytes // valid until the next row: merged at once
	)
	_, err = pgx.ForEachRow(rows, []any{&mr.method, &mr.route, &row.requests, &row.errors, &row.durSum, &row.cpuSum, &row.cpuCount, &row.dbSum, &row.bytesSum, &row.bytesCount, &sketch}, func() error {
		c := cells[mr]
		if c == nil {
			c = newCell()
			cells[mr] = c
		}
		c.count(&row)
		return c.sketch.DecodeAndMergeWith(sketch)
	})
	return cells, err
}

func statsOf(mr methodRoute, c *cell, window time.Duration) RouteStats {
	s := RouteStats{Method: mr.method, Route: mr.route, Requests: c.requests, Errors: c.errors,
		Rate: float64(c.requests) / window.Seconds()}
	if values, err := c.sketch.GetValuesAtQuantiles([]float64{0.5, 0.95, 0.99}); err == nil {
		mean := c.durSum / c.sketch.GetCount()
		s.P50, s.P95, s.P99, s.Mean = &values[0], &values[1], &values[2], &mean
	}
	if c.cpuCount > 0 {
		mean := c.cpuSum / float64(c.cpuCount)
		s.CPUMs = &mean
	}
	if c.dbSum > 0 {
		mean := c.dbSum / float64(c.requests)
		s.DBMs = &mean
	}
	if c.bytesCount > 0 {
		mean := c.bytesSum / float64(c.bytesCount)
		s.Bytes = &mean
	}
	return s
}
