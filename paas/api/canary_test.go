package api_test

import (
	"context"

	"kurama/paas"
)

// ShareCanary gives the first release a share.
func (f *fakes) ShareCanary(ctx context.Context, tenant, app string, share int) error {
	return f.store.SetCanary(ctx, tenant, app, paas.Canary{Release: 1, Share: share})
}

// EndCanary ends what ShareCanary began.
func (f *fakes) EndCanary(ctx context.Context, tenant, app, by string) error {
	return f.store.EndCanary(ctx, tenant, app, by+" ended this canary.")
}

// PromoteCanary returns the first release.
func (f *fakes) PromoteCanary(ctx context.Context, tenant, app string) (paas.Release, error) {
	return f.store.Release(ctx, tenant, app, 1)
}
