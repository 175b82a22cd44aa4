package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

type canaryShare struct {
	InApp
	Body struct {
		Share int `json:"share" doc:"Percent of the clients, 1 to 99"`
	}
}

func (a *API) canaryRoutes() {
	register(a, huma.Operation{OperationID: "share-canary", Method: http.MethodPut, Path: "/apps/{app}/canary",
		Summary: "Change the share of the clients that an app's canary gets", DefaultStatus: http.StatusNoContent},
		paas.RoleDeveloper, func(ctx context.Context, in *canaryShare) (*struct{}, error) {
			return nil, a.deps.Deployer.ShareCanary(ctx, callOf(ctx).tenant, in.App, in.Body.Share)
		})
	register(a, huma.Operation{OperationID: "promote-canary", Method: http.MethodPost, Path: "/apps/{app}/canary/promote",
		Summary: "Make an app's canary the live release", DefaultStatus: http.StatusAccepted},
		paas.RoleDeveloper, func(ctx context.Context, in *InApp) (*answer[paas.Release], error) {
			r, err := a.deps.Deployer.PromoteCanary(context.WithoutCancel(ctx), callOf(ctx).tenant, in.App)
			return reply(r), err
		})
	register(a, huma.Operation{OperationID: "end-canary", Method: http.MethodDelete, Path: "/apps/{app}/canary",
		Summary: "Take an app's canary out of the requests", DefaultStatus: http.StatusNoContent},
		paas.RoleDeveloper, func(ctx context.Context, in *InApp) (*struct{}, error) {
			c := callOf(ctx)
			return nil, a.deps.Deployer.EndCanary(ctx, c.tenant, in.App, c.User)
		})
}
