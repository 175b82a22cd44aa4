package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

type runner interface {
	// RunCommand runs a command beside the app's replicas, with their source,
	// settings and limits, and calls fn with each line of its output.
	RunCommand(ctx context.Context, tenant, app string, command []string, fn func(stream, line string) error) (exit int, err error)
	// Attach is RunCommand for a command whose input and output are tied to
	// streams.
	Attach(ctx context.Context, tenant, app string, command []string, s paas.Streams) (exit int, err error)
}

type runRequest struct {
	InApp
	Body struct {
		Command []string `json:"command" minItems:"1" maxItems:"200"`
	}
}

type runLine struct {
	Stream string `json:"stream"`
	Line   string `json:"line"`
}

// runEnd is the last line of a run: its exit code, or why there is none.
type runEnd struct {
	End   bool   `json:"end"`
	Exit  int    `json:"exit"`
	Error string `json:"error,omitempty"`
}

// noExit is the exit code of a command that did not come to an end, as shells
// have it for one that cannot be run.
const noExit = 126

func (a *API) runRoutes() {
	register(a, huma.Operation{OperationID: "run-command", Method: http.MethodPost, Path: "/apps/{app}/run",
		Summary: "Run a command beside the app", Responses: ndjsonResponse("Lines {stream,line}, a last one {end,exit}")},
		paas.RoleDeveloper, func(ctx context.Context, in *runRequest) (*huma.StreamResponse, error) {
			tenant := callOf(ctx).tenant
			if err := a.hasRelease(ctx, in.App); err != nil {
				return nil, err
			}
			return a.stream(ctx, func(ctx context.Context, out *ndjson) error {
				return a.run(ctx, tenant, in.App, in.Body.Command, out)
			}), nil
		})
}

// hasRelease returns paas.ErrNotFound or *paas.Invalid where there is nothing to
// run a command in.
func (a *API) hasRelease(ctx context.Context, app string) error {
	if err := a.appExists(ctx, app); err != nil {
		return err
	}
	releases, err := a.deps.Store.Releases(ctx, callOf(ctx).tenant, app, 1)
	if err == nil && len(releases) == 0 {
		err = &paas.Invalid{Reason: app + " has no release to run a command in. Deploy it first."}
	}
	return err
}

func (a *API) run(ctx context.Context, tenant, app string, command []string, out *ndjson) error {
	exit, err := a.deps.Deployer.RunCommand(ctx, tenant, app, command, func(stream, line string) error {
		return out.last(runLine{stream, line})
	})
	if err == nil {
		return out.last(runEnd{End: true, Exit: exit})
	}
	var p *Problem
	if ctx.Err() != nil || !errors.As(a.problem(ctx, err), &p) {
		return err
	}
	return out.last(runEnd{End: true, Exit: noExit, Error: p.Detail})
}
