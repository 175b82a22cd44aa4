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
	Runtimes(ctx context.Context, tenant, app string) (paas.Runtimes, error)
	SetRuntime(ctx context.Context, tenant, app, runtime string) error
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
	register(a, huma.Operation{OperationID: "get-runtime", Method: http.MethodGet, Path: "/apps/{app}/runtime",
		Summary: "Show which OCI runtime runs an app, and which could"},
		paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[paas.Runtimes], error) { return a.runtimes(ctx, in.App) })
	register(a, huma.Operation{OperationID: "set-runtime", Method: http.MethodPut, Path: "/apps/{app}/runtime",
		Summary: "Run an app by another OCI runtime, such as runsc; restarts the replicas"},
		paas.RoleDeveloper, func(ctx context.Context, in *newRuntime) (*answer[paas.Runtimes], error) {
			if err := a.deps.Deployer.SetRuntime(ctx, callOf(ctx).tenant, in.App, in.Body.Runtime); err != nil {
				return nil, err
			}
			return a.runtimes(ctx, in.App)
		})
}

type newRuntime struct {
	InApp
	Body struct {
		Runtime string `json:"runtime" doc:"One of those that the operator allows; empty: the installation's"`
	}
}

func (a *API) runtimes(ctx context.Context, app string) (*answer[paas.Runtimes], error) {
	found, err := a.deps.Deployer.Runtimes(ctx, callOf(ctx).tenant, app)
	return reply(found), err
}
