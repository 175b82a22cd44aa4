// Package engine tells the agent which replicas run on a Docker engine and
// gives it their output. It only looks: it never changes a container.
package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"
)

// Labels by which replicas are found; section 5 of docs/design.md.
const (
	LabelInstance = "kurama.instance"
	LabelKind     = "kurama.kind"
	LabelTenant   = "kurama.tenant"
	LabelApp      = "kurama.app"
	LabelRelease  = "kurama.release"
	LabelReplica  = "kurama.replica"
	LabelDisk     = "kurama.disk"
	LabelWritable = "kurama.writable"
	LabelStandby  = "kurama.standby"
	kindReplica   = "replica"
)

// ErrGone says that a container does not exist any more.
var ErrGone = errors.New("the container is gone")

// Container is one replica as the engine knows it.
type Container struct {
	ID       string
	Tenant   string
	App      string
	Release  int
	Replica  string
	Disk     int64    // bytes the app may write; 0 where not given
	Standby  bool     // it was made to wait for its release, and may still do
	Writable []string // paths inside the container that it may write
	Running  bool
	PID      int       // of the init process on the host; 0 when not running
	Started  time.Time // the last time; year 1 where it never did
}

// Docker is an engine seen through its API.
type Docker struct {
	api      *client.Client
	instance string

	asking sync.Mutex
	root   string // folder of the engine's state; "": not asked yet
}

// New returns the engine at host (empty: DOCKER_HOST or the default socket).
// Only containers with the instance's label are seen. It is not asked
// anything yet.
func New(host, instance string) (*Docker, error) {
	options := []client.Opt{client.FromEnv, client.WithAPIVersionNegotiation()}
	if host != "" {
		options = append(options, client.WithHost(host))
	}
	api, err := client.NewClientWithOpts(options...)
	if err != nil {
		return nil, fmt.Errorf("docker engine %q: %w", host, err)
	}
	return &Docker{api: api, instance: instance}, nil
}

// Close gives the connections back.
func (d *Docker) Close() error { return d.api.Close() }

// Replicas returns every replica that the engine knows, running or not.
func (d *Docker) Replicas(ctx context.Context) ([]Container, error) {
	list, err := d.api.ContainerList(ctx, container.ListOptions{All: true, Filters: d.own()})
	if err != nil {
		return nil, fmt.Errorf("listing replicas: %w", err)
	}
	var found []Container
	for _, summary := range list {
		c, err := d.inspect(ctx, summary.ID)
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, nil
}

// Watch calls fn with each replica that was made, started, or ended, and with
// gone where it was removed, until ctx ends or the engine goes away. It calls
// ready once it listens: what happens from then on is not missed.
func (d *Docker) Watch(ctx context.Context, ready func(), fn func(c Container, gone bool)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	own := d.own()
	own.Add("type", string(events.ContainerEventType))
	for _, action := range []events.Action{events.ActionCreate, events.ActionStart, events.ActionDie, events.ActionDestroy} {
		own.Add("event", string(action))
	}
	// Events since now: the request is under way when the list is taken, and the engine looks back to its start.
	since := strconv.FormatInt(time.Now().Unix(), 10)
	messages, failed := d.api.Events(ctx, events.ListOptions{Since: since, Filters: own})
	ready()
	for {
		select {
		case err := <-failed:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("watching the engine: %w", err)
		case m := <-messages:
			if err := d.tell(ctx, m, fn); err != nil {
				return err
			}
		}
	}
}

// tell calls fn with what a message says.
func (d *Docker) tell(ctx context.Context, m events.Message, fn func(c Container, gone bool)) error {
	if m.Action == events.ActionDestroy {
		fn(Container{ID: m.Actor.ID}, true)
		return nil
	}
	if m.Action == events.ActionStart {
		// It may end at once: its output is opened before anything else is asked.
		c := labelled(m.Actor.ID, m.Actor.Attributes)
		c.Running, c.Started = true, time.Unix(0, m.TimeNano).UTC()
		fn(c, false)
	}
	c, err := d.inspect(ctx, m.Actor.ID)
	if errors.Is(err, ErrGone) {
		return nil // its destroy event follows
	}
	if err != nil {
		return err
	}
	fn(c, false)
	return nil
}

// Logs returns the output of a container from since on (zero: all that is
// kept). With follow it goes on until the container ends, of which the caller
// tells it. The error is ErrGone where the container is.
func (d *Docker) Logs(ctx context.Context, id string, since time.Time, follow bool) (Output, error) {
	if path := d.logFile(ctx, id); path != "" {
		if t, err := openTail(path, since, follow); err == nil {
			return t, nil
		}
	}
	options := container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: follow}
	if !since.IsZero() {
		options.Since = fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond())
	}
	out, err := d.api.ContainerLogs(ctx, id, options)
	if err != nil {
		return nil, fmt.Errorf("reading the output of %.12s: %w", id, meaning(err))
	}
	return answer{out}, nil
}

// logFile returns where an engine on this host keeps the output of a container
// with the json-file driver; "" where the engine is on another host or does not
// answer. Whether the file is there and may be read is for who opens it.
func (d *Docker) logFile(ctx context.Context, id string) string {
	if !strings.HasPrefix(d.api.DaemonHost(), "unix://") {
		return ""
	}
	d.asking.Lock()
	defer d.asking.Unlock()
	if d.root == "" {
		info, err := d.api.Info(ctx)
		if err != nil {
			return ""
		}
		d.root = info.DockerRootDir
	}
	return filepath.Join(d.root, "containers", id, id+"-json.log")
}

func (d *Docker) own() filters.Args {
	return filters.NewArgs(filters.Arg("label", LabelInstance+"="+d.instance), filters.Arg("label", LabelKind+"="+kindReplica))
}

func (d *Docker) inspect(ctx context.Context, id string) (Container, error) {
	raw, err := d.api.ContainerInspect(ctx, id)
	if err != nil {
		return Container{}, fmt.Errorf("looking at container %.12s: %w", id, meaning(err))
	}
	c := labelled(raw.ID, raw.Config.Labels)
	if raw.State != nil {
		c.Running = raw.State.Running
		c.Started, _ = time.Parse(time.RFC3339Nano, raw.State.StartedAt)
	}
	if c.Running {
		c.PID = raw.State.Pid
	}
	return c, nil
}

// labelled returns what the labels say about a container.
func labelled(id string, labels map[string]string) Container {
	release, _ := strconv.Atoi(labels[LabelRelease]) // the labels are the platform's own
	disk, _ := strconv.ParseInt(labels[LabelDisk], 10, 64)
	c := Container{ID: id, Tenant: labels[LabelTenant], App: labels[LabelApp], Release: release,
		Replica: labels[LabelReplica], Disk: disk, Standby: labels[LabelStandby] != ""}
	if w := labels[LabelWritable]; w != "" {
		c.Writable = strings.Split(w, ":")
	}
	return c
}

func meaning(err error) error {
	if cerrdefs.IsNotFound(err) {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return err
}
