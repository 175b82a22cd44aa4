package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// ReleaseReceivers are told when a release of an app is live or has failed.
type ReleaseReceivers struct {
	Receivers []string `json:"receivers" maxItems:"50" doc:"E-mail addresses and webhooks: https://… or slack:https://…"`
}

func (a *API) releaseReceiverRoutes() {
	register(a, huma.Operation{OperationID: "get-release-receivers", Method: http.MethodGet, Path: "/apps/{app}/release-receivers",
		Summary: "Show who is told of releases"}, paas.RoleDeveloper, func(ctx context.Context, in *InApp) (*answer[ReleaseReceivers], error) {
		return a.releaseReceivers(ctx, in.App)
	})
	register(a, huma.Operation{OperationID: "set-release-receivers", Method: http.MethodPut, Path: "/apps/{app}/release-receivers",
		Summary: "Say who is told of releases"}, paas.RoleDeveloper, func(ctx context.Context, in *struct {
		InApp
		Body ReleaseReceivers
	}) (*answer[ReleaseReceivers], error) {
		c := callOf(ctx)
		if err := a.deps.Alerts.SetReleaseReceivers(ctx, c.tenant, in.App, c.User, in.Body.Receivers); err != nil {
			return nil, err
		}
		return a.releaseReceivers(ctx, in.App)
	})
}

func (a *API) releaseReceivers(ctx context.Context, app string) (*answer[ReleaseReceivers], error) {
	if err := a.appExists(ctx, app); err != nil {
		return nil, err
	}
	list, err := a.deps.Alerts.ReleaseReceivers(ctx, callOf(ctx).tenant, app)
	return reply(ReleaseReceivers{list}), err
}
