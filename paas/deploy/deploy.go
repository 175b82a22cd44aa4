// Package deploy brings releases live and keeps them so: it is the release
// state machine (start, healthy, route, drain) and the reconciler that holds
// each app's replicas at what is wanted.
package deploy

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/paas"
)

// Apps is what is stored about apps.
type Apps interface {
	CreateApp(ctx context.Context, tenant, name string) (paas.App, error)
	App(ctx context.Context, tenant, app string) (paas.App, error)
	AllApps(ctx context.Context) ([]paas.App, error)
	SetAppState(ctx context.Context, tenant, app string, state paas.AppState, reason string) error
	DeleteApp(ctx context.Context, tenant, app string) error
	Env(ctx context.Context, tenant, app string) (map[string]string, error)
	Volumes(ctx context.Context, tenant, app string) ([]paas.Volume, error)
	AddVolume(ctx context.Context, tenant, app string, v paas.Volume, most int64) error
	RemoveVolume(ctx context.Context, tenant, app, path string) error
	RequestRestart(ctx context.Context, tenant, app string) error
	SetRuntime(ctx context.Context, tenant, app, runtime string) error
	SetBounds(ctx context.Context, tenant, app string, b paas.Bounds) error
	SetAutoRollback(ctx context.Context, tenant, app string, c paas.AutoRollbackChange) error
}

// Releases is what is stored about releases.
type Releases interface {
	NewRelease(ctx context.Context, r paas.Release) (paas.Release, error)
	UpdateRelease(ctx context.Context, r paas.Release) error
	SetLive(ctx context.Context, tenant, app string, number int) error
	Release(ctx context.Context, tenant, app string, number int) (paas.Release, error)
	Releases(ctx context.Context, tenant, app string, limit int) ([]paas.Release, error)
	SetCanary(ctx context.Context, tenant, app string, c paas.Canary) error
	EndCanary(ctx context.Context, tenant, app string, release int, reason string) error
	TakeBack(ctx context.Context, tenant, app string, release int, why string) error
	AppendBuildLog(ctx context.Context, tenant, app string, release int, step, line string) error
}

// Builds bounds what a tenant's builds may take.
type Builds interface {
	// AllowBuild returns *paas.Invalid when the tenant's minutes are used up.
	AllowBuild(ctx context.Context, tenant string) error
	CountBuild(ctx context.Context, tenant string, took time.Duration) error
}

// Store keeps the state of apps and releases, and tells of writes to it.
type Store interface {
	Apps
	Releases
	Builds
	Watch(ctx context.Context, fn func()) error
}

// Decisions is what the autoscaler did.
type Decisions interface {
	Decisions(ctx context.Context, tenant, app string, limit int) ([]paas.Decision, error)
}

// Sources keeps what was uploaded.
type Sources interface {
	Intake(ctx context.Context, tenant, app string, release int, up paas.Upload) (digest string, err error)
	Reuse(tenant, app string, from, to int) error
	Sync(tenant, app string, release int) error
	SourceFolder(tenant, app string, release int) string
	KeepSources(tenant, app string, needed ...int) error
	Changes(tenant, app string, from, to int) (*paas.FileChanges, error)
	RemoveSource(tenant, app string, release int) error
	RemoveApp(tenant, app string) error
	RemoveTenant(tenant string) error
}

// Builder makes an upload into what a container can run.
type Builder interface {
	Sources
	Base(ctx context.Context, progress func(string)) (image string, err error)
	Image(ctx context.Context, tenant, dir string, line func(string)) (paas.Image, error)
	Detect(dir string, limits paas.Limits) (paas.Start, error)
	Layer(ctx context.Context, tenant, dir string, line func(string)) (paas.Layer, error)
	CheckSyntax(ctx context.Context, dir string, start paas.Start) (warnings []string, err error)
	KeepChecker(ctx context.Context)
	LayerFolder(key string) string
	KeepLayers(used map[string]bool) error
	SpareLayers(used map[string]bool) (bytes int64, err error)
	RemoveOldBases(ctx context.Context) error
}

// Engine runs replicas.
type Engine interface {
	Start(ctx context.Context, spec paas.Spec) (paas.Container, error)
	Restart(ctx context.Context, replica, tenant string) (paas.Container, error)
	Stop(ctx context.Context, replica string, timeout time.Duration) error
	Remove(ctx context.Context, replica string) error
	Standby
	Commands
	Volumes
	Runtimer
	Networks
	Observer
	Peacekeeper
	// Sample lays an order to sample before the workers of a replica.
	Sample(replica string, s paas.Sampling) error
}

