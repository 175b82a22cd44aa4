package profile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// topRoutes is how many routes a list of the slowest has.
	topRoutes = 10
	// releaseSpan is how far back the figures of the release before are looked for.
	releaseSpan = 7 * 24 * time.Hour
)

// Report is the profile of an app over a window.
type Report struct {
	From, To time.Time
	Routes   []RouteStats // most requests first
	Total    RouteStats   // of all routes; its Method and Route are empty
	ByMean   []RouteStats // the ten slowest by their mean, the slowest first
	ByP95    []RouteStats // and by their p95
	Release  int          // the newest one with requests in the window; 0: none
	Previous int          // the one before it with requests in the last week; 0: none
}

// Report returns the profile of an app over the window that ends now, its
// routes compared with the app's median and with the release before. Errors: as
// Routes.
func (q *Query) Report(ctx context.Context, tenant, app string, window time.Duration) (r Report, err error) {
	if r.Routes, r.From, r.To, err = q.Routes(ctx, tenant, app, window); err != nil {
		return r, err
	}
	if r.Total, err = q.total(ctx, tenant, app, r.From, r.To); err != nil {
		return r, err
	}
	if r.Release, r.Previous, err = q.releases(ctx, tenant, app, r.From, r.To); err != nil {
		return r, err
	}
	if r.Previous > 0 {
		if err := q.compare(ctx, tenant, app, &r); err != nil {
			return r, err
		}
	}
	for i := range r.Routes {
		s := &r.Routes[i]
		s.AboveMedian = s.P50 != nil && r.Total.P50 != nil && *s.P50 > *r.Total.P50
	}
	r.ByMean = slowest(r.Routes, func(s RouteStats) *float64 { return s.Mean })
	r.ByP95 = slowest(r.Routes, func(s RouteStats) *float64 { return s.P95 })
	return r, nil
}

// total merges all routes.
func (q *Query) total(ctx context.Context, tenant, app string, from, to time.Time) (RouteStats, error) {
	cells, err := q.cells(ctx, tenant, app, from, to, 0)
	if err != nil {
		return RouteStats{}, fmt.Errorf("reading the profile of %s/%s: %w", tenant, app, err)
	}
	all := newCell()
	for _, c := range cells {
		all.count(c)
		if err := all.sketch.MergeWith(c.sketch); err != nil {
			return RouteStats{}, fmt.Errorf("adding up the profile of %s/%s: %w", tenant, app, err)
		}
	}
	return statsOf(methodRoute{}, all, to.Sub(from)), nil
}

// releases returns the newest release in the window and the one before it.
func (q *Query) releases(ctx context.Context, tenant, app string, from, to time.Time) (newest, before int, err error) {
	rows, err := q.pool.Query(ctx, `SELECT release, max(minute) >= $3 FROM rollups WHERE tenant = $1 AND app = $2 AND minute >= $4 AND minute <= $5 AND release > 0
		GROUP BY release ORDER BY release DESC`, tenant, app, from, to.Add(-releaseSpan), to)
	if err != nil {
		return 0, 0, fmt.Errorf("reading the releases of %s/%s: %w", tenant, app, err)
	}
	var release int
	var within bool
	_, err = pgx.ForEachRow(rows, []any{&release, &within}, func() error {
		switch {
		case newest == 0 && within:
			newest = release
		case newest > 0 && before == 0:
			before = release
		}
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("reading the releases of %s/%s: %w", tenant, app, err)
	}
	return newest, before, nil
}

// compare fills in what the routes had under the release before.
func (q *Query) compare(ctx context.Context, tenant, app string, r *Report) error {
	cells, err := q.cells(ctx, tenant, app, r.To.Add(-releaseSpan), r.To, r.Previous)
	if err != nil {
		return fmt.Errorf("reading release %d of %s/%s: %w", r.Previous, tenant, app, err)
	}
	for i := range r.Routes {
		s := &r.Routes[i]
		if c := cells[methodRoute{s.Method, s.Route}]; c != nil {
			was := statsOf(methodRoute{}, c, releaseSpan)
			s.BeforeP50, s.BeforeP95, s.BeforeMean = was.P50, was.P95, was.Mean
		}
	}
	return nil
}

// slowest returns the routes with the largest known figure, the largest first.
func slowest(routes []RouteStats, figure func(RouteStats) *float64) []RouteStats {
	known := make([]RouteStats, 0, len(routes))
	for _, s := range routes {
		if figure(s) != nil {
			known = append(known, s)
		}
	}
	slices.SortStableFunc(known, func(a, b RouteStats) int { return cmp.Compare(*figure(b), *figure(a)) })
	return known[:min(len(known), topRoutes)]
}
