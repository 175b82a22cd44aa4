package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kurama/internal/config"
	"kurama/paas"
)

const policyOff = "off"

type policyStore interface {
	Policy(ctx context.Context, tenant, app string) (paas.Policy, error)
	// Scale sets the replicas wanted and, unless it is nil, the policy at once.
	Scale(ctx context.Context, tenant, app string, replicas int, p *paas.Policy) error
	Decisions(ctx context.Context, tenant, app string, limit int) ([]paas.Decision, error)
}

// policyChange holds what is to change; what is left out stays.
type policyChange struct {
	Name       *string  `json:"name,omitempty" doc:"kurama, or off"`
	Min        *int     `json:"min,omitempty"`
	Max        *int     `json:"max,omitempty"`
	LoadWindow *float64 `json:"load_window,omitempty" doc:"s"`
	LoadUp     *float64 `json:"load_up,omitempty" doc:"percent"`
	LoadDown   *float64 `json:"load_down,omitempty" doc:"percent"`
	TimeWindow *float64 `json:"time_window,omitempty" doc:"s"`
	TimeUp     *float64 `json:"time_up,omitempty" doc:"ms"`
	Cooldown   *float64 `json:"cooldown,omitempty" doc:"s"`
}

type decisionList struct {
	Decisions []paas.Decision `json:"decisions"`
}

func (a *API) scalingRoutes() {
	register(a, huma.Operation{OperationID: "get-scaling", Method: http.MethodGet, Path: "/apps/{app}/scaling", Summary: "Show the autoscaling policy"},
		paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[paas.Policy], error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			p, err := a.policy(ctx, callOf(ctx).tenant, in.App)
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
			decisions, err := a.deps.Store.Decisions(ctx, callOf(ctx).tenant, in.App, in.Limit)
			return reply(decisionList{decisions}), err
		})
}

// policy returns an app's own policy, or the default.
func (a *API) policy(ctx context.Context, tenant, app string) (paas.Policy, error) {
	p, err := a.deps.Store.Policy(ctx, tenant, app)
	if isNotFound(err) {
		return defaultPolicy(a.deps.Defaults), nil
	}
	return p, err
}

func defaultPolicy(c config.Autoscaler) paas.Policy {
	return paas.Policy{Name: c.Policy, Min: c.Min, Max: c.Max, LoadWindow: c.LoadWindow.Seconds(), LoadUp: c.LoadUp,
		LoadDown: c.LoadDown, TimeWindow: c.TimeWindow.Seconds(), TimeUp: c.TimeUp.Seconds() * 1000, Cooldown: c.Cooldown.Seconds()}
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
	p, err := a.policy(ctx, tenant, in.App)
	if err != nil {
		return nil, err
	}
	in.Body.apply(&p)
	if err := checkPolicy(p); err != nil {
		return nil, err
	}
	desired := app.Desired
	if p.Name != policyOff && desired > 0 {
		desired = min(max(desired, p.Min), p.Max)
	}
	return reply(p), a.deps.Store.Scale(ctx, tenant, in.App, desired, &p)
}

func (c policyChange) apply(p *paas.Policy) {
	set(&p.Name, c.Name)
	set(&p.Min, c.Min)
	set(&p.Max, c.Max)
	set(&p.LoadWindow, c.LoadWindow)
	set(&p.LoadUp, c.LoadUp)
	set(&p.LoadDown, c.LoadDown)
	set(&p.TimeWindow, c.TimeWindow)
	set(&p.TimeUp, c.TimeUp)
	set(&p.Cooldown, c.Cooldown)
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// checkPolicy returns *paas.Invalid with the first bound that p breaks.
func checkPolicy(p paas.Policy) error {
	for _, rule := range []struct {
		holds bool
		says  string
	}{
		{p.Name == "kurama" || p.Name == policyOff, fmt.Sprintf("%q is not a policy: use kurama or off", p.Name)},
		{p.Min >= 0 && p.Min <= p.Max, fmt.Sprintf("min is %d and max is %d: min must be 0 or more, and not above max", p.Min, p.Max)},
		{p.Max >= 1 && p.Max <= maxReplicas, fmt.Sprintf("max is %d: use 1 to %d replicas", p.Max, maxReplicas)},
		{p.LoadDown >= 0 && p.LoadDown < p.LoadUp, fmt.Sprintf("load_down is %g %% and load_up is %g %%: the first must be lower, or replicas would come and go", p.LoadDown, p.LoadUp)},
		{p.LoadUp <= 1000, fmt.Sprintf("load_up is %g %%: use at most 1000", p.LoadUp)},
		{p.TimeUp > 0, fmt.Sprintf("time_up is %g ms: use more than 0", p.TimeUp)},
		{p.LoadWindow >= 10 && p.LoadWindow <= 86400, fmt.Sprintf("load_window is %g s: use 10 to 86400", p.LoadWindow)},
		{p.TimeWindow >= 10 && p.TimeWindow <= 86400, fmt.Sprintf("time_window is %g s: use 10 to 86400", p.TimeWindow)},
		{p.Cooldown >= 0 && p.Cooldown <= 86400, fmt.Sprintf("cooldown is %g s: use 0 to 86400", p.Cooldown)},
	} {
		if !rule.holds {
			return &paas.Invalid{Reason: rule.says}
		}
	}
	return nil
}
