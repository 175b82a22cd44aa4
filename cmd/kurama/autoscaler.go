package main

import (
	"context"

	"kurama/autoscaler"
	"kurama/paas/store"
)

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
		Sender: w.sender(0), Listener: ln, Log: w.log}), nil
}
