package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

type envStore interface {
	Env(ctx context.Context, tenant, app string) (map[string]string, error)
	SetEnv(ctx context.Context, tenant, app string, vars map[string]string) error
}

type envVars struct {
	Vars map[string]string `json:"vars"`
}

// envAnswer is the release that carries new settings: 202 with it, or 204
// while the app has none, whose first release will carry them.
type envAnswer struct {
	Status int
	Body   *paas.Release
}

type newEnv struct {
	InApp
	Body envVars
}

func (a *API) envRoutes() {
	// Settings hold passwords: whoever may only look may not see them.
	register(a, huma.Operation{OperationID: "get-env", Method: http.MethodGet, Path: "/apps/{app}/env", Summary: "Show the settings of an app"},
		paas.RoleDeveloper, func(ctx context.Context, in *InApp) (*answer[envVars], error) {
			vars, err := a.deps.Store.Env(ctx, callOf(ctx).tenant, in.App)
			return reply(envVars{vars}), err
		})
	register(a, huma.Operation{OperationID: "set-env", Method: http.MethodPut, Path: "/apps/{app}/env",
		Summary: "Replace the settings of an app; makes a new release with the same source", DefaultStatus: http.StatusAccepted}, paas.RoleDeveloper, a.setEnv)
}

func (a *API) setEnv(ctx context.Context, in *newEnv) (*envAnswer, error) {
	c := callOf(ctx)
	if err := a.deps.Store.SetEnv(ctx, c.tenant, in.App, in.Body.Vars); err != nil {
		return nil, err
	}
	// One that has failed counts: it may be the settings that it lacked.
	last, err := a.deps.Store.Releases(ctx, c.tenant, in.App, 1)
	if err != nil || len(last) == 0 {
		return &envAnswer{Status: http.StatusNoContent}, err
	}
	release, err := a.deps.Deployer.Redeploy(context.WithoutCancel(ctx), c.tenant, in.App, c.User)
	if errors.Is(err, paas.ErrConflict) {
		return nil, newProblem(http.StatusConflict,
			"The settings are saved, but a deploy is under way. Save them again once it has ended, and they get a release of their own.")
	}
	return &envAnswer{Status: http.StatusAccepted, Body: &release}, err
}
