package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/logship/pipeline"
	"kurama/paas"
)

// Pipelines keeps what becomes of apps' records behind the stream.
type Pipelines interface {
	// Pipeline returns an app's pipeline with its receivers.
	Pipeline(ctx context.Context, tenant, app string) (paas.Pipeline, error)
	// CheckPipeline returns *paas.Invalid for one that cannot be.
	CheckPipeline(p paas.Pipeline) error
	// CheckArchive returns *paas.Invalid where p would delete from the app's archive.
	CheckArchive(ctx context.Context, tenant, app string, p paas.Pipeline) error
	// SetPipeline stores a pipeline; *paas.Invalid for one that cannot be.
	SetPipeline(ctx context.Context, tenant, app, by string, p paas.Pipeline) error
	// Flow returns what comes through, one entry for each part of the pipeline.
	Flow(ctx context.Context, tenant, app string) ([]PipelinePart, error)
}

// PipelineView is an app's pipeline as it runs.
type PipelineView struct {
	Pipeline paas.Pipeline `json:"pipeline"`
	YAML     string        `json:"yaml" doc:"The same as it stands in kurama.yaml"`
	Declared bool          `json:"declared" doc:"The live release's kurama.yaml sets the pipeline, and the next deploy sets it again"`
}

// PipelinePart is how one part of the pipeline does.
type PipelinePart struct {
	Name   string   `json:"name" doc:"Of the role"`
	Ready  bool     `json:"ready"`
	Taken  *float64 `json:"taken" doc:"Records of the app that it has taken since it began to count them; null until it counts"`
	Left   *float64 `json:"left" doc:"Records of the app that its branches kept from it since then"`
	Lag    *float64 `json:"lag" doc:"Batches, of all apps, that wait for it"`
	Errors *float64 `json:"errors" doc:"Attempts that failed since it started, of all apps"`
}

// PipelineFlow is what comes through a pipeline: totals, of which a reader
// makes rates.
type PipelineFlow struct {
	At    time.Time      `json:"at"`
	Parts []PipelinePart `json:"parts"`
}

type pipelineChange struct {
	InApp
	DryRun bool `query:"dry_run" doc:"Say whether it could be, and how it reads as YAML, and change nothing"`
	Body   paas.Pipeline
}

func (a *API) pipelineRoutes() {
	register(a, huma.Operation{OperationID: "get-pipeline", Method: http.MethodGet, Path: "/apps/{app}/pipeline", Summary: "Show what becomes of an app's records"},
		paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[PipelineView], error) {
			app, err := a.deps.Store.App(ctx, callOf(ctx).tenant, in.App)
			if err != nil {
				return nil, err
			}
			p, err := a.deps.Pipelines.Pipeline(ctx, app.Tenant, app.Name)
			if err != nil {
				return nil, err
			}
			return a.pipelineView(ctx, app, p)
		})
	register(a, huma.Operation{OperationID: "set-pipeline", Method: http.MethodPut, Path: "/apps/{app}/pipeline",
		Summary: "Change which services take an app's records, and which of them"}, paas.RoleDeveloper, a.setPipeline)
	register(a, huma.Operation{OperationID: "get-pipeline-flow", Method: http.MethodGet, Path: "/apps/{app}/pipeline/flow", Summary: "Show what comes through an app's pipeline"},
		paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[PipelineFlow], error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			parts, err := a.deps.Pipelines.Flow(ctx, callOf(ctx).tenant, in.App)
			return reply(PipelineFlow{At: time.Now().UTC(), Parts: append([]PipelinePart{}, parts...)}), err
		})
}

func (a *API) setPipeline(ctx context.Context, in *pipelineChange) (*answer[PipelineView], error) {
	c := callOf(ctx)
	c.trial = in.DryRun
	app, err := a.deps.Store.App(ctx, c.tenant, in.App)
	if err != nil {
		return nil, err
	}
	if err := a.deps.Pipelines.CheckPipeline(in.Body); err != nil {
		return nil, err
	}
	if !c.Role.Includes(paas.RoleOwner) {
		err := a.deps.Pipelines.CheckArchive(ctx, c.tenant, in.App, in.Body)
		if bad, ok := errors.AsType[*paas.Invalid](err); ok {
			return nil, forbidden(bad.Reason)
		}
		if err != nil {
			return nil, err
		}
	}
	if in.DryRun {
		return a.pipelineView(ctx, app, in.Body)
	}
	if err := a.deps.Pipelines.SetPipeline(ctx, c.tenant, in.App, c.User, in.Body); err != nil {
		return nil, err
	}
	p, err := a.deps.Pipelines.Pipeline(ctx, c.tenant, in.App)
	if err != nil {
		return nil, err
	}
	return a.pipelineView(ctx, app, p)
}

// pipelineView shows p to the caller.
func (a *API) pipelineView(ctx context.Context, app paas.App, p paas.Pipeline) (*answer[PipelineView], error) {
	if p.Receivers != nil {
		shown := append([]paas.Receiver{}, *p.Receivers...)
		for i := range shown {
			shown[i].To = a.shownReceiver(ctx, shown[i].To)
		}
		p.Receivers = &shown
	}
	text, err := pipeline.Format(p)
	view := PipelineView{Pipeline: p, YAML: text}
	if err == nil && app.Release > 0 {
		var live paas.Release
		live, err = a.deps.Store.Release(ctx, app.Tenant, app.Name, app.Release)
		view.Declared = live.Start.Pipeline != nil
	}
	return reply(view), err
}
