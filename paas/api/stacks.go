package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// sampler has the workers of apps sample the stacks of their requests.
type sampler interface {
	// Sample returns how many replicas are sampled, or *paas.Invalid where none serves.
	Sample(ctx context.Context, tenant, app string, s paas.Sampling) (replicas int, err error)
}

// StackFilter chooses samples; empty texts and 0 choose all.
type StackFilter struct {
	Tenant, App   string
	From, To      time.Time
	Method, Route string
	Release       int
}

// StackNode is one frame at one place of the sampled stacks.
type StackNode struct {
	Parent  int     `json:"parent" doc:"Index of an earlier node; -1: none"`
	Frame   int     `json:"frame" doc:"Index of its name in frames"`
	Samples int64   `json:"samples" doc:"That ended in this frame, its callees' left out"`
	Ms      float64 `json:"ms" doc:"Time that these samples stand for"`
}

// SampledRoute is a route of which there are samples.
type SampledRoute struct {
	Method  string  `json:"method"`
	Route   string  `json:"route" doc:"Empty: no rule matched, or none had yet"`
	Samples int64   `json:"samples"`
	Ms      float64 `json:"ms"`
}

// StackView is the sampled stacks of a window, merged into one tree.
type StackView struct {
	Window  string         `json:"window"`
	From    time.Time      `json:"from"`
	To      time.Time      `json:"to"`
	Frames  []string       `json:"frames" doc:"function (file:line)"`
	Nodes   []StackNode    `json:"nodes"`
	Routes  []SampledRoute `json:"routes" doc:"All that were sampled, the most time first"`
	Samples int64          `json:"samples"`
	Ms      float64        `json:"ms"`
	Dropped int64          `json:"dropped" doc:"Samples beyond a bound, of which no stack is kept"`
}

type sampleRequest struct {
	InApp
	Body struct {
		Seconds int     `json:"seconds,omitempty" minimum:"1" maximum:"600" default:"30"`
		Hz      float64 `json:"hz,omitempty" minimum:"1" maximum:"200" default:"50" doc:"Samples a second and thread"`
	}
}

// SamplingView says what has begun.
type SamplingView struct {
	Until    time.Time `json:"until"`
	Replicas int       `json:"replicas"`
	Message  string    `json:"message"`
}

func (a *API) stackRoutes() {
	register(a, huma.Operation{OperationID: "sample-stacks", Method: http.MethodPost, Path: "/apps/{app}/profile/sample", DefaultStatus: http.StatusAccepted,
		Summary: "Have an app's workers sample the stacks of their requests"}, paas.RoleDeveloper, a.sample)
	register(a, huma.Operation{OperationID: "get-stacks", Method: http.MethodGet, Path: "/apps/{app}/profile/stacks",
		Summary: "Show the sampled stacks of a window as a tree, for a flame graph"}, paas.RoleViewer, a.stacks)
}

func (a *API) sample(ctx context.Context, in *sampleRequest) (*answer[SamplingView], error) {
	if err := a.appExists(ctx, in.App); err != nil {
		return nil, err
	}
	lasts := time.Duration(in.Body.Seconds) * time.Second
	s := paas.Sampling{Until: time.Now().Add(lasts).UTC(), Hz: in.Body.Hz}
	replicas, err := a.deps.Deployer.Sample(ctx, callOf(ctx).tenant, in.App, s)
	if err != nil {
		return nil, err
	}
	return reply(SamplingView{Until: s.Until, Replicas: replicas, Message: fmt.Sprintf("The requests of %s are sampled for %s, %g times a second.",
		in.App, count(in.Body.Seconds, "second"), s.Hz)}), nil
}

func (a *API) stacks(ctx context.Context, in *struct {
	InApp
	Window  string `query:"window" default:"1h" doc:"15m, 1h, 24h, or any from 1m to 720h"`
	Method  string `query:"method" maxLength:"20"`
	Route   string `query:"route" maxLength:"1024" doc:"Without it, all"`
	Release int    `query:"release" minimum:"0"`
}) (*answer[StackView], error) {
	if err := a.appExists(ctx, in.App); err != nil {
		return nil, err
	}
	window, err := profileWindow(in.Window)
	if err != nil {
		return nil, err
	}
	to := time.Now().UTC()
	view, err := a.deps.Profile.Stacks(ctx, StackFilter{Tenant: callOf(ctx).tenant, App: in.App, From: to.Add(-window), To: to,
		Method: in.Method, Route: in.Route, Release: in.Release})
	view.Window, view.From, view.To = in.Window, to.Add(-window), to
	if view.Frames == nil {
		view.Frames = []string{}
	}
	return reply(view), err
}
