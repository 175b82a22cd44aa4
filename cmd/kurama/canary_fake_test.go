package main

import (
	"context"

	"kurama/paas"
)

// ShareCanary gives the first release a share.
func (p *platformFake) ShareCanary(ctx context.Context, tenant, app string, share int) error {
	return p.store.SetCanary(ctx, tenant, app, paas.Canary{Release: 1, Share: share})
}

// EndCanary ends what ShareCanary began.
func (p *platformFake) EndCanary(ctx context.Context, tenant, app, by string) error {
	return p.store.EndCanary(ctx, tenant, app, by+" ended this canary.")
}

// PromoteCanary returns the first release.
func (p *platformFake) PromoteCanary(ctx context.Context, tenant, app string) (paas.Release, error) {
	return p.store.Release(ctx, tenant, app, 1)
}
