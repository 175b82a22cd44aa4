package runtime

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"kurama/paas"
)

// Inspect returns what the engine says about one replica, or paas.ErrNotFound.
func (e *Engine) Inspect(ctx context.Context, replica string) (paas.Container, error) {
	c, err := e.docker.ContainerInspect(ctx, e.name(replica))
	if err != nil {
		return paas.Container{}, fmt.Errorf("replica %s: %w", replica, meaning(err))
	}
	return e.describe(c), nil
}

// List returns the replicas of this installation, running or not.
func (e *Engine) List(ctx context.Context) ([]paas.Container, error) {
	listed, err := e.list(ctx, KindReplica)
	if err != nil {
		return nil, err
	}
	found := make([]paas.Container, 0, len(listed))
	for _, l := range listed {
		c, err := e.docker.ContainerInspect(ctx, l.ID)
		if cerrdefs.IsNotFound(err) {
			continue // removed since the listing
		}
		if err != nil {
			return nil, fmt.Errorf("container %s: %w", l.ID, err)
		}
		found = append(found, e.describe(c))
	}
	return found, nil
}

func (e *Engine) list(ctx context.Context, kind string) ([]container.Summary, error) {
	own := filters.NewArgs(filters.Arg("label", LabelInstance+"="+e.opts.Instance), filters.Arg("label", LabelKind+"="+kind))
	listed, err := e.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: own})
	if err != nil {
		return nil, fmt.Errorf("containers of this installation: %w", err)
	}
	return listed, nil
}

func (e *Engine) removeAll(ctx context.Context, kind string) error {
	listed, err := e.list(ctx, kind)
	errs := []error{err}
	for _, l := range listed {
		if kind == KindReplica {
			errs = append(errs, e.Remove(ctx, l.Labels[LabelReplica]))
			continue
		}
		err := e.docker.ContainerRemove(ctx, l.ID, container.RemoveOptions{Force: true})
		if !cerrdefs.IsNotFound(err) && !cerrdefs.IsConflict(err) { // else it goes by itself
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// StopReplicas ends all replicas of the installation, at once, with SIGTERM and
// after timeout SIGKILL. Their containers stay.
func (e *Engine) StopReplicas(ctx context.Context, timeout time.Duration) error {
	listed, err := e.list(ctx, KindReplica)
	errs := make([]error, len(listed))
	var stopping sync.WaitGroup
	for i, l := range listed {
		stopping.Go(func() { errs[i] = e.Stop(ctx, l.Labels[LabelReplica], timeout) })
	}
	stopping.Wait()
	return errors.Join(append(errs, err)...)
}

func (e *Engine) describe(c container.InspectResponse) paas.Container {
	labels := c.Config.Labels
	user, _, _ := strings.Cut(c.Config.User, ":")
	release, _ := strconv.Atoi(labels[LabelRelease]) // the labels are ours
	restart, _ := strconv.Atoi(labels[LabelRestart])
	uid, _ := strconv.Atoi(user)
	d := paas.Container{
		Replica: paas.Replica{
			ID: labels[LabelReplica], Tenant: labels[LabelTenant], App: labels[LabelApp], Release: release,
			State: paas.ReplicaStopped, Container: c.ID, Restarts: c.RestartCount,
		},
		Restart: restart, UID: uid - firstUID,
	}
	if c.HostConfig != nil {
		d.Runtime = c.HostConfig.Runtime
	}
	d.Standby = labels[LabelStandby] != "" && e.waits(d.ID)
	if c.State != nil {
		d.Running, d.PID, d.ExitCode, d.OOMKilled = c.State.Running, c.State.Pid, c.State.ExitCode, c.State.OOMKilled
		d.StartedAt, d.FinishedAt = when(c.State.StartedAt), when(c.State.FinishedAt)
	}
	if !d.Running {
		return d
	}
	d.State = paas.ReplicaStarting
	if c.NetworkSettings != nil {
		for _, n := range c.NetworkSettings.Networks {
			if n.IPAddress != "" {
				d.Address = net.JoinHostPort(n.IPAddress, strconv.Itoa(Port))
			}
		}
	}
	return d
}

func when(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
