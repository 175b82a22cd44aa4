package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

type autoRollbackStore interface {
	SetAutoRollback(ctx context.Context, tenant, app string, c paas.AutoRollbackChange) error
}

func (a *API) autoRollbackRoutes() {
	register(a, huma.Operation{OperationID: "get-auto-rollback", Method: http.MethodGet, Path: "/apps/{app}/auto-rollback",
		Summary: "Show whether an app goes back by itself when a release is clearly worse"},
		paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[paas.AutoRollback], error) {
			return a.autoRollback(ctx, in.App)
		})
	register(a, huma.Operation{OperationID: "set-auto-rollback", Method: http.MethodPut, Path: "/apps/{app}/auto-rollback",
		Summary: "Say whether an app goes back by itself when a release is clearly worse"},
		paas.RoleDeveloper, func(ctx context.Context, in *struct {
			InApp
			Body paas.AutoRollbackChange
		}) (*answer[paas.AutoRollback], error) {
			if err := a.deps.Store.SetAutoRollback(ctx, callOf(ctx).tenant, in.App, in.Body); err != nil {
				return nil, err
			}
			return a.autoRollback(ctx, in.App)
		})
}

func (a *API) autoRollback(ctx context.Context, name string) (*answer[paas.AutoRollback], error) {
	app, err := a.deps.Store.App(ctx, callOf(ctx).tenant, name)
	return reply(app.Rollback.Full()), err
}
