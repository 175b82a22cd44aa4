package main

import (
	"context"
	"time"

	"kurama/autoscaler"
	"kurama/paas/store"
	"kurama/services/profile"
)

// pastMinutes are the requests of each minute, as the rollups have them.
type pastMinutes struct{ q *profile.Query }

// Minutes returns the requests of each minute; one without any has no rollup.
func (p pastMinutes) Minutes(ctx context.Context, tenant, app string, from, to time.Time) ([]int, error) {
	steps, _, err := p.q.Course(ctx, tenant, app, from, to, time.Minute)
	return minutesOf(steps, from, to), err
}

func newAutoscaler(ctx context.Context, w *wiring) (runner, error) {
	pool, err := w.pool(ctx)
	if err != nil {
		return nil, err
	}
	st, err := w.stream(ctx)
	if err != nil {
		return nil, err
	}
	ln, err := w.ops()
	if err != nil {
		return nil, err
	}
	return autoscaler.New(w.cfg.Autoscaler, autoscaler.Options{Store: store.NewPolicies(pool, w.cfg.Autoscaler.Default()).Within(w.cfg.Quota.Bounds()), Stream: st,
		Past: pastMinutes{profile.NewQuery(pool)}, Sender: w.sender(0), Listener: ln, Log: w.log}), nil
}
