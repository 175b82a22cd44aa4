package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Replayer runs the past of an app again, in simulation. It returns
// paas.ErrConflict, wrapped, while another is under way, and *paas.Invalid
// where there is no past to run.
type Replayer interface {
	Replay(ctx context.Context, q WhatIfQuestion) (WhatIf, error)
}

// WhatIfQuestion is an app's past and the policies to run it under.
type WhatIfQuestion struct {
	App       paas.App
	Start     paas.Start
	Limits    paas.Limits
	Policies  []paas.Policy // the first is the one in force
	Length    time.Duration
	Objective float64 // ms
}

// WhatIf is an app's own traffic of the past under other policies, as the
// simulator has it.
type WhatIf struct {
	From      time.Time      `json:"from"`
	To        time.Time      `json:"to"`
	Requests  int64          `json:"requests" doc:"That came in this time"`
	Slots     int            `json:"slots" doc:"Requests that a replica works on at once"`
	WorkMs    float64        `json:"work_ms" doc:"Mean time of a request that waits for nothing"`
	CPUMs     float64        `json:"cpu_ms" doc:"CPU of a request"`
	Objective float64        `json:"objective" doc:"ms; a request that takes longer is late"`
	Says      string         `json:"says"`
	Results   []WhatIfResult `json:"results" doc:"The policy in force first"`
}

// WhatIfResult is how one policy did.
type WhatIfResult struct {
	Policy       paas.Policy   `json:"policy"`
	Late         float64       `json:"late" doc:"Share of requests above the objective, or failed"`
	Errors       float64       `json:"errors" doc:"Share of requests that failed"`
	P95          float64       `json:"p95" doc:"ms"`
	P99          float64       `json:"p99" doc:"ms"`
	ReplicaHours float64       `json:"replica_hours"`
	Most         int           `json:"most" doc:"Largest number of replicas"`
	Changes      int           `json:"changes"`
	Course       []WhatIfPoint `json:"course"`
}

// WhatIfPoint is a stretch of the simulated time.
type WhatIfPoint struct {
	At       time.Time `json:"at"`
	Rate     float64   `json:"rate" doc:"Requests per second, mean"`
	Replicas float64   `json:"replicas" doc:"Ready, mean"`
}

type whatIfRequest struct {
	InApp
	Body struct {
		Policy    policyChange `json:"policy" doc:"What is to be otherwise than now"`
		Hours     float64      `json:"hours,omitempty" minimum:"0.25" maximum:"24" default:"24"`
		Objective float64      `json:"objective,omitempty" minimum:"1" maximum:"600000" doc:"ms; without it the response time that the app's policy aims at"`
	}
}

func (a *API) whatIfRoutes() {
	register(a, huma.Operation{OperationID: "what-if", Method: http.MethodPost, Path: "/apps/{app}/what-if",
		Summary: "Simulate the app's own last day under another policy"}, paas.RoleViewer, a.whatIf)
}

func (a *API) whatIf(ctx context.Context, in *whatIfRequest) (*answer[WhatIf], error) {
	tenant := callOf(ctx).tenant
	app, err := a.deps.Store.App(ctx, tenant, in.App)
	if err != nil {
		return nil, err
	}
	if app.Release == 0 {
		return nil, &paas.Invalid{Reason: fmt.Sprintf("%s has no release yet, so it has no past to run again.", app.Name)}
	}
	release, err := a.deps.Store.Release(ctx, tenant, in.App, app.Release)
	if err != nil {
		return nil, err
	}
	now, err := a.deps.Policies.Policy(ctx, tenant, in.App)
	if err != nil {
		return nil, err
	}
	other := now
	if err := in.Body.Policy.apply(&other); err != nil {
		return nil, err
	}
	if err := other.Check(); err != nil {
		return nil, err
	}
	q := WhatIfQuestion{App: app, Start: release.Start, Limits: release.Limits, Policies: []paas.Policy{now, other},
		Length: time.Duration(in.Body.Hours * float64(time.Hour)), Objective: in.Body.Objective}
	if q.Objective == 0 {
		q.Objective = now.TimeUp
		if now.Name == paas.PolicySwift {
			q.Objective = now.Swift.TimeUp
		}
	}
	answer, err := a.deps.Replayer.Replay(ctx, q)
	return reply(answer), err
}
