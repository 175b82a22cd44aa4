package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

type quotaStore interface {
	Quota(ctx context.Context, tenant string) (quota paas.Quota, own bool, use paas.Quota, err error)
	SetQuota(ctx context.Context, tenant string, q *paas.Quota) error
}

// Logged knows what the apps of a tenant have logged today (UTC).
type Logged interface {
	Logged(tenant string) (bytes, dropped int64, err error)
}

// QuotaView is what a tenant may have and has.
type QuotaView struct {
	Quota paas.Quota `json:"quota" doc:"Bounds; 0: none"`
	Own   bool       `json:"own" doc:"Whether the operator has set it for this tenant alone"`
	Use   paas.Quota `json:"use" doc:"What the tenant's apps ask for now; log_bytes: what they have logged today"`

	LogDropped int64 `json:"log_dropped" doc:"Records of today that were dropped beyond log_bytes"`
}

func (a *API) quotaRoutes() {
	register(a, huma.Operation{OperationID: "get-quota", Method: http.MethodGet, Path: "/quota", Summary: "Show what a tenant may have, and has"},
		paas.RoleViewer, func(ctx context.Context, _ *InTenant) (*answer[QuotaView], error) { return a.quota(ctx) })
	register(a, huma.Operation{OperationID: "set-quota", Method: http.MethodPut, Path: "/quota", Summary: "Give a tenant a quota of its own"},
		paas.RoleOperator, func(ctx context.Context, in *struct {
			InTenant
			Body paas.Quota
		}) (*answer[QuotaView], error) {
			if err := a.deps.Store.SetQuota(ctx, callOf(ctx).tenant, &in.Body); err != nil {
				return nil, err
			}
			if err := a.deps.Engine.Refresh(ctx); err != nil { // its part of the cores
				return nil, err
			}
			return a.quota(ctx)
		})
	register(a, huma.Operation{OperationID: "reset-quota", Method: http.MethodDelete, Path: "/quota", Summary: "Let the default quota apply to a tenant again"},
		paas.RoleOperator, func(ctx context.Context, _ *InTenant) (*nothing, error) {
			return nil, a.deps.Store.SetQuota(ctx, callOf(ctx).tenant, nil)
		})
}

func (a *API) quota(ctx context.Context) (*answer[QuotaView], error) {
	tenant := callOf(ctx).tenant
	quota, own, use, err := a.deps.Store.Quota(ctx, tenant)
	if err != nil {
		return nil, err
	}
	view := QuotaView{Quota: quota, Own: own, Use: use}
	view.Use.LogBytes, view.LogDropped, err = a.deps.Logged.Logged(tenant)
	return reply(view), err
}
