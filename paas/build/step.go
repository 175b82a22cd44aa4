package build

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// Network gives the name of a network for builds that reaches, beside the
// internet, the given private addresses.
type Network func(ctx context.Context, allow []netip.AddrPort) (string, error)

// noEntrypoint is how the engine is told to forget an image's own; an empty
// list would mean "as in the image".
var noEntrypoint = []string{""}

// step is one command in a build container.
type step struct {
	config *container.Config
	host   *container.HostConfig
	// prepare runs between the container's creation and its start.
	prepare func(ctx context.Context, id string) error
	// keep runs after a good end, before the container is removed.
	keep func(ctx context.Context, id string) error
}

// ended is how a step's command ended.
type ended struct {
	code int
	oom  bool
}

// run runs a step, calls line with each line of its output, and removes the
// container whatever happens.
func (b *Builder) run(ctx context.Context, s step, line func(string)) (ended, error) {
	docker := b.opts.Docker
	s.config.Labels = map[string]string{"kurama.instance": b.opts.Instance, "kurama.kind": "build"}
	s.config.AttachStdout, s.config.AttachStderr = true, true
	if err := b.wall(ctx, s.host); err != nil {
		return ended{}, err
	}
	// A call that is cut off may still make one, which nobody would know of.
	made, err := docker.ContainerCreate(context.WithoutCancel(ctx), s.config, s.host, nil, nil, "")
	if err != nil {
		return ended{}, fmt.Errorf("build container: %w", err)
	}
	defer func() {
		removing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		if err := docker.ContainerRemove(removing, made.ID, container.RemoveOptions{Force: true}); err != nil {
			b.opts.Log.Warn("a build container stays behind", "container", made.ID, "error", err)
		}
	}()
	if s.prepare != nil {
		if err := s.prepare(ctx, made.ID); err != nil {
			return ended{}, fmt.Errorf("build container: %w", err)
		}
	}
	end, err := b.attend(ctx, made.ID, line)
	if err == nil && end.code == 0 && s.keep != nil {
		err = s.keep(ctx, made.ID)
	}
	return end, err
}

// wall puts a container among the builds and, where somebody's code is at work
// in it, behind what containers with such code have around them.
func (b *Builder) wall(ctx context.Context, host *container.HostConfig) error {
	w := b.opts.Walls
	if w == nil {
		return nil
	}
	share, err := w.BuildShare(ctx)
	security, err2 := w.SecurityOptions(ctx)
	if err := errors.Join(err, err2); err != nil {
		return fmt.Errorf("build container: %w", err)
	}
	if host.CgroupParent = share; len(host.SecurityOpt) > 0 {
		host.SecurityOpt = security
	}
	return nil
}

func (b *Builder) attend(ctx context.Context, id string, line func(string)) (ended, error) {
	docker := b.opts.Docker
	attached, err := docker.ContainerAttach(ctx, id, container.AttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return ended{}, fmt.Errorf("build container: %w", err)
	}
	defer attached.Close()
	defer context.AfterFunc(ctx, attached.Close)() // reading does not heed ctx by itself
	if err := docker.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		return ended{}, fmt.Errorf("build container: %w", err)
	}
	out := &lineWriter{fn: line, left: int64(b.cfg.Output)}
	_, err = stdcopy.StdCopy(out, out, attached.Reader)
	if ctx.Err() != nil {
		return ended{}, context.Cause(ctx)
	}
	if err != nil {
		return ended{}, fmt.Errorf("output of a build container: %w", err)
	}
	out.flush()
	done, failed := docker.ContainerWait(ctx, id, container.WaitConditionNotRunning)
	select {
	case err := <-failed:
		return ended{}, fmt.Errorf("build container: %w", err)
	case <-done:
	}
	c, err := docker.ContainerInspect(ctx, id)
	if err != nil {
		return ended{}, fmt.Errorf("build container: %w", err)
	}
	return ended{code: c.State.ExitCode, oom: c.State.OOMKilled}, nil
}

// network returns the mode in which a build reaches its package index.
func (b *Builder) network(ctx context.Context, h hostSettings) (container.NetworkMode, error) {
	if b.opts.Network == nil {
		return "bridge", nil
	}
	name, err := b.opts.Network(ctx, h.addresses(ctx))
	return container.NetworkMode(name), err
}
