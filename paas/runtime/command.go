package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"

	"kurama/paas"
)

// Run runs command in a fresh container that is like a replica of spec, calls
// fn with each line of its output as it comes, and returns its exit code. The
// container is gone afterwards, also when ctx ends first.
func (e *Engine) Run(ctx context.Context, spec paas.Spec, command []string, fn func(stream, line string)) (int, error) {
	return e.once(ctx, spec, command, func(profile) {}, func(id string) (int, error) {
		return e.attend(ctx, id, false, func(output types.HijackedResponse) error { return copyLines(output.Reader, fn) })
	})
}

// once makes a container for one command, has it attended to and removes it.
func (e *Engine) once(ctx context.Context, spec paas.Spec, command []string, change func(profile), attend func(id string) (int, error)) (int, error) {
	if err := e.makeVolumes(ctx, spec); err != nil {
		return 0, err
	}
	network, err := e.network(ctx, spec.Tenant)
	if err != nil {
		return 0, err
	}
	spec.Start = paas.Start{Command: command}
	p, err := e.profile(ctx, spec, KindRun, network)
	if err != nil {
		return 0, err
	}
	p.host.ExtraHosts = e.extraHosts(spec.Tenant)
	p.config.AttachStdout, p.config.AttachStderr = true, true
	change(p)
	// A call that is cut off may still make one, which nobody would know of.
	made, err := e.docker.ContainerCreate(context.WithoutCancel(ctx), p.config, p.host, p.networking, nil, e.name(spec.Replica))
	if err != nil {
		return 0, fmt.Errorf("command of app %s: %w", spec.App, err)
	}
	defer func() {
		removing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := e.docker.ContainerRemove(removing, made.ID, container.RemoveOptions{Force: true}); err != nil {
			e.opts.Log.Warn("a command's container stays behind", "container", made.ID, "error", err)
		}
	}()
	return attend(made.ID)
}

// Sweep removes the containers of commands and builds that an earlier process,
// killed in the middle, left behind. It is called before anything is started.
func (e *Engine) Sweep(ctx context.Context) error {
	return errors.Join(e.removeAll(ctx, KindRun), e.removeAll(ctx, KindBuild), e.removeAll(ctx, KindCheck))
}

// attend starts a container, has its streams followed to the end and returns
// the exit code.
func (e *Engine) attend(ctx context.Context, id string, input bool, follow func(types.HijackedResponse) error) (int, error) {
	attached, err := e.docker.ContainerAttach(ctx, id, container.AttachOptions{Stream: true, Stdin: input, Stdout: true, Stderr: true})
	if err != nil {
		return 0, err
	}
	defer attached.Close()
	// Reading does not heed ctx by itself.
	defer context.AfterFunc(ctx, attached.Close)()
	done, failed := e.docker.ContainerWait(ctx, id, container.WaitConditionNextExit)
	if err := e.docker.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		return 0, err
	}
	if err := follow(attached); err != nil && ctx.Err() == nil {
		return 0, fmt.Errorf("output of the command: %w", err)
	}
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case err := <-failed:
		return 0, err
	case status := <-done:
		return int(status.StatusCode), nil
	}
}
