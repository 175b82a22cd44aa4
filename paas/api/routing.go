package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

type routingStore interface {
	// SetRouting returns paas.ErrConflict for a domain that another app has.
	SetRouting(ctx context.Context, tenant, app string, r paas.Routing) error
}

// RoutingView is how an app is reached; the password is never told.
type RoutingView struct {
	Domains     []string `json:"domains" doc:"Hosts beside the app's own names; each belongs to one app"`
	HTTPS       bool     `json:"https" doc:"Requests without TLS are led to https://"`
	Maintenance bool     `json:"maintenance" doc:"Visitors get a page that says so"`
	Message     string   `json:"message" doc:"On that page; empty: the usual one"`
	User        string   `json:"user" doc:"Name before the password of a private app; empty: open to all"`
	Rate        float64  `json:"rate" doc:"Requests per second of one client; 0: no bound"`
	Burst       int      `json:"burst" doc:"Requests that one client may send at once; 0: as rate"`
}

// routingChange is what is to change; what is left out stays.
type routingChange struct {
	InApp
	Body struct {
		Domains     *[]string `json:"domains,omitempty"`
		HTTPS       *bool     `json:"https,omitempty"`
		Maintenance *bool     `json:"maintenance,omitempty"`
		Message     *string   `json:"message,omitempty"`
		User        *string   `json:"user,omitempty" doc:"Empty: open to all"`
		Password    *string   `json:"password,omitempty"`
		Rate        *float64  `json:"rate,omitempty"`
		Burst       *int      `json:"burst,omitempty"`
	}
}

func (a *API) routingRoutes() {
	register(a, huma.Operation{OperationID: "get-routing", Method: http.MethodGet, Path: "/apps/{app}/routing", Summary: "Show how an app is reached"},
		paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[RoutingView], error) {
			app, err := a.deps.Store.App(ctx, callOf(ctx).tenant, in.App)
			return reply(routingView(app.Routing)), err
		})
	register(a, huma.Operation{OperationID: "set-routing", Method: http.MethodPut, Path: "/apps/{app}/routing",
		Summary: "Change domains, maintenance, password and rate of an app"}, paas.RoleDeveloper, a.setRouting)
}

func routingView(r paas.Routing) RoutingView {
	return RoutingView{Domains: append([]string{}, r.Domains...), HTTPS: r.HTTPS, Maintenance: r.Maintenance, Message: r.Message, User: r.User, Rate: r.Rate, Burst: r.Burst}
}

func (a *API) setRouting(ctx context.Context, in *routingChange) (*answer[RoutingView], error) {
	tenant := callOf(ctx).tenant
	app, err := a.deps.Store.App(ctx, tenant, in.App)
	if err != nil {
		return nil, err
	}
	r, err := in.apply(app.Routing)
	if err != nil {
		return nil, err
	}
	if err := r.Check(a.deps.Domain); err != nil {
		return nil, err
	}
	return reply(routingView(r)), a.deps.Store.SetRouting(ctx, tenant, in.App, r)
}

func (in *routingChange) apply(r paas.Routing) (paas.Routing, error) {
	take(&r.Domains, in.Body.Domains)
	take(&r.HTTPS, in.Body.HTTPS)
	take(&r.Maintenance, in.Body.Maintenance)
	take(&r.Message, in.Body.Message)
	take(&r.User, in.Body.User)
	take(&r.Rate, in.Body.Rate)
	take(&r.Burst, in.Body.Burst)
	r.Domains = slices.Clone(r.Domains)
	slices.Sort(r.Domains)
	r.Domains = slices.Compact(r.Domains)
	if r.User == "" {
		r.Password = ""
		return r, nil
	}
	if in.Body.Password == nil {
		return r, nil
	}
	hashed, err := paas.HashBasic(*in.Body.Password)
	r.Password = hashed
	return r, err
}

// take changes a value where another is given.
func take[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}