// Networks knows where containers have their addresses, and the names by which
// they reach one another.
type Networks interface {
	Networks(ctx context.Context) ([]paas.Network, error)
	// Announce tells the containers of each tenant the names of its apps.
	Announce(apps map[string][]string) error
}

// Runtimer knows the OCI runtimes that apps can be given.
type Runtimer interface {
	Runtimes(ctx context.Context) (paas.Runtimes, error)
}

// Standby keeps replicas that wait for their source.
type Standby interface {
	Prepare(ctx context.Context, spec paas.Spec) error
	Activate(ctx context.Context, spec paas.Spec) (paas.Container, error)
	Settle(replica string) error
}

// Commands runs commands: beside the replicas of an app, or in one of them.
type Commands interface {
	Run(ctx context.Context, spec paas.Spec, command []string, fn func(stream, line string)) (exit int, err error)
	Attach(ctx context.Context, spec paas.Spec, command []string, s paas.Streams) (exit int, err error)
	Exec(ctx context.Context, replica string, command []string, fn func(stream, line string)) (exit int, err error)
}

// Volumes keeps what outlives replicas.
type Volumes interface {
	RemoveVolume(tenant, app, path string) error
	VolumeUse(tenant, app, path string) (bytes int64, mounted bool)
	UnmountVolumes() error
}

// Observer says what became of replicas.
type Observer interface {
	Inspect(ctx context.Context, replica string) (paas.Container, error)
	List(ctx context.Context) ([]paas.Container, error)
	Logs(ctx context.Context, replica string, lines int) ([]string, error)
	ListeningSockets(ctx context.Context, replica string) ([]paas.Socket, error)
	Watch(ctx context.Context, fn func(replica, what string)) error
}

// Peacekeeper keeps neighbours from each other's load.
type Peacekeeper interface {
	// KeepFair does so until ctx ends, and calls tell for each replica that is slowed, or is no more.
	KeepFair(ctx context.Context, tell func(replica string, slowed bool, says string)) error
}

// Router is the control of the data plane.
type Router interface {
	// Apply puts a table in force; paas.ErrConflict means that it has a newer one.
	Apply(ctx context.Context, table paas.Table) error
	// InFlight returns the number of requests under way by replica.
	InFlight(ctx context.Context) (map[string]int, error)
	// Heard returns how often something came from each replica in the table.
	Heard(ctx context.Context) (map[string]int64, error)
}

// Events takes the platform's own records; it never blocks.
type Events interface {
	Send(r *record.Record) bool
}

// Options are the settings of a Deployer.
type Options struct {
	App        config.App  // limits, probes, restarts
	Domain     string      // apps answer on <app>.<tenant>.<domain>
	RouterPort int         // of the addresses that the build log names; 0: none is written
	Most       paas.Bounds // that kurama.yaml may give an app
	TLSPort    int         // the router's encrypted port; 0: none
}

// Deps are the parts that a Deployer works with.
type Deps struct {
	Store   Store
	Decided Decisions
	Builder Builder
	Engine  Engine
	Router  Router
	Events  Events
	Disk    Disk
	Log     *slog.Logger

	Pipelines Pipelines
	Databases Databases
	Figures   Figures
	Herald    Herald // nil: nobody is told of releases
	Deeds     Deeds  // nil: what it does by itself is in no audit log
}

// Herald tells those who want to know of a release that is live or has failed.
type Herald interface {
	TellRelease(ctx context.Context, r paas.Release) error
}

// Databases keeps the Postgres databases of apps.
type Databases interface {
	// DatabaseURL returns an address with its password; empty: the app has none.
	DatabaseURL(ctx context.Context, tenant, app string) (string, error)
	// AddDatabase returns paas.ErrExists where the app has one; 0 bytes is the usual size.
	AddDatabase(ctx context.Context, tenant, app string, size int64) error
	// RemoveDatabase deletes one with what it holds; none is no error.
	RemoveDatabase(ctx context.Context, tenant, app string) error
}

// Pipelines sets up what becomes of an app's records; *paas.Invalid for what
// cannot be.
type Pipelines interface {
	CheckPipeline(p paas.Pipeline) error
	// CheckArchive returns *paas.Invalid where p would delete from the app's archive.
	CheckArchive(ctx context.Context, tenant, app string, p paas.Pipeline) error
	SetPipeline(ctx context.Context, tenant, app, by string, p paas.Pipeline) error
}

// Disk says whether a deploy has room.
type Disk interface {
	// Room returns *paas.Invalid where too little is free.
	Room() error
}

