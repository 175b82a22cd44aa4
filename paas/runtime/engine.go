// Package runtime runs replicas as hardened containers on a Docker engine:
// their profile, their networks, the packet filter around them, and what the
// engine says about them.
package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"kurama/internal/config"
	"kurama/paas"
)

// Labels of everything that Kurama makes on an engine. The agent finds the
// replicas by them, and nothing without the instance's label is ever touched.
const (
	LabelInstance = "kurama.instance"
	LabelKind     = "kurama.kind"
	LabelTenant   = "kurama.tenant"
	LabelApp      = "kurama.app"
	LabelRelease  = "kurama.release"
	LabelReplica  = "kurama.replica"
	LabelRestart  = "kurama.restart"
	LabelDisk     = "kurama.disk"
	LabelWritable = "kurama.writable"
	LabelStandby  = "kurama.standby" // it was made before its source was known
)

// The values of LabelKind.
const (
	KindReplica = "replica"
	KindRun     = "run"
	KindBuild   = "build"
	KindCheck   = "check"
	KindNetwork = "network"
)

// Port is where an app listens inside its container.
const Port = 8000

// Options says whose engine this is.
type Options struct {
	Instance   string // name of the installation; labels, networks and chains carry it
	RunDir     string // folder of sockets; holds replicas/<replica>/
	StandbyDir string // holds the sources of replicas that stood by; on the file system of the releases; empty: in RunDir
	VolumeDir  string // holds the volumes of apps, <tenant>/<app>/<path>.img; empty: in RunDir
	Postgres   string // folder with the socket of the apps' databases
	Walls      Walls  // nil: every tenant has the configuration's
	RouterPort int    // of the router on all of the host's addresses; 0: apps do not reach one another
	Log        *slog.Logger
}

// Engine runs replicas on one Docker engine.
type Engine struct {
	cfg     config.Docker
	opts    Options
	docker  *client.Client
	filter  firewall
	mu      sync.Mutex              // guards networks; held while one is made
	ensured map[string]bool         // networks known to exist, with their rules
	listed  bool                    // nets has those of an earlier process
	nets    map[string]netip.Prefix // subnets of the networks, by tenant
	names   names                   // of the tenants' apps
	volumes sync.Mutex              // held while volumes are made, mounted or removed
	outside outside                 // what tenants may reach
	weights weights                 // of the tenants' control groups
	info    sync.Mutex              // guards driver and filters
	driver  string                  // of control groups; empty: not asked yet
	filters bool                    // it filters system calls
}

// New connects to the engine. One that does not answer is no error yet: every
// call says so.
func New(cfg config.Docker, opts Options) (*Engine, error) {
	opts.StandbyDir = cmp.Or(opts.StandbyDir, filepath.Join(opts.RunDir, "standby"))
	opts.VolumeDir = cmp.Or(opts.VolumeDir, filepath.Join(opts.RunDir, "volumes"))
	for _, folder := range []*string{&opts.RunDir, &opts.StandbyDir, &opts.VolumeDir} {
		absolute, err := filepath.Abs(*folder)
		if err != nil {
			return nil, fmt.Errorf("folder of the engine %s: %w", *folder, err)
		}
		*folder = absolute
	}
	docker, err := Client(cfg.Host)
	if err != nil {
		return nil, err
	}
	return &Engine{cfg: cfg, opts: opts, docker: docker, ensured: map[string]bool{}, nets: map[string]netip.Prefix{},
		filter: firewall{instance: opts.Instance, egress: cfg.Egress, most: cfg.Connections, log: opts.Log, router: opts.RouterPort}}, nil
}

// Client returns a client of the engine at host (empty: DOCKER_HOST or the
// default socket) that speaks the newest API both sides know.
func Client(host string) (*client.Client, error) {
	options := []client.Opt{client.FromEnv, client.WithAPIVersionNegotiation()}
	if host != "" {
		options = append(options, client.WithHost(host))
	}
	docker, err := client.NewClientWithOpts(options...)
	if err != nil {
		return nil, fmt.Errorf("docker engine %q: %w", host, err)
	}
	// Left to the first call, the negotiation races with the second.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	docker.NegotiateAPIVersion(ctx)
	return docker, nil
}

// Close gives the connections back.
func (e *Engine) Close() error { return e.docker.Close() }

