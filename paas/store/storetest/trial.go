// Package storetest is for tests: what stands in for the deployer before a real
// store.
package storetest

import (
	"context"

	"kurama/paas"
	"kurama/paas/store"
)

// Trials does what a deployer does with canaries, but starts nothing.
type Trials struct{ Store *store.Store }

// ShareCanary gives the canary another share; where there is none, the newest
// release becomes it.
func (t Trials) ShareCanary(ctx context.Context, tenant, app string, share int) error {
	a, err := t.Store.App(ctx, tenant, app)
	if err != nil {
		return err
	}
	number := a.Canary.Release
	if newest, err := t.Store.Releases(ctx, tenant, app, 1); err == nil && number == 0 && len(newest) == 1 {
		number = newest[0].Number
	}
	return t.Store.SetCanary(ctx, tenant, app, paas.Canary{Release: number, Share: share})
}

// EndCanary ends an app's canary.
func (t Trials) EndCanary(ctx context.Context, tenant, app, by string) error {
	a, err := t.Store.App(ctx, tenant, app)
	if err != nil {
		return err
	}
	return t.Store.EndCanary(ctx, tenant, app, a.Canary.Release, by+" ended this canary.")
}

// PromoteCanary makes an app's canary live at once.
func (t Trials) PromoteCanary(ctx context.Context, tenant, app string) (paas.Release, error) {
	a, err := t.Store.App(ctx, tenant, app)
	if err != nil {
		return paas.Release{}, err
	}
	rel, err := t.Store.Release(ctx, tenant, app, a.Canary.Release)
	if err != nil {
		return rel, err
	}
	return rel, t.Store.SetLive(ctx, tenant, app, rel.Number)
}

// Compare finds GET /cart slower, in 612 requests.
func (t Trials) Compare(ctx context.Context, tenant, app string, number, against int) (paas.Comparison, error) {
	if _, err := t.Store.Release(ctx, tenant, app, number); err != nil {
		return paas.Comparison{}, err
	}
	figures := func(release int, ms float64) paas.ReleaseFigures {
		return paas.ReleaseFigures{Release: release, Routes: []paas.RouteFigures{{Method: "GET", Route: "/cart", Requests: 612, Errors: 2, Timed: 612,
			Quantile: func(float64) float64 { return ms }}}}
	}
	return paas.Judge(figures(number, 240), figures(max(against, 1), 80), paas.AutoRollback{}, paas.FalseAlarm), nil
}
