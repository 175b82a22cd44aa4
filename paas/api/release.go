package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// followInterval is how often a build log that is followed is looked at: a
// deploy takes about a second, and its lines should not come all at once.
const followInterval = 100 * time.Millisecond

type releaseStore interface {
	Release(ctx context.Context, tenant, app string, number int) (paas.Release, error)
	Releases(ctx context.Context, tenant, app string, limit int) ([]paas.Release, error)
}

type buildLog interface {
	BuildLog(ctx context.Context, tenant, app string, release, after int) ([]paas.BuildLine, error)
}

// releaser begins deploys. Its methods return paas.ErrNotFound, paas.ErrConflict
// or *paas.Invalid; release 0 is the one that was live before.
type releaser interface {
	Deploy(ctx context.Context, tenant, app, by string, up paas.Upload) (paas.Release, error)
	Rollback(ctx context.Context, tenant, app string, n int, by string) (paas.Release, error)
	Redeploy(ctx context.Context, tenant, app, by string) (paas.Release, error)
	Cancel(ctx context.Context, tenant, app string, number int, by string) (paas.Release, error)
	Changes(ctx context.Context, tenant, app string, number, against int) (paas.ReleaseChanges, error)
	Compare(ctx context.Context, tenant, app string, number, against int) (paas.Comparison, error)
	Delete(ctx context.Context, tenant, app string) error
	ShareCanary(ctx context.Context, tenant, app string, share int) error
	EndCanary(ctx context.Context, tenant, app, by string) error
	PromoteCanary(ctx context.Context, tenant, app string) (paas.Release, error)
}

type releaseList struct {
	Releases []paas.Release `json:"releases"`
}

// OneRelease is what the routes of one release take.
type OneRelease struct {
	InApp
	Number int `path:"number" minimum:"1"`
}

type rollbackRequest struct {
	InApp
	Body struct {
		Release int `json:"release" minimum:"0" doc:"Number to go back to; 0: the one before"`
	}
}

// buildEnd is the last line of a build log that is followed.
type buildEnd struct {
	End     bool              `json:"end"`
	State   paas.ReleaseState `json:"state"`
	Reason  string            `json:"reason"`
	Address string            `json:"address"`
}

func (a *API) releaseRoutes() {
	register(a, huma.Operation{OperationID: "list-releases", Method: http.MethodGet, Path: "/apps/{app}/releases", Summary: "List releases, newest first"},
		paas.RoleViewer, func(ctx context.Context, in *struct {
			InApp
			Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		}) (*answer[releaseList], error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			releases, err := a.deps.Store.Releases(ctx, callOf(ctx).tenant, in.App, in.Limit)
			return reply(releaseList{releases}), err
		})
	register(a, huma.Operation{OperationID: "get-release", Method: http.MethodGet, Path: "/apps/{app}/releases/{number}", Summary: "Show a release"},
		paas.RoleViewer, func(ctx context.Context, in *OneRelease) (*answer[paas.Release], error) {
			r, err := a.deps.Store.Release(ctx, callOf(ctx).tenant, in.App, in.Number)
			return reply(r), err
		})
	register(a, huma.Operation{OperationID: "rollback", Method: http.MethodPost, Path: "/apps/{app}/rollback",
		Summary: "Go back to an earlier release", DefaultStatus: http.StatusAccepted}, paas.RoleDeveloper, a.rollback)
	register(a, huma.Operation{OperationID: "cancel-release", Method: http.MethodPost, Path: "/apps/{app}/releases/{number}/cancel",
		Summary: "Cancel a deploy that is under way"},
		paas.RoleDeveloper, func(ctx context.Context, in *OneRelease) (*answer[paas.Release], error) {
			c := callOf(ctx)
			r, err := a.deps.Deployer.Cancel(context.WithoutCancel(ctx), c.tenant, in.App, in.Number, c.User)
			return reply(r), err
		})
	register(a, huma.Operation{OperationID: "get-release-changes", Method: http.MethodGet, Path: "/apps/{app}/releases/{number}/changes",
		Summary: "Compare a release with an earlier one"}, paas.RoleViewer, a.changes)
	register(a, huma.Operation{OperationID: "compare-release", Method: http.MethodGet, Path: "/apps/{app}/releases/{number}/figures",
		Summary: "Compare how the routes and replicas of a release do with how an earlier one's did"},
		paas.RoleViewer, func(ctx context.Context, in *against) (*answer[paas.Comparison], error) {
			c, err := a.deps.Deployer.Compare(ctx, callOf(ctx).tenant, in.App, in.Number, in.Against)
			return reply(c), err
		})
	register(a, huma.Operation{OperationID: "get-build-log", Method: http.MethodGet, Path: "/apps/{app}/releases/{number}/log",
		Summary: "Read or follow a build log", Responses: ndjsonResponse("Lines {n,at,step,line}; followed, a last one {end,state,reason,address}")},
		paas.RoleViewer, a.buildLog)
}

