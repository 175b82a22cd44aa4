package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// CoursePoint is one step of an app's past. What is not known is null.
type CoursePoint struct {
	At       time.Time `json:"at" doc:"Begin of the step"`
	Rate     float64   `json:"rate" doc:"Requests per second"`
	Errors   float64   `json:"errors" doc:"Answers of 500 and above per second"`
	P50      *float64  `json:"p50" doc:"ms, as the next two"`
	P95      *float64  `json:"p95"`
	P99      *float64  `json:"p99"`
	Inflight *float64  `json:"inflight" doc:"Requests in flight, the highest of the step"`
	Queued   *float64  `json:"queued" doc:"Requests that waited, the highest of the step"`
	Replicas *float64  `json:"replicas"`
	CPU      *float64  `json:"cpu" doc:"Of the busiest replica, in percent of its limit; as the next three"`
	Mem      *float64  `json:"mem"`
	Disk     *float64  `json:"disk"`
	Swap     *float64  `json:"swap"`
}

// CourseEvent is what the platform did to an app.
type CourseEvent struct {
	At    time.Time `json:"at"`
	Event string    `json:"event"`
	Msg   string    `json:"msg"`
}

// Course is the past of an app, step by step. Steps of which nothing is known
// are left out.
type Course struct {
	From   time.Time     `json:"from"`
	To     time.Time     `json:"to"`
	Step   float64       `json:"step" doc:"Length of a step in seconds"`
	Points []CoursePoint `json:"points"`
	Events []CourseEvent `json:"events"`
}

// Courser reads the past of apps. It fills Points and Events, both of them
// oldest first.
type Courser interface {
	Course(ctx context.Context, tenant, app string, from, to time.Time, step time.Duration) (Course, error)
}

// Looks into the past read much: so many at a time leave the database to the
// others, and one that takes longer is given up.
const (
	coursesAtOnce = 3
	courseTimeout = 20 * time.Second
)

// courseSteps are the windows that can be asked for, with a step that makes 60
// to 100 points of each. Steps from a minute on come from rollups.
var courseSteps = map[string]struct{ window, step time.Duration }{
	"15m": {15 * time.Minute, 15 * time.Second},
	"1h":  {time.Hour, time.Minute},
	"24h": {24 * time.Hour, 15 * time.Minute},
	"7d":  {7 * 24 * time.Hour, 2 * time.Hour},
}

func (a *API) courseRoutes() {
	turns := make(chan struct{}, coursesAtOnce)
	register(a, huma.Operation{OperationID: "get-course", Method: http.MethodGet, Path: "/apps/{app}/course", Summary: "Show what an app did, step by step"},
		paas.RoleViewer, func(ctx context.Context, in *struct {
			InApp
			Window string `query:"window" default:"1h" enum:"15m,1h,24h,7d"`
		}) (*answer[Course], error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			ctx, cancel := context.WithTimeout(ctx, courseTimeout)
			defer cancel()
			select {
			case turns <- struct{}{}:
				defer func() { <-turns }()
			case <-ctx.Done():
				return nil, fmt.Errorf("the past of app %s: %w", in.App, ctx.Err())
			}
			w := courseSteps[in.Window]
			// Only steps that are over: half a minute's requests would look like a fall.
			to := time.Now().UTC().Truncate(w.step)
			from := to.Add(-w.window)
			view, err := a.deps.Course.Course(ctx, callOf(ctx).tenant, in.App, from, to, w.step)
			view.From, view.To, view.Step = from, to, w.step.Seconds()
			if view.Points == nil {
				view.Points = []CoursePoint{}
			}
			if view.Events == nil {
				view.Events = []CourseEvent{}
			}
			return reply(view), err
		})
}
