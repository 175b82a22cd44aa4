package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Tenants makes and removes tenants.
type Tenants interface {
	Tenants(ctx context.Context) ([]paas.Tenant, error)
	HasTenant(ctx context.Context, name string) error
	CreateTenant(ctx context.Context, name string) (paas.Tenant, error)
	DeleteTenant(ctx context.Context, name string) error
}

type tenantList struct {
	Tenants []paas.Tenant `json:"tenants"`
}

func (a *API) tenantRoutes() {
	register(a, huma.Operation{OperationID: "list-tenants", Method: http.MethodGet, Path: "/tenants", Summary: "List tenants"},
		paas.RoleOperator, func(ctx context.Context, _ *InTenant) (*answer[tenantList], error) {
			tenants, err := a.deps.Tenants.Tenants(ctx)
			return reply(tenantList{tenants}), err
		})
	register(a, huma.Operation{OperationID: "create-tenant", Method: http.MethodPost, Path: "/tenants", Summary: "Make a tenant",
		DefaultStatus: http.StatusCreated},
		paas.RoleOperator, func(ctx context.Context, in *struct {
			InTenant
			Body struct {
				Name string `json:"name"`
			}
		}) (*answer[paas.Tenant], error) {
			t, err := a.deps.Tenants.CreateTenant(ctx, in.Body.Name)
			return reply(t), err
		})
	register(a, huma.Operation{OperationID: "delete-tenant", Method: http.MethodDelete, Path: "/tenants/{name}", Summary: "Remove a tenant that has no apps"},
		paas.RoleOperator, func(ctx context.Context, in *struct {
			InTenant
			Name string `path:"name"`
		}) (*nothing, error) {
			return nil, a.deps.Tenants.DeleteTenant(ctx, in.Name)
		})
}
