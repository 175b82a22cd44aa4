package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Policies keeps how apps are scaled, and what the autoscaler decided.
type Policies interface {
	// Policy returns an app's own policy, or the default.
	Policy(ctx context.Context, tenant, app string) (paas.Policy, error)
	// Scale sets the replicas wanted and, unless it is nil, the policy at once.
	Scale(ctx context.Context, tenant, app string, replicas int, p *paas.Policy) error
	Decisions(ctx context.Context, tenant, app string, limit int) ([]paas.Decision, error)
}

// policyChange holds what is to change; what is left out stays. The numbers of
// kurama stand alone, those of the others below the policy's name.
type policyChange struct {
	Name        *string            `json:"name,omitempty" doc:"One of those that /policies lists"`
	Min         *int               `json:"min,omitempty"`
	Max         *int               `json:"max,omitempty"`
	Concurrency *float64           `json:"concurrency,omitempty" doc:"requests that one replica works on at once; 0: as its start command says"`
	Schedule    *string            `json:"schedule,omitempty" doc:"smallest numbers at set times in UTC: Mon-Fri 08:00-18:00 3; Sat 10:00-14:00 2"`
	LoadWindow  *float64           `json:"load_window,omitempty" doc:"s"`
	LoadUp      *float64           `json:"load_up,omitempty" doc:"percent"`
	LoadDown    *float64           `json:"load_down,omitempty" doc:"percent"`
	TimeWindow  *float64           `json:"time_window,omitempty" doc:"s"`
	TimeUp      *float64           `json:"time_up,omitempty" doc:"ms"`
	Cooldown    *float64           `json:"cooldown,omitempty" doc:"s"`
	Step        map[string]float64 `json:"step,omitempty"`
	Target      map[string]float64 `json:"target,omitempty"`
	HPA         map[string]float64 `json:"hpa,omitempty"`
	Swift       map[string]float64 `json:"swift,omitempty"`
}

type policyList struct {
	Policies []policyView `json:"policies"`
}

type policyView struct {
	paas.PolicyInfo
	Numbers []paas.Number `json:"numbers"`
}

type decisionList struct {
	Decisions []paas.Decision `json:"decisions"`
}

func (a *API) scalingRoutes() {
	register(a, huma.Operation{OperationID: "list-policies", Method: http.MethodGet, Path: "/policies", Summary: "List the autoscaling policies with their numbers"},
		paas.RoleViewer, listPolicies)
	register(a, huma.Operation{OperationID: "get-scaling", Method: http.MethodGet, Path: "/apps/{app}/scaling", Summary: "Show the autoscaling policy"},
		paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[paas.Policy], error) {
			p, err := a.deps.Policies.Policy(ctx, callOf(ctx).tenant, in.App)
			return reply(p), err
		})
	register(a, huma.Operation{OperationID: "set-scaling", Method: http.MethodPut, Path: "/apps/{app}/scaling",
		Summary: "Change the autoscaling policy; what is left out stays"}, paas.RoleDeveloper, a.setScaling)
	register(a, huma.Operation{OperationID: "list-decisions", Method: http.MethodGet, Path: "/apps/{app}/decisions", Summary: "List scale decisions, newest first"},
		paas.RoleViewer, func(ctx context.Context, in *struct {
			InApp
			Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		}) (*answer[decisionList], error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			decisions, err := a.deps.Policies.Decisions(ctx, callOf(ctx).tenant, in.App, in.Limit)
			return reply(decisionList{decisions}), err
		})
}

// listPolicies tells which policies there are; it is the same for everybody.
func listPolicies(context.Context, *InTenant) (*answer[policyList], error) {
	var list policyList
	for _, info := range paas.Policies() {
		list.Policies = append(list.Policies, policyView{info, append([]paas.Number{}, paas.Numbers(info.Name)...)})
	}
	return reply(list), nil
}

// setScaling changes the policy, and brings the replicas wanted within its new
// bounds. An app that was stopped stays stopped.
func (a *API) setScaling(ctx context.Context, in *struct {
	InApp
	Body policyChange
}) (*answer[paas.Policy], error) {
	tenant := callOf(ctx).tenant
	app, err := a.deps.Store.App(ctx, tenant, in.App)
	if err != nil {
		return nil, err
	}
	p, err := a.deps.Policies.Policy(ctx, tenant, in.App)
	if err != nil {
		return nil, err
	}
	if err := in.Body.apply(&p); err != nil {
		return nil, err
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	desired := app.Desired
	if app.Asleep && !p.Sleeps() {
		desired = 1
	}
	if p.Name != paas.PolicyOff && desired > 0 {
		desired = p.Bound(desired, time.Now())
	}
	return reply(p), a.deps.Policies.Scale(ctx, tenant, in.App, desired, &p)
}

func (c policyChange) apply(p *paas.Policy) error {
	set(&p.Name, c.Name)
	set(&p.Min, c.Min)
	set(&p.Max, c.Max)
	set(&p.Concurrency, c.Concurrency)
	set(&p.Schedule, c.Schedule)
	set(&p.LoadWindow, c.LoadWindow)
	set(&p.LoadUp, c.LoadUp)
	set(&p.LoadDown, c.LoadDown)
	set(&p.TimeWindow, c.TimeWindow)
	set(&p.TimeUp, c.TimeUp)
	set(&p.Cooldown, c.Cooldown)
	for policy, numbers := range map[string]map[string]float64{paas.PolicyStep: c.Step, paas.PolicyTarget: c.Target,
		paas.PolicyHPA: c.HPA, paas.PolicySwift: c.Swift} {
		for name, v := range numbers {
			if err := p.Set(policy+"."+name, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}
