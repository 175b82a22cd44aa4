package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// LoadTester sends simulated requests to apps.
type LoadTester interface {
	// Begin sends what a plan says in the background. It returns
	// paas.ErrConflict, wrapped, while one of the tenant is under way or the
	// platform has enough, and *paas.Invalid for a plan that cannot be.
	Begin(ctx context.Context, p LoadPlan) (paas.LoadTest, error)
	// Live returns a load test that is under way; false where it is not.
	Live(id int64) (paas.LoadTest, bool)
	// Stop ends one that is under way; false where it is not.
	Stop(id int64) bool
}

// ReportWriter makes files of the simulator's reports.
type ReportWriter interface {
	// Write returns a report as html, json, csv or txt.
	Write(report json.RawMessage, format string) ([]byte, error)
}

// LoadPlan is what a load test is to send to an app: as its scenario says, or as
// the other fields do.
type LoadPlan struct {
	Tenant, App, By string
	Scenario        string // YAML; docs/reqsim.md has the form
	Paths           []string
	Rate            float64 // requests per second
	Lasting         time.Duration
	Shape           string
	Peak            float64  // requests per second, of the shapes that have one
	Ensure          []string // conditions that the report tells of
	HTTPS           bool     // the app leads visitors without TLS elsewhere
	Private         bool     // it asks visitors for a name and a password
}

// loadTestStore keeps load tests.
type loadTestStore interface {
	LoadTests(ctx context.Context, tenant, app string) ([]paas.LoadTest, error)
	LoadTest(ctx context.Context, tenant, app string, id int64) (paas.LoadTest, error)
}

type loadTestList struct {
	LoadTests []paas.LoadTest `json:"load_tests"`
}

type loadTestRequest struct {
	InApp
	Body struct {
		Scenario string   `json:"scenario,omitempty" maxLength:"65536" doc:"A scenario of the simulator in YAML, in place of what follows; it goes to this app and reads no files"`
		Rate     float64  `json:"rate,omitempty" minimum:"0.1" default:"10" doc:"requests per second"`
		Seconds  int      `json:"seconds,omitempty" minimum:"1" default:"60"`
		Paths    []string `json:"paths,omitempty" maxItems:"20" doc:"such as /search?q=fox; without any, /"`
		Shape    string   `json:"shape,omitempty" enum:"constant,ramp,spike,sine,poisson" default:"constant"`
		Peak     float64  `json:"peak,omitempty" minimum:"0" doc:"requests per second at the top of ramp, spike and sine"`
		Ensure   []string `json:"ensure,omitempty" maxItems:"10" doc:"conditions such as p95 < 75ms"`
	}
}

type oneLoadTest struct {
	InApp
	ID int64 `path:"id" minimum:"1"`
}

type loadTestReport struct {
	InApp
	ID     int64  `path:"id" minimum:"1"`
	Format string `query:"format" enum:"html,json,csv,txt" default:"html"`
}