// Start makes the replica's socket folder, its network where missing, and its
// container, and starts it. Nothing is left behind when it fails.
func (e *Engine) Start(ctx context.Context, spec paas.Spec) (paas.Container, error) {
	if err := e.makeFolder(spec.Replica); err != nil {
		return paas.Container{}, err
	}
	err := e.create(ctx, spec, func(profile) {})
	if err == nil {
		err = e.docker.ContainerStart(ctx, e.name(spec.Replica), container.StartOptions{})
	}
	if err != nil {
		err = fmt.Errorf("replica %s: %w", spec.Replica, err)
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return paas.Container{}, errors.Join(err, e.Remove(cleaning, spec.Replica))
	}
	return e.introduce(ctx, spec.Replica)
}

// create makes the container. The network may have been removed behind our
// back, in which case it is made again and the creation tried once more.
func (e *Engine) create(ctx context.Context, spec paas.Spec, change func(profile)) error {
	if err := e.makeVolumes(ctx, spec); err != nil {
		return err
	}
	for again := true; ; again = false {
		network, err := e.network(ctx, spec.Tenant)
		if err != nil {
			return err
		}
		p, err := e.profile(ctx, spec, KindReplica, network)
		if err == nil {
			err = e.writeHosts(spec.Replica, spec.Tenant, spec.App, "")
		}
		if err != nil {
			return err
		}
		p.bind(e.socketFolder(spec.Replica), "/run/kurama")
		p.bind(e.hostsFile(spec.Replica), "/etc/hosts")
		p.config.Env = append(p.config.Env, "KURAMA_SOCKET=/run/kurama/log.sock")
		change(p)
		_, err = e.docker.ContainerCreate(ctx, p.config, p.host, p.networking, nil, e.name(spec.Replica))
		if err == nil || !again || !cerrdefs.IsNotFound(err) {
			return err
		}
		e.forget(network)
	}
}

// Restart starts a replica's container again after it ended.
func (e *Engine) Restart(ctx context.Context, replica, tenant string) (paas.Container, error) {
	if err := e.makeFolder(replica); err != nil {
		return paas.Container{}, err
	}
	if _, err := e.network(ctx, tenant); err != nil {
		return paas.Container{}, err
	}
	if err := e.remakeHosts(ctx, replica); err != nil {
		return paas.Container{}, err
	}
	if err := e.docker.ContainerStart(ctx, e.name(replica), container.StartOptions{}); err != nil {
		return paas.Container{}, fmt.Errorf("replica %s: %w", replica, meaning(err))
	}
	return e.introduce(ctx, replica)
}

// Stop asks a replica to end and kills it after timeout. One that is gone, or
// ended before, is no error.
func (e *Engine) Stop(ctx context.Context, replica string, timeout time.Duration) error {
	seconds := int(timeout.Round(time.Second) / time.Second)
	err := e.docker.ContainerStop(ctx, e.name(replica), container.StopOptions{Timeout: &seconds})
	if err != nil && !cerrdefs.IsNotFound(err) && !cerrdefs.IsNotModified(err) {
		return fmt.Errorf("replica %s: %w", replica, err)
	}
	return nil
}

// Remove removes a replica's container, running or not, and then its socket
// folder. One that is gone is no error.
func (e *Engine) Remove(ctx context.Context, replica string) error {
	err := e.docker.ContainerRemove(ctx, e.name(replica), container.RemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !cerrdefs.IsNotFound(err) && !cerrdefs.IsConflict(err) {
		return fmt.Errorf("replica %s: %w", replica, err)
	}
	for _, folder := range []string{e.socketFolder(replica), e.standbyFolder(replica)} {
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("folder of replica %s: %w", replica, err)
		}
	}
	return nil
}

func (e *Engine) makeFolder(replica string) error {
	folder := e.socketFolder(replica)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("socket folder of replica %s: %w", replica, err)
	}
	// The umask may have narrowed it, and the app's own user must get in.
	return os.Chmod(folder, 0o755)
}

func (e *Engine) socketFolder(replica string) string {
	return filepath.Join(e.opts.RunDir, "replicas", replica)
}

func (e *Engine) name(replica string) string { return "kurama-" + e.opts.Instance + "-" + replica }

// meaning turns the engine's "no such container" into the platform's word.
func meaning(err error) error {
	if cerrdefs.IsNotFound(err) {
		return fmt.Errorf("%w: %w", paas.ErrNotFound, err)
	}
	return err
}
