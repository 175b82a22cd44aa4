package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Simulator sends simulated requests to apps.
type Simulator interface {
	// Simulate sends t in the background. It returns paas.ErrConflict, wrapped,
	// while an earlier one of the app is under way or the platform has enough.
	Simulate(t Traffic) error
	// Runs returns the last runs against an app, newest first.
	Runs(tenant, app string) []TrafficRun
	// StopRun ends the run under way against an app; false where there is none.
	StopRun(tenant, app string) bool
}

// Traffic is simulated requests to one app.
type Traffic struct {
	Tenant, App string
	Paths       []string // each starts with /; they take turns by chance
	Rate        float64  // requests per second, 1 to 50
	Lasting     time.Duration
	Shape       string
	Peak        float64  // requests per second, of the shapes that have one
	Ensure      []string // conditions that the report tells of
}

// TrafficRun is a run of simulated requests against an app.
type TrafficRun struct {
	Began    time.Time       `json:"began"`
	Ends     time.Time       `json:"ends" doc:"As planned"`
	State    string          `json:"state" enum:"running,done,stopped"`
	Shape    string          `json:"shape"`
	Answered int             `json:"answered"`
	Failed   int             `json:"failed"`
	Rate     float64         `json:"rate" doc:"Requests per second, lately; in the end over the run"`
	P50      float64         `json:"p50" doc:"ms"`
	P95      float64         `json:"p95" doc:"ms"`
	P99      float64         `json:"p99" doc:"ms"`
	Holds    *bool           `json:"holds" doc:"Whether all conditions hold; null while it runs, or without any"`
	Report   json.RawMessage `json:"report,omitempty" doc:"The simulator's report once the run is over"`
}

type trafficRuns struct {
	Runs []TrafficRun `json:"runs"`
}

type trafficRequest struct {
	InApp
	Body struct {
		Rate    float64  `json:"rate,omitempty" minimum:"1" maximum:"50" default:"10" doc:"requests per second"`
		Seconds int      `json:"seconds,omitempty" minimum:"1" maximum:"300" default:"60"`
		Paths   []string `json:"paths,omitempty" maxItems:"20" doc:"such as /search?q=fox; without any, /"`
		Shape   string   `json:"shape,omitempty" enum:"constant,ramp,spike,sine,poisson" default:"constant"`
		Peak    float64  `json:"peak,omitempty" minimum:"1" maximum:"200" doc:"requests per second at the top of ramp, spike and sine"`
		Ensure  []string `json:"ensure,omitempty" maxItems:"10" doc:"conditions such as p95 < 75ms"`
	}
}

func (a *API) trafficRoutes() {
	register(a, huma.Operation{OperationID: "simulate-traffic", Method: http.MethodPost, Path: "/apps/{app}/traffic",
		Summary: "Send simulated GET requests to an app", DefaultStatus: http.StatusAccepted}, paas.RoleDeveloper, a.simulate)
	register(a, huma.Operation{OperationID: "list-traffic", Method: http.MethodGet, Path: "/apps/{app}/traffic",
		Summary: "List the last runs of simulated requests with their reports"}, paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[trafficRuns], error) {
		if err := a.appExists(ctx, in.App); err != nil {
			return nil, err
		}
		return reply(trafficRuns{append([]TrafficRun{}, a.deps.Simulator.Runs(callOf(ctx).tenant, in.App)...)}), nil
	})
	register(a, huma.Operation{OperationID: "stop-traffic", Method: http.MethodDelete, Path: "/apps/{app}/traffic", Summary: "End the simulated requests that are under way"},
		paas.RoleDeveloper, func(ctx context.Context, in *InApp) (*nothing, error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			if !a.deps.Simulator.StopRun(callOf(ctx).tenant, in.App) {
				return nil, fmt.Errorf("simulated requests to %s: %w", in.App, paas.ErrNotFound)
			}
			return nil, nil
		})
}

func (a *API) simulate(ctx context.Context, in *trafficRequest) (*answer[message], error) {
	app, err := a.deps.Store.App(ctx, callOf(ctx).tenant, in.App)
	if err != nil {
		return nil, err
	}
	if app.Release == 0 {
		return nil, &paas.Invalid{Reason: fmt.Sprintf("%s has no release that could answer. Deploy it first.", app.Name)}
	}
	t := Traffic{Tenant: app.Tenant, App: app.Name, Paths: in.Body.Paths, Rate: in.Body.Rate, Lasting: time.Duration(in.Body.Seconds) * time.Second,
		Shape: in.Body.Shape, Peak: in.Body.Peak, Ensure: in.Body.Ensure}
	if len(t.Paths) == 0 {
		t.Paths = []string{"/"}
	}
	for _, path := range t.Paths {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \t\r\n#") {
			return nil, &paas.Invalid{Reason: fmt.Sprintf("%q is not a path to ask for: it starts with / and holds no blank.", path)}
		}
	}
	if err := a.deps.Simulator.Simulate(t); err != nil {
		return nil, err
	}
	return reply(message{fmt.Sprintf("%s is sent %g requests a second for %s.", app.Name, t.Rate, count(in.Body.Seconds, "second"))}), nil
}
