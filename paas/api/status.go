package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// RoleStatus is how one role of the platform does.
type RoleStatus struct {
	Name   string `json:"name"`
	Ready  bool   `json:"ready"`
	Detail string `json:"detail"`
	// What it has done since it started; null where it does no such thing.
	Records *float64 `json:"records" doc:"Records (of the router: requests) that it took in since it started"`
	Lag     *float64 `json:"lag" doc:"Batches of records that wait for it: on the stream, or of logship in its spool"`
	Errors  *float64 `json:"errors" doc:"Attempts that failed since it started; those of the services are tried again"`
}

// HostFigures are percents of the host; null where unknown.
type HostFigures struct {
	CPU  *float64 `json:"cpu"`
	Mem  *float64 `json:"mem"`
	Disk *float64 `json:"disk"`
	Swap *float64 `json:"swap"`
}

// PlatformStatus is how the platform does.
type PlatformStatus struct {
	Roles []RoleStatus `json:"roles"`
	Host  HostFigures  `json:"host"`
}

// HostState is a host as its agent told of it last.
type HostState struct {
	Name string    `json:"name"`
	At   time.Time `json:"at" doc:"Begin of the ten seconds that the figures are the means of"`
	HostFigures
}

// PlatformCapacity is what there is and what is asked for.
type PlatformCapacity struct {
	Cores   int          `json:"cores" doc:"Of the host of this console"`
	Memory  int64        `json:"memory" doc:"Of the host of this console, bytes"`
	Tenants []paas.Asked `json:"tenants" doc:"What the desired replicas of each tenant ask for, the most CPU first"`
	Hosts   []HostState  `json:"hosts" doc:"That told of themselves within five minutes"`
}

// Statuser knows how the platform does.
type Statuser interface {
	Status(ctx context.Context) (PlatformStatus, error)
	Capacity(ctx context.Context) (PlatformCapacity, error)
	// Metrics returns a role's figures in Prometheus' text form. Errors:
	// paas.ErrNotFound for what is no role; others where it does not answer.
	Metrics(ctx context.Context, role string) (io.ReadCloser, error)
}

func (a *API) statusRoutes() {
	register(a, huma.Operation{OperationID: "get-status", Method: http.MethodGet, Path: "/status", Summary: "Show how the platform does"},
		paas.RoleOperator, func(ctx context.Context, _ *InTenant) (*answer[PlatformStatus], error) {
			s, err := a.deps.Status.Status(ctx)
			if s.Roles == nil {
				s.Roles = []RoleStatus{}
			}
			return reply(s), err
		})
	register(a, huma.Operation{OperationID: "get-capacity", Method: http.MethodGet, Path: "/capacity", Summary: "Show the hosts, and what the apps of all tenants ask for"},
		paas.RoleOperator, func(ctx context.Context, _ *InTenant) (*answer[PlatformCapacity], error) {
			c, err := a.deps.Status.Capacity(ctx)
			c.Tenants, c.Hosts = append([]paas.Asked{}, c.Tenants...), append([]HostState{}, c.Hosts...)
			return reply(c), err
		})
	text := map[string]*huma.Response{"200": {Description: "Figures in Prometheus' text form", Content: map[string]*huma.MediaType{
		"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	register(a, huma.Operation{OperationID: "get-metrics", Method: http.MethodGet, Path: "/metrics/{role}",
		Summary: "Show the figures of a role: most roles have no port that Prometheus could reach", Responses: text},
		paas.RoleOperator, func(ctx context.Context, in *struct {
			InTenant
			Role string `path:"role" maxLength:"40"`
		}) (*huma.StreamResponse, error) {
			page, err := a.deps.Status.Metrics(ctx, in.Role)
			if err != nil {
				return nil, err
			}
			w := callOf(ctx).w
			return &huma.StreamResponse{Body: func(huma.Context) {
				defer func() { _ = page.Close() }()
				w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
				_, _ = io.Copy(w, page) // a part is no valid page: it has no end of line
			}}, nil
		})
}
