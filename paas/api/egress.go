package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

type egressStore interface {
	Egress(ctx context.Context, tenant string) (paas.Egress, error)
	SetEgress(ctx context.Context, tenant string, e *paas.Egress) error
}

// Engine holds the walls around the tenants.
type Engine interface {
	// Refresh puts in force what is stored of them.
	Refresh(ctx context.Context) error
	// LookUps returns what the names in a tenant's list stand for at present.
	LookUps(tenant string) []paas.Lookup
	// Egress returns the mode of tenants without a policy of their own.
	Egress() string
}

// EgressView is what a tenant's apps may reach.
type EgressView struct {
	Mode  string        `json:"mode" enum:"open,listed,none"`
	Allow []string      `json:"allow" nullable:"false" doc:"Names, IPv4 addresses or ranges, each with ports after a colon or all of them"`
	Own   bool          `json:"own" doc:"Whether the operator has set it for this tenant alone"`
	Names []paas.Lookup `json:"names" nullable:"false" doc:"What the listed names stand for at present; asked again every 30 s"`
}

func (a *API) egressRoutes() {
	register(a, huma.Operation{OperationID: "get-egress", Method: http.MethodGet, Path: "/egress", Summary: "Show what a tenant's apps may reach"},
		paas.RoleViewer, func(ctx context.Context, _ *InTenant) (*answer[EgressView], error) { return a.egress(ctx) })
	register(a, huma.Operation{OperationID: "set-egress", Method: http.MethodPut, Path: "/egress",
		Summary: "Say what a tenant's apps may reach: the internet, what is listed, or nothing"},
		paas.RoleOperator, func(ctx context.Context, in *struct {
			InTenant
			Body paas.Egress
		}) (*answer[EgressView], error) {
			return a.setEgress(ctx, &in.Body)
		})
	register(a, huma.Operation{OperationID: "reset-egress", Method: http.MethodDelete, Path: "/egress", Summary: "Let the default apply to a tenant again"},
		paas.RoleOperator, func(ctx context.Context, _ *InTenant) (*nothing, error) {
			_, err := a.setEgress(ctx, nil)
			return nil, err
		})
}

// setEgress answers once the packet filter has it.
func (a *API) setEgress(ctx context.Context, e *paas.Egress) (*answer[EgressView], error) {
	if err := a.deps.Store.SetEgress(ctx, callOf(ctx).tenant, e); err != nil {
		return nil, err
	}
	if err := a.deps.Engine.Refresh(ctx); err != nil {
		return nil, err
	}
	return a.egress(ctx)
}

func (a *API) egress(ctx context.Context) (*answer[EgressView], error) {
	tenant := callOf(ctx).tenant
	e, err := a.deps.Store.Egress(ctx, tenant)
	view := EgressView{Mode: e.Mode, Allow: e.Allow, Own: e.Mode != "", Names: a.deps.Engine.LookUps(tenant)}
	if !view.Own {
		view.Mode = a.deps.Engine.Egress()
	}
	return reply(view), err
}