func (a *API) loadTestRoutes() {
	register(a, huma.Operation{OperationID: "begin-load-test", Method: http.MethodPost, Path: "/apps/{app}/loadtests",
		Summary: "Send simulated requests to an app", DefaultStatus: http.StatusAccepted}, paas.RoleDeveloper, a.beginLoadTest)
	register(a, huma.Operation{OperationID: "list-load-tests", Method: http.MethodGet, Path: "/apps/{app}/loadtests",
		Summary: "List the last load tests of an app"}, paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[loadTestList], error) {
		if err := a.appExists(ctx, in.App); err != nil {
			return nil, err
		}
		list, err := a.deps.Store.LoadTests(ctx, callOf(ctx).tenant, in.App)
		for i, t := range list {
			if live, ok := a.deps.LoadTester.Live(t.ID); ok {
				live.Series = nil
				list[i] = live
			}
			list[i].Scenario = ""
		}
		return reply(loadTestList{list}), err
	})
	register(a, huma.Operation{OperationID: "get-load-test", Method: http.MethodGet, Path: "/apps/{app}/loadtests/{id}",
		Summary: "Show a load test: how far it is, or its report"}, paas.RoleViewer, func(ctx context.Context, in *oneLoadTest) (*answer[paas.LoadTest], error) {
		t, err := a.loadTest(ctx, in)
		return reply(t), err
	})
	register(a, huma.Operation{OperationID: "stop-load-test", Method: http.MethodDelete, Path: "/apps/{app}/loadtests/{id}", Summary: "End a load test that is under way"},
		paas.RoleDeveloper, func(ctx context.Context, in *oneLoadTest) (*nothing, error) {
			t, err := a.loadTest(ctx, in)
			if err == nil && !a.deps.LoadTester.Stop(t.ID) {
				err = fmt.Errorf("load test %d, which is over: %w", t.ID, paas.ErrConflict)
			}
			return nil, err
		})
	register(a, huma.Operation{OperationID: "download-load-test", Method: http.MethodGet, Path: "/apps/{app}/loadtests/{id}/report",
		Summary: "Download the report of a load test", Responses: map[string]*huma.Response{"200": {Description: "The report"}}}, paas.RoleViewer, a.downloadLoadTest)
}

// loadTest returns one of the app's load tests as it is now.
func (a *API) loadTest(ctx context.Context, in *oneLoadTest) (paas.LoadTest, error) {
	t, err := a.deps.Store.LoadTest(ctx, callOf(ctx).tenant, in.App, in.ID)
	if live, ok := a.deps.LoadTester.Live(t.ID); err == nil && ok {
		t = live
	}
	return t, err
}

func (a *API) beginLoadTest(ctx context.Context, in *loadTestRequest) (*answer[paas.LoadTest], error) {
	app, err := a.deps.Store.App(ctx, callOf(ctx).tenant, in.App)
	if err != nil {
		return nil, err
	}
	if app.Release == 0 {
		return nil, &paas.Invalid{Reason: fmt.Sprintf("%s has no release that could answer. Deploy it first.", app.Name)}
	}
	p := LoadPlan{Tenant: app.Tenant, App: app.Name, By: callOf(ctx).User, Scenario: in.Body.Scenario, Paths: in.Body.Paths, Rate: in.Body.Rate,
		Lasting: time.Duration(in.Body.Seconds) * time.Second, Shape: in.Body.Shape, Peak: in.Body.Peak, Ensure: in.Body.Ensure,
		HTTPS: app.Routing.HTTPS, Private: app.Routing.User != ""}
	if len(p.Paths) == 0 {
		p.Paths = []string{"/"}
	}
	for _, path := range p.Paths {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \t\r\n#") {
			return nil, &paas.Invalid{Reason: fmt.Sprintf("%q is not a path to ask for: it starts with / and holds no blank.", path)}
		}
	}
	begun, err := a.deps.LoadTester.Begin(ctx, p)
	return reply(begun), err
}

// reportTypes are the media types of the files of a report.
var reportTypes = map[string]string{"html": "text/html; charset=utf-8", "json": "application/json", "csv": "text/csv; charset=utf-8", "txt": "text/plain; charset=utf-8"}

func (a *API) downloadLoadTest(ctx context.Context, in *loadTestReport) (*huma.StreamResponse, error) {
	t, err := a.deps.Store.LoadTest(ctx, callOf(ctx).tenant, in.App, in.ID)
	if err != nil {
		return nil, err
	}
	if t.Report == nil {
		return nil, &paas.Invalid{Reason: fmt.Sprintf("Load test %d has no report: it is under way, or was cut off by a restart of the platform.", t.ID)}
	}
	content, err := a.deps.Reports.Write(t.Report, in.Format)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", reportTypes[in.Format])
		hc.SetHeader("Content-Length", strconv.Itoa(len(content)))
		// A page that was made from an app's answers is none of the console's: it is saved, not shown here.
		hc.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-load-test-%d.%s"`, in.App, t.ID, in.Format))
		_, _ = hc.BodyWriter().Write(content) // a caller who has left needs no answer
	}}, nil
}
