package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/internal/schedule"
	"kurama/paas"
)

type cronStore interface {
	CronRuns(ctx context.Context, tenant, app string, limit int) ([]paas.CronRun, error)
	LastCronRuns(ctx context.Context, tenant, app string) (map[string]paas.CronRun, error)
}

// Cron runs the jobs of apps.
type Cron interface {
	// Start runs a job of a release now. It returns paas.ErrNotFound,
	// paas.ErrConflict while its run before still works, or *paas.Invalid.
	Start(ctx context.Context, rel paas.Release, job, by string) (paas.CronRun, error)
}

// CronView is the jobs of an app's live release, in the order of its
// kurama.yaml, and their newest runs.
type CronView struct {
	Jobs []paas.CronJobView `json:"jobs"`
	Runs []paas.CronRun     `json:"runs" doc:"Newest first, also those of jobs that are gone"`
}

type oneJob struct {
	InApp
	Job string `path:"job" doc:"Name of the job"`
}

func (a *API) cronRoutes() {
	register(a, huma.Operation{OperationID: "get-cron", Method: http.MethodGet, Path: "/apps/{app}/cron", Summary: "Show the cron jobs of an app and their runs"},
		paas.RoleViewer, a.cron)
	register(a, huma.Operation{OperationID: "run-cron-job", Method: http.MethodPost, Path: "/apps/{app}/cron/{job}/run",
		Summary: "Run a cron job now", DefaultStatus: http.StatusAccepted},
		paas.RoleDeveloper, func(ctx context.Context, in *oneJob) (*answer[paas.CronRun], error) {
			_, rel, err := a.liveOf(ctx, in.App)
			if err != nil {
				return nil, err
			}
			run, err := a.deps.Cron.Start(context.WithoutCancel(ctx), rel, in.Job, callOf(ctx).User)
			return reply(run), err
		})
}

// liveOf returns an app with its live release; the release is empty where none
// is live.
func (a *API) liveOf(ctx context.Context, name string) (paas.App, paas.Release, error) {
	tenant := callOf(ctx).tenant
	app, err := a.deps.Store.App(ctx, tenant, name)
	if err != nil || app.Release == 0 {
		return app, paas.Release{Tenant: tenant, App: name}, err
	}
	rel, err := a.deps.Store.Release(ctx, tenant, name, app.Release)
	return app, rel, err
}

func (a *API) cron(ctx context.Context, in *struct {
	InApp
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"50"`
}) (*answer[CronView], error) {
	app, rel, err := a.liveOf(ctx, in.App)
	if err != nil {
		return nil, err
	}
	last, err := a.deps.Store.LastCronRuns(ctx, app.Tenant, app.Name)
	if err != nil {
		return nil, err
	}
	view := CronView{Jobs: make([]paas.CronJobView, len(rel.Start.Cron))}
	for i, job := range rel.Start.Cron {
		view.Jobs[i].CronJob = job
		if s, err := schedule.Parse(job.Schedule); err == nil && app.State != paas.AppStopped {
			next := s.Next(time.Now()).UTC()
			view.Jobs[i].Next = &next
		}
		if r, ran := last[job.Name]; ran {
			view.Jobs[i].Last = &r
		}
	}
	view.Runs, err = a.deps.Store.CronRuns(ctx, app.Tenant, app.Name, in.Limit)
	return reply(view), err
}