func (a *API) rollback(ctx context.Context, in *rollbackRequest) (*answer[paas.Release], error) {
	c := callOf(ctx)
	r, err := a.deps.Deployer.Rollback(context.WithoutCancel(ctx), c.tenant, in.App, in.Body.Release, c.User)
	return reply(r), err
}

// against names a release, and another to compare it with.
type against struct {
	OneRelease
	Against int `query:"against" minimum:"0" doc:"Number of the other; 0: the one that was live before"`
}

func (a *API) changes(ctx context.Context, in *against) (*answer[paas.ReleaseChanges], error) {
	c := callOf(ctx)
	changes, err := a.deps.Deployer.Changes(ctx, c.tenant, in.App, in.Number, in.Against)
	if !c.Role.Includes(paas.RoleDeveloper) || len(c.Scopes) > 0 && !c.Has(paas.ScopeEnv) {
		changes.Settings = nil // not even their names
	}
	return reply(changes), err
}

func (a *API) buildLog(ctx context.Context, in *struct {
	OneRelease
	Follow bool `query:"follow"`
}) (*huma.StreamResponse, error) {
	tenant := callOf(ctx).tenant
	if _, err := a.deps.Store.Release(ctx, tenant, in.App, in.Number); err != nil {
		return nil, err
	}
	return a.stream(ctx, func(ctx context.Context, out *ndjson) error {
		if in.Follow {
			return a.followBuild(ctx, tenant, in.App, in.Number, out)
		}
		lines, err := a.deps.Store.BuildLog(ctx, tenant, in.App, in.Number, 0)
		if err != nil {
			return err
		}
		return sendBuild(lines, out)
	}), nil
}

func sendBuild(lines []paas.BuildLine, out *ndjson) error {
	for _, l := range lines {
		if err := out.send(l); err != nil {
			return err
		}
	}
	return out.flush()
}

func (a *API) followBuild(ctx context.Context, tenant, app string, number int, out *ndjson) error {
	r, err := a.watchBuild(ctx, tenant, app, number, func(lines []paas.BuildLine) error { return sendBuild(lines, out) })
	if err != nil {
		return err
	}
	return out.last(buildEnd{End: true, State: r.State, Reason: r.Reason, Address: a.address(tenant, app)})
}

// watchBuild calls fn with what is new in a build log, nothing included, until the
// release is live or has failed, and returns it as it is then.
func (a *API) watchBuild(ctx context.Context, tenant, app string, number int, fn func([]paas.BuildLine) error) (paas.Release, error) {
	tick := time.NewTicker(followInterval)
	defer tick.Stop()
	for after := 0; ; {
		// The state is read before the lines, so that the end never overtakes
		// a line.
		r, err := a.deps.Store.Release(ctx, tenant, app, number)
		if err != nil {
			return r, err
		}
		lines, err := a.deps.Store.BuildLog(ctx, tenant, app, number, after)
		if err != nil {
			return r, err
		}
		if len(lines) > 0 {
			after = lines[len(lines)-1].N
		}
		if err := fn(lines); err != nil || r.State != paas.ReleaseBuilding && r.State != paas.ReleaseStarting {
			return r, err
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-tick.C:
		}
	}
}
