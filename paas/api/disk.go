package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Disk knows what the platform's files take.
type Disk interface {
	Report(ctx context.Context) (paas.DiskReport, error)
	// Collect removes what nobody needs, and returns the bytes that were freed.
	Collect(ctx context.Context) (freed int64, err error)
}

// Collected is what a collection freed.
type Collected struct {
	Freed int64 `json:"freed" doc:"Bytes that the disk has more than before"`
}

func (a *API) diskRoutes() {
	register(a, huma.Operation{OperationID: "get-disk", Method: http.MethodGet, Path: "/disk",
		Summary: "Show what the tenant's files take; operators see all tenants and what they share"},
		paas.RoleViewer, func(ctx context.Context, _ *InTenant) (*answer[paas.DiskReport], error) {
			c := callOf(ctx)
			r, err := a.deps.Disk.Report(ctx)
			if err != nil {
				return nil, err
			}
			if c.Role != paas.RoleOperator || c.r.URL.Query().Get("tenant") != "" {
				r.Tenants = slices.DeleteFunc(r.Tenants, func(u paas.DiskUse) bool { return u.Tenant != c.tenant })
				r.Shared, r.Spare = nil, 0
			}
			if len(r.Tenants) == 0 {
				r.Tenants = []paas.DiskUse{}
			}
			return reply(r), nil
		})
	register(a, huma.Operation{OperationID: "collect-disk", Method: http.MethodPost, Path: "/disk/collect",
		Summary: "Remove what nobody needs: sources beyond those kept for rollback, layers and base images of no kept release"},
		paas.RoleOperator, func(ctx context.Context, _ *InTenant) (*answer[Collected], error) {
			freed, err := a.deps.Disk.Collect(ctx)
			return reply(Collected{freed}), err
		})
}
