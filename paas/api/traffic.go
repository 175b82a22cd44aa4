package api

import (
	"context"
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
}

// Traffic is simulated requests to one app.
type Traffic struct {
	Tenant, App string
	Paths       []string // each starts with /; they take turns by chance
	Rate        float64  // requests per second, 1 to 50
	Lasting     time.Duration
}

type trafficRequest struct {
	InApp
	Body struct {
		Rate    float64  `json:"rate,omitempty" minimum:"1" maximum:"50" default:"10" doc:"requests per second"`
		Seconds int      `json:"seconds,omitempty" minimum:"1" maximum:"300" default:"60"`
		Paths   []string `json:"paths,omitempty" maxItems:"20" doc:"such as /search?q=fox; without any, /"`
	}
}

func (a *API) trafficRoutes() {
	register(a, huma.Operation{OperationID: "simulate-traffic", Method: http.MethodPost, Path: "/apps/{app}/traffic",
		Summary: "Send simulated GET requests to an app", DefaultStatus: http.StatusAccepted}, paas.RoleDeveloper, a.simulate)
}

func (a *API) simulate(ctx context.Context, in *trafficRequest) (*answer[message], error) {
	app, err := a.deps.Store.App(ctx, callOf(ctx).tenant, in.App)
	if err != nil {
		return nil, err
	}
	if app.Release == 0 {
		return nil, &paas.Invalid{Reason: fmt.Sprintf("%s has no release that could answer. Deploy it first.", app.Name)}
	}
	t := Traffic{Tenant: app.Tenant, App: app.Name, Paths: in.Body.Paths, Rate: in.Body.Rate, Lasting: time.Duration(in.Body.Seconds) * time.Second}
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
