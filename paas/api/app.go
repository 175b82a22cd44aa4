package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

type appStore interface {
	App(ctx context.Context, tenant, app string) (paas.App, error)
	Apps(ctx context.Context, tenant string) ([]paas.App, error)
	CreateApp(ctx context.Context, tenant, name string) (paas.App, error)
	DeleteApp(ctx context.Context, tenant, app string) error
}

type appList interface {
	LastReleases(ctx context.Context, tenant string) (map[string]paas.Release, error)
	RequestRestart(ctx context.Context, tenant, app string) error
}

type replicaLister interface {
	Replicas(tenant, app string) []paas.Replica
}

// AppView is an app as its people see it.
type AppView struct {
	paas.App
	Address     string         `json:"address" doc:"Where it answers"`
	Replicas    []paas.Replica `json:"replicas"`
	Ready       int            `json:"ready" doc:"Replicas that are healthy, without those of a canary"`
	Trying      int            `json:"trying" doc:"Replicas of the canary that are healthy"`
	LastRelease *paas.Release  `json:"last_release" doc:"The newest, live or not; null before the first"`
}

type appViews struct {
	Apps []AppView `json:"apps"`
}

type scaleRequest struct {
	InApp
	Body struct {
		Replicas int `json:"replicas"`
	}
}

type message struct {
	Message string `json:"message"`
}

func (a *API) appRoutes() {
	register(a, huma.Operation{OperationID: "list-apps", Method: http.MethodGet, Path: "/apps", Summary: "List apps"},
		paas.RoleViewer, a.listApps)
	register(a, huma.Operation{OperationID: "get-app", Method: http.MethodGet, Path: "/apps/{app}", Summary: "Show an app"},
		paas.RoleViewer, a.getApp)
	register(a, huma.Operation{OperationID: "delete-app", Method: http.MethodDelete, Path: "/apps/{app}", Summary: "Delete an app with its releases"},
		paas.RoleDeveloper, func(ctx context.Context, in *InApp) (*nothing, error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			// A caller who hangs up must not leave half an app behind.
			return nil, a.deps.Deployer.Delete(context.WithoutCancel(ctx), callOf(ctx).tenant, in.App)
		})
	register(a, huma.Operation{OperationID: "restart-app", Method: http.MethodPost, Path: "/apps/{app}/restart",
		Summary: "Replace all replicas, one after the other", DefaultStatus: http.StatusAccepted},
		paas.RoleDeveloper, func(ctx context.Context, in *InApp) (*answer[message], error) {
			err := a.deps.Store.RequestRestart(ctx, callOf(ctx).tenant, in.App)
			return reply(message{in.App + " restarts, one replica after the other."}), err
		})
	register(a, huma.Operation{OperationID: "scale-app", Method: http.MethodPut, Path: "/apps/{app}/scale",
		Summary: "Set the number of replicas", DefaultStatus: http.StatusAccepted}, paas.RoleDeveloper, a.scale)
}

func (a *API) listApps(ctx context.Context, _ *InTenant) (*answer[appViews], error) {
	tenant := callOf(ctx).tenant
	apps, err := a.deps.Store.Apps(ctx, tenant)
	if err != nil {
		return nil, err
	}
	last, err := a.deps.Store.LastReleases(ctx, tenant)
	if err != nil {
		return nil, err
	}
	views := make([]AppView, len(apps))
	for i, app := range apps {
		views[i] = a.view(app)
		if r, ok := last[app.Name]; ok {
			views[i].LastRelease = &r
		}
	}
	return reply(appViews{views}), nil
}

func (a *API) getApp(ctx context.Context, in *InApp) (*answer[AppView], error) {
	app, err := a.deps.Store.App(ctx, callOf(ctx).tenant, in.App)
	if err != nil {
		return nil, err
	}
	view := a.view(app)
	last, err := a.deps.Store.Releases(ctx, app.Tenant, app.Name, 1)
	if len(last) == 1 {
		view.LastRelease = &last[0]
	}
	return reply(view), err
}

func (a *API) view(app paas.App) AppView {
	v := AppView{App: app, Address: a.address(app.Tenant, app.Name), Replicas: []paas.Replica{}}
	for _, r := range a.deps.Deployer.Replicas(app.Tenant, app.Name) {
		v.Replicas = append(v.Replicas, r)
		switch {
		case r.State != paas.ReplicaHealthy:
		case app.Canary.Release > 0 && r.Release == app.Canary.Release:
			v.Trying++
		default:
			v.Ready++
		}
	}
	return v
}

// scale sets the number of replicas. Where the autoscaler is on, its lower
// bound moves along: it would undo the change within a minute otherwise.
func (a *API) scale(ctx context.Context, in *scaleRequest) (*answer[message], error) {
	tenant, replicas := callOf(ctx).tenant, in.Body.Replicas
	if err := paas.CheckReplicas(replicas); err != nil {
		return nil, err
	}
	policy, err := a.deps.Policies.Policy(ctx, tenant, in.App)
	if err != nil {
		return nil, err
	}
	said := fmt.Sprintf("%s goes to %s.", in.App, count(replicas, "replica"))
	if policy.Name == paas.PolicyOff || policy.Min == replicas {
		return reply(message{said}), a.deps.Policies.Scale(ctx, tenant, in.App, replicas, nil)
	}
	said += fmt.Sprintf(" The autoscaler now keeps at least %d (it was %d)", replicas, policy.Min)
	policy.Min = replicas
	if policy.Max < replicas {
		said += fmt.Sprintf(" and at most %d (it was %d)", replicas, policy.Max)
		policy.Max = replicas
	}
	return reply(message{said + "."}), a.deps.Policies.Scale(ctx, tenant, in.App, replicas, &policy)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
