package main

import (
	"context"
	"time"

	"kurama/dashboard"
	"kurama/paas/api"
)

// courseQuery tells the console of an app's past what the dashboard draws of it.
type courseQuery struct{ past pastQuery }

// Course returns the steps of an app from from to to.
func (q courseQuery) Course(ctx context.Context, tenant, app string, from, to time.Time, step time.Duration) (api.Course, error) {
	past, err := q.past.Course(ctx, dashboard.Span{Tenant: tenant, App: app, From: from, To: to, Step: step})
	if err != nil {
		return api.Course{}, err
	}
	busiest := map[int64]dashboard.PastFigure{}
	for _, f := range past.Figures {
		b := busiest[f.T]
		busiest[f.T] = dashboard.PastFigure{CPU: higher(b.CPU, f.CPU), Mem: higher(b.Mem, f.Mem), Disk: higher(b.Disk, f.Disk), Swap: higher(b.Swap, f.Swap)}
	}
	var view api.Course
	for _, p := range past.Points {
		b := busiest[p.T]
		view.Points = append(view.Points, api.CoursePoint{At: time.Unix(p.T, 0).UTC(), Rate: p.Req, Errors: p.S5, P50: p.P50, P95: p.P95, P99: p.P99,
			Inflight: p.InFlight, Queued: p.Queued, Replicas: p.Replicas, CPU: b.CPU, Mem: b.Mem, Disk: b.Disk, Swap: b.Swap})
	}
	for _, e := range past.Events {
		view.Events = append(view.Events, api.CourseEvent{At: time.UnixMilli(e.T).UTC(), Event: e.Event, Msg: e.Msg})
	}
	return view, nil
}
