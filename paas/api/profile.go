package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// RouteProfile is how one route of an app did over a window. Times are
// milliseconds; what is not known is null.
type RouteProfile struct {
	Method   string   `json:"method"`
	Route    string   `json:"route"`
	Requests int64    `json:"requests"`
	Errors   int64    `json:"errors"`
	P50      *float64 `json:"p50"`
	P95      *float64 `json:"p95"`
	P99      *float64 `json:"p99"`
	Mean     *float64 `json:"mean"`
	CPUMs    *float64 `json:"cpu_ms" doc:"CPU per request"`
	Rate     float64  `json:"rate" doc:"Requests per second"`
}

// ProfileView is the profile of an app over a window.
type ProfileView struct {
	Window string         `json:"window"`
	From   time.Time      `json:"from"`
	To     time.Time      `json:"to"`
	Routes []RouteProfile `json:"routes"`
}

// Profiler reads how the routes of apps did. It fills From, To and Routes.
type Profiler interface {
	Profile(ctx context.Context, tenant, app string, window time.Duration) (ProfileView, error)
}

func (a *API) profileRoutes() {
	a.courseRoutes()
	register(a, huma.Operation{OperationID: "get-profile", Method: http.MethodGet, Path: "/apps/{app}/profile", Summary: "Show how each route did"},
		paas.RoleViewer, func(ctx context.Context, in *struct {
			InApp
			Window string `query:"window" default:"1h" doc:"15m, 1h, 24h, or any from 1m to 720h"`
		}) (*answer[ProfileView], error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			window, err := time.ParseDuration(in.Window)
			if err != nil || window < time.Minute || window > 30*24*time.Hour {
				return nil, &paas.Invalid{Reason: fmt.Sprintf("%q is not a window: use 15m, 1h or 24h, or any from 1m to 720h", in.Window)}
			}
			view, err := a.deps.Profile.Profile(ctx, callOf(ctx).tenant, in.App, window)
			view.Window = in.Window
			if view.Routes == nil {
				view.Routes = []RouteProfile{}
			}
			return reply(view), err
		})
}