// key names an app on the platform.
type key struct{ tenant, app string }

// Deployer deploys apps and keeps them running. Its methods may be called at
// the same time, also before Run.
type Deployer struct {
	Deps
	opts   Options
	probes *http.Client
	wake   chan struct{}
	table  tableSender

	// life ends when Run's context or Stop ends it; all that runs beside the
	// caller belongs to it and is waited for through work.
	life  context.Context
	end   context.CancelFunc
	began time.Time
	work  sync.WaitGroup

	mu      sync.Mutex // guards all below; never held while waiting
	fleets  map[key]*fleet
	deleted map[key]time.Time
	resync  bool // the engine has to be asked for everything
	synced  time.Time
	stopped bool
	spares  []*spare // replicas that stand by, oldest first
}

// New returns a Deployer; nothing runs before Run is called or something is
// deployed.
func New(opts Options, deps Deps) *Deployer {
	life, end := context.WithCancel(context.Background())
	d := &Deployer{Deps: deps, opts: opts, wake: make(chan struct{}, 1),
		probes: newProbeClient(), life: life, end: end, began: time.Now(), fleets: map[key]*fleet{}, deleted: map[key]time.Time{}, resync: true}
	d.table.changed = true
	return d
}

// Run reconciles until ctx ends: it adopts the replicas that run, puts the
// table in force, and from then on holds every app at what the store wants. It
// returns after all it started has ended; replicas run on until Stop.
func (d *Deployer) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, d.end)()
	d.spawn(d.prepareBase)
	d.spawn(func() { d.Builder.KeepChecker(d.life) })
	d.spawn(func() { _ = d.Store.Watch(d.life, d.poke) })
	d.spawn(func() { _ = d.Engine.Watch(d.life, d.heard) })
	d.spawn(func() { _ = d.Engine.KeepFair(d.life, d.slowed) })
	d.spawn(d.failInterrupted)
	d.spawn(d.watchLife)
	d.spawn(d.watchReleases)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	failing := false
	for d.life.Err() == nil {
		err := d.runOnce(d.life)
		if err != nil && !failing && d.life.Err() == nil {
			d.Log.Error("apps cannot be looked after", "error", err)
		}
		failing = err != nil
		select {
		case <-d.life.Done():
		case <-ticker.C:
		case <-d.wake:
		}
	}
	d.work.Wait()
	return nil
}

// spawn runs fn beside the caller; nothing new starts after the end.
func (d *Deployer) spawn(fn func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped || d.life.Err() != nil {
		return false
	}
	d.work.Go(fn)
	return true
}

// poke makes the reconciler look at once.
func (d *Deployer) poke() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// prepareBase makes the base image before somebody waits for it.
func (d *Deployer) prepareBase() {
	_, err := d.Builder.Base(d.life, func(line string) { d.Log.Info("base image", "step", line) })
	if err != nil && d.life.Err() == nil {
		d.Log.Error("the base image could not be prepared", "error", err)
	}
}

// Stop ends all that Run and deploys started and, unless leaveApps, stops and
// removes the replicas. Only the first call does something.
func (d *Deployer) Stop(ctx context.Context, leaveApps bool) error {
	d.mu.Lock()
	first := !d.stopped
	d.stopped = true
	d.mu.Unlock()
	if !first {
		return nil
	}
	d.end()
	d.work.Wait()
	if leaveApps {
		return nil
	}
	running, err := d.Engine.List(ctx)
	errs := make([]error, len(running)+1)
	errs[len(running)] = err
	var stopping sync.WaitGroup
	for i, c := range running {
		stopping.Go(func() {
			errs[i] = d.Engine.Stop(ctx, c.ID, d.opts.App.StopTimeout)
		})
	}
	stopping.Wait()
	if len(running) > 0 {
		select {
		case <-time.After(lastWords):
		case <-ctx.Done():
		}
	}
	for i, c := range running {
		errs[i] = errors.Join(errs[i], d.Engine.Remove(ctx, c.ID))
	}
	return errors.Join(append(errs, d.Engine.UnmountVolumes())...)
}

// Replicas returns an app's replicas as they are now, oldest first: those that
// serve, those on their way, and those that drain.
func (d *Deployer) Replicas(tenant, app string) []paas.Replica {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.fleets[key{tenant, app}]
	if f == nil {
		return nil
	}
	found := make([]paas.Replica, 0, len(f.replicas))
	for _, r := range slices.SortedFunc(maps.Values(f.replicas), oldestFirst) {
		if r.State != paas.ReplicaStopped {
			found = append(found, r.Replica)
		}
	}
	return found
}
