package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// isolator measures what an app's code may do.
type isolator interface {
	Isolation(ctx context.Context, tenant, app string) (paas.Isolation, error)
}

func (a *API) isolationRoutes() {
	// It starts a container that works hard for some seconds, which is not for
	// those who may only look.
	register(a, huma.Operation{OperationID: "measure-isolation", Method: http.MethodGet, Path: "/apps/{app}/isolation",
		Summary: "Measure in a replica what the app's code may do; takes some seconds"},
		paas.RoleDeveloper, func(ctx context.Context, in *InApp) (*answer[paas.Isolation], error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			card, err := a.deps.Deployer.Isolation(ctx, callOf(ctx).tenant, in.App)
			return reply(card), err
		})
}
