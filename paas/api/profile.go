package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/logship/record"
	"kurama/paas"
)

// RouteProfile is how one route of an app did over a window. Times are
// milliseconds; what is not known is null.
type RouteProfile struct {
	Method   string   `json:"method"`
	Route    string   `json:"route"`
	Requests int64    `json:"requests"`
	Errors   int64    `json:"errors"`
	P50      *float64 `json:"p50"`
	P95      *float64 `json:"p95"`
	P99      *float64 `json:"p99"`
	Mean     *float64 `json:"mean"`
	CPUMs    *float64 `json:"cpu_ms" doc:"CPU per request"`
	DBMs     *float64 `json:"db_ms" doc:"Time in calls of database drivers per request; null where none was made"`
	Bytes    *float64 `json:"bytes" doc:"Of the answer's body, per request"`
	Rate     float64  `json:"rate" doc:"Requests per second"`

	AboveMedian bool     `json:"above_median" doc:"The median of the route is above that of the app"`
	BeforeP50   *float64 `json:"before_p50" doc:"Under the release before; null where it had none"`
	BeforeP95   *float64 `json:"before_p95"`
	BeforeMean  *float64 `json:"before_mean"`
}

// ProfileView is the profile of an app over a window.
type ProfileView struct {
	Window string         `json:"window"`
	From   time.Time      `json:"from"`
	To     time.Time      `json:"to"`
	Routes []RouteProfile `json:"routes"`

	Total    RouteProfile   `json:"total" doc:"All routes together"`
	ByMean   []RouteProfile `json:"slowest_by_mean" doc:"At most ten, the slowest first"`
	ByP95    []RouteProfile `json:"slowest_by_p95" doc:"At most ten, the slowest first"`
	Release  int            `json:"release" doc:"The newest with requests in the window; 0: none"`
	Previous int            `json:"previous_release" doc:"The one before it within a week, that before_… are of; 0: none"`
}

// SlowRequest is one of the slowest requests of an app, with what it logged.
type SlowRequest struct {
	At      time.Time `json:"at" doc:"When it ended"`
	Method  string    `json:"method"`
	Route   string    `json:"route"`
	URL     string    `json:"url"`
	Status  int       `json:"status"`
	Dur     float64   `json:"dur" doc:"ms"`
	Req     string    `json:"req" doc:"Request id"`
	Release int       `json:"release"`
	Logs    []Record  `json:"logs" doc:"Its log records, oldest first, at most twenty; none where the records are gone"`
}

// SlowList is the slowest requests of a window, the slowest first.
type SlowList struct {
	Window   string        `json:"window"`
	Requests []SlowRequest `json:"requests"`
}

// RouteTrend is how one route did from step to step.
type RouteTrend struct {
	Method   string     `json:"method"`
	Route    string     `json:"route"`
	Requests []int64    `json:"requests" doc:"Of each step"`
	Mean     []*float64 `json:"mean" doc:"Response time of each step, ms; null where nobody asked"`
}

// TrendList is how each route did from step to step of a window; the last step
// is not over.
type TrendList struct {
	Window string       `json:"window"`
	From   time.Time    `json:"from"`
	Step   float64      `json:"step" doc:"Seconds"`
	Routes []RouteTrend `json:"routes"`
}

// Profiler reads how the routes of apps did. Profile fills all but Window.
type Profiler interface {
	// Slowest returns requests without their logs.
	Slowest(ctx context.Context, tenant, app string, window time.Duration, limit int) ([]SlowRequest, error)
	Profile(ctx context.Context, tenant, app string, window time.Duration) (ProfileView, error)
	// Trends fills all but Window.
	Trends(ctx context.Context, tenant, app string, window time.Duration) (TrendList, error)
	// Stacks fills all but the window.
	Stacks(ctx context.Context, f StackFilter) (StackView, error)
}

// inWindow asks about the profile of an app.
type inWindow struct {
	InApp
	Window string `query:"window" default:"1h" doc:"15m, 1h, 24h, or any from 1m to 720h"`
}

func (a *API) profileRoutes() {
	a.courseRoutes()
	a.stackRoutes()
	register(a, huma.Operation{OperationID: "get-profile", Method: http.MethodGet, Path: "/apps/{app}/profile", Summary: "Show how each route did"},
		paas.RoleViewer, func(ctx context.Context, in *inWindow) (*answer[ProfileView], error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			window, err := profileWindow(in.Window)
			if err != nil {
				return nil, err
			}
			view, err := a.deps.Profile.Profile(ctx, callOf(ctx).tenant, in.App, window)
			view.Window = in.Window
			for _, list := range []*[]RouteProfile{&view.Routes, &view.ByMean, &view.ByP95} {
				if *list == nil {
					*list = []RouteProfile{}
				}
			}
			return reply(view), err
		})
	register(a, huma.Operation{OperationID: "list-slowest", Method: http.MethodGet, Path: "/apps/{app}/profile/slowest", Summary: "Show the slowest requests with their log lines"},
		paas.RoleViewer, a.slowest)
	register(a, huma.Operation{OperationID: "get-profile-trends", Method: http.MethodGet, Path: "/apps/{app}/profile/trends", Summary: "Show how each route did from step to step"},
		paas.RoleViewer, func(ctx context.Context, in *inWindow) (*answer[TrendList], error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			window, err := profileWindow(in.Window)
			if err != nil {
				return nil, err
			}
			list, err := a.deps.Profile.Trends(ctx, callOf(ctx).tenant, in.App, window)
			list.Window, list.Routes = in.Window, append([]RouteTrend{}, list.Routes...)
			return reply(list), err
		})
}

func profileWindow(text string) (time.Duration, error) {
	window, err := time.ParseDuration(text)
	if err != nil || window < time.Minute || window > 30*24*time.Hour {
		return 0, &paas.Invalid{Reason: fmt.Sprintf("%q is not a window: use 15m, 1h or 24h, or any from 1m to 720h", text)}
	}
	return window, nil
}

const (
	slowRequests = 10
	slowLogs     = 20               // log records of one request
	slowAfter    = 10 * time.Second // a record of a request may be this much later than its end
)

func (a *API) slowest(ctx context.Context, in *inWindow) (*answer[SlowList], error) {
	if err := a.appExists(ctx, in.App); err != nil {
		return nil, err
	}
	window, err := profileWindow(in.Window)
	if err != nil {
		return nil, err
	}
	list, err := a.deps.Profile.Slowest(ctx, callOf(ctx).tenant, in.App, window, slowRequests)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Logs, err = a.logsOf(ctx, in.App, &list[i]); err != nil {
			return nil, err
		}
	}
	if list == nil {
		list = []SlowRequest{}
	}
	return reply(SlowList{Window: in.Window, Requests: list}), nil
}

// logsOf returns the log records of a request, oldest first.
func (a *API) logsOf(ctx context.Context, app string, r *SlowRequest) ([]Record, error) {
	logs := []Record{}
	if r.Req == "" {
		return logs, nil
	}
	records, _, err := a.deps.Logs.Logs(ctx, LogFilter{Tenant: callOf(ctx).tenant, App: app, Req: r.Req, Kinds: []record.Kind{record.KindLog}, Limit: slowLogs,
		From: r.At.Add(-time.Duration(r.Dur*float64(time.Millisecond)) - time.Second), To: r.At.Add(slowAfter)})
	for i := len(records) - 1; i >= 0; i-- {
		logs = append(logs, Record{records[i]})
	}
	return logs, err
}
