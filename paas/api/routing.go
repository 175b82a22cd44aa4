package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

type routingStore interface {
	SetRouting(ctx context.Context, tenant, app string, r paas.Routing) error
	Domains(ctx context.Context, tenant, app string) ([]paas.Domain, error)
}

// Domains finds out whose the domains are that apps ask for.
type Domains interface {
	// Check looks at those of an app that are not active, and returns all.
	Check(ctx context.Context, tenant, app string) ([]paas.Domain, error)
	// Record returns what a tenant writes into a zone to show that it is theirs.
	Record(tenant string) string
}

// RoutingView is how an app is reached; the password is never told.
type RoutingView struct {
	Domains     []string      `json:"domains" doc:"Hosts beside the app's own names, and paths below hosts, such as example.org/shop; each belongs to one app"`
	Found       []paas.Domain `json:"found" doc:"What is known of the domains"`
	Record      string        `json:"record" doc:"Text of the DNS record at _kurama.<host> that shows that a host is yours"`
	HTTPS       bool          `json:"https" doc:"Requests without TLS are led to https://"`
	Maintenance bool          `json:"maintenance" doc:"Visitors get a page that says so"`
	Message     string        `json:"message" doc:"On that page; empty: the usual one"`
	User        string        `json:"user" doc:"Name before the password of a private app; empty: open to all"`
	Rate        float64       `json:"rate" doc:"Requests per second of one client; 0: no bound"`
	Burst       int           `json:"burst" doc:"Requests that one client may send at once; 0: as rate"`
	Timeout     float64       `json:"timeout" doc:"Seconds until an answer begins; 0: the platform's"`
	Idle        float64       `json:"idle" doc:"Seconds of silence within an answer or a websocket; 0: no bound"`
	MaxBody     int64         `json:"max_body" doc:"Bytes of a request's body; 0: the platform's"`
	Most        paas.Bounds   `json:"most" doc:"What the operator allows at the most"`
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
		Timeout     *float64  `json:"timeout,omitempty"`
		Idle        *float64  `json:"idle,omitempty"`
		MaxBody     *int64    `json:"max_body,omitempty"`
	}
}

func (a *API) routingRoutes() {
	register(a, huma.Operation{OperationID: "get-routing", Method: http.MethodGet, Path: "/apps/{app}/routing", Summary: "Show how an app is reached"},
		paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[RoutingView], error) {
			return a.routing(ctx, in.App, a.deps.Store.Domains)
		})
	register(a, huma.Operation{OperationID: "set-routing", Method: http.MethodPut, Path: "/apps/{app}/routing",
		Summary: "Change domains, maintenance, password, rate and bounds of an app"}, paas.RoleDeveloper, a.setRouting)
	register(a, huma.Operation{OperationID: "check-domains", Method: http.MethodPost, Path: "/apps/{app}/routing/check",
		Summary: "Look now whether the app's domains are shown to be its tenant's"},
		paas.RoleDeveloper, func(ctx context.Context, in *InApp) (*answer[RoutingView], error) {
			return a.routing(ctx, in.App, a.deps.Domains.Check)
		})
}

// routing returns the view of an app with its domains as find tells them.
func (a *API) routing(ctx context.Context, name string, find func(context.Context, string, string) ([]paas.Domain, error)) (*answer[RoutingView], error) {
	tenant := callOf(ctx).tenant
	app, err := a.deps.Store.App(ctx, tenant, name)
	if err != nil {
		return nil, err
	}
	found, err := find(ctx, tenant, name)
	if err != nil {
		return nil, err
	}
	r := app.Routing
	return reply(RoutingView{Domains: append([]string{}, r.Domains...), Found: append([]paas.Domain{}, found...), Record: a.deps.Domains.Record(tenant),
		HTTPS: r.HTTPS, Maintenance: r.Maintenance, Message: r.Message, User: r.User, Rate: r.Rate, Burst: r.Burst,
		Timeout: r.Timeout, Idle: r.Idle, MaxBody: r.MaxBody, Most: a.deps.Bounds}), nil
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
	if err := r.Check(a.deps.Domain, a.deps.Bounds); err != nil {
		return nil, err
	}
	if err := a.deps.Store.SetRouting(ctx, tenant, in.App, r); err != nil {
		return nil, err
	}
	return a.routing(ctx, in.App, a.deps.Domains.Check)
}

func (in *routingChange) apply(r paas.Routing) (paas.Routing, error) {
	take(&r.Domains, in.Body.Domains)
	take(&r.HTTPS, in.Body.HTTPS)
	take(&r.Maintenance, in.Body.Maintenance)
	take(&r.Message, in.Body.Message)
	take(&r.User, in.Body.User)
	take(&r.Rate, in.Body.Rate)
	take(&r.Burst, in.Body.Burst)
	take(&r.Timeout, in.Body.Timeout)
	take(&r.Idle, in.Body.Idle)
	take(&r.MaxBody, in.Body.MaxBody)
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
