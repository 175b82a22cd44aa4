package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"kurama/paas"
)

// maxQueued rollouts of one app may wait; more are refused.
const maxQueued = 4

// job is one deploy on its way.
type job struct {
	release paas.Release
	first   bool // the app has no live release yet
	began   time.Time
	source  func(ctx context.Context, j *job) error
	reuses  bool        // the source is a former release's
	canary  paas.Canary // share that it is tried out with; none: it goes live
	in      int         // the live release that it may take the place of; 0: whichever is
	synced  chan error  // gets one value: whether the source would survive a power cut
}

// Deploy stores a release of an app, which is made where it is new, and returns
// it in state building; the rest happens beside the caller and is told in the
// build log. The upload's file belongs to Deploy, and is removed. It returns
// *paas.Invalid for a name that cannot be one, and paas.ErrConflict while the
// app is being deleted or has too many deploys waiting.
func (d *Deployer) Deploy(ctx context.Context, tenant, app, by string, up paas.Upload) (paas.Release, error) {
	rel, err := d.accept(ctx, tenant, app, by, func(ctx context.Context, a paas.App) (paas.Release, error) {
		if err := canTry(a, up.Canary); err != nil {
			return paas.Release{}, err
		}
		if err := errors.Join(d.Disk.Room(), d.Store.AllowBuild(ctx, tenant)); err != nil {
			return paas.Release{}, err
		}
		share := 0
		if a.Release > 0 { // the first goes live for all
			share = up.Canary
		}
		limits := paas.Limits{CPU: d.opts.App.CPU, Memory: int64(d.opts.App.Memory), Disk: int64(d.opts.App.Disk),
			Pids: d.opts.App.Pids, Nofile: d.opts.App.Nofile}
		return paas.Release{Limits: limits, Share: share, Commit: up.Commit}, nil
	}, func(ctx context.Context, j *job) error {
		j.canary = paas.Canary{Release: j.release.Number, Share: up.Canary}
		return d.unpack(ctx, j, up)
	}, true)
	if err != nil {
		_ = os.Remove(up.Path)
	}
	return rel, err
}

// accept stores the release and starts its deploy.
func (d *Deployer) accept(ctx context.Context, tenant, name, by string, draft func(context.Context, paas.App) (paas.Release, error),
	source func(context.Context, *job) error, create bool) (paas.Release, error) {
	began := time.Now()
	k := key{tenant, name}
	if err := d.roomFor(k); err != nil {
		return paas.Release{}, err
	}
	app, err := d.Store.App(ctx, tenant, name)
	if errors.Is(err, paas.ErrNotFound) && create {
		if app, err = d.Store.CreateApp(ctx, tenant, name); errors.Is(err, paas.ErrExists) {
			app, err = d.Store.App(ctx, tenant, name) // another upload was quicker
		}
	}
	if err != nil {
		return paas.Release{}, err
	}
	rel, err := draft(ctx, app)
	if err != nil {
		return paas.Release{}, err
	}
	rel.Tenant, rel.App, rel.CreatedBy, rel.State = tenant, name, by, paas.ReleaseBuilding
	if rel.RollbackOf == 0 {
		if rel.Env, err = d.Store.Env(ctx, tenant, name); err != nil {
			return paas.Release{}, err
		}
	}
	if rel, err = d.Store.NewRelease(ctx, rel); err != nil {
		return paas.Release{}, err
	}
	j := &job{release: rel, first: app.Release == 0, began: began, source: source, synced: make(chan error, 1)}
	if !d.launch(ctx, j, app) {
		stopping := &paas.Invalid{Reason: "Kurama is stopping. Deploy again when it runs."}
		d.fail(rel, stopping)
		return paas.Release{}, stopping
	}
	return rel, nil
}

func (d *Deployer) roomFor(k key) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.fleets[k]
	switch {
	case f != nil && f.deleting:
		return fmt.Errorf("app %s is being deleted: %w", k.app, paas.ErrConflict)
	case f != nil && len(f.numbers) > maxQueued:
		return fmt.Errorf("app %s has %d deploys waiting, wait for them to end: %w", k.app, len(f.numbers), paas.ErrConflict)
	}
	return nil
}

// launch runs the deploy beside the caller.
func (d *Deployer) launch(ctx context.Context, j *job, app paas.App) bool {
	d.mu.Lock()
	f := d.fleet(key{app.Tenant, app.Name})
	if f.app.Name == "" {
		f.see(app)
	}
	life, cancel := context.WithCancelCause(f.life)
	under := &deploying{cancel: cancel, over: make(chan struct{})}
	f.numbers[j.release.Number] = under
	f.number, f.deployed = max(f.number, j.release.Number), time.Now()
	d.mu.Unlock()
	if j.first {
		if err := d.Store.SetAppState(ctx, app.Tenant, app.Name, paas.AppDeploying, ""); err != nil {
			d.Log.Warn("app state is not stored", "app", app.Name, "error", err)
		}
	}
	return d.spawn(func() {
		defer close(under.over)
		err := d.deploy(life, f, j)
		if cause, ok := errors.AsType[*paas.Invalid](context.Cause(life)); ok && err != nil {
			err = cause // whatever it broke first
		}
		cancel(nil)
		d.mu.Lock()
		delete(f.numbers, j.release.Number)
		d.mu.Unlock()
		if err != nil {
			d.fail(j.release, err)
		}
	})
}

// deploy brings one release from its source to its end.
func (d *Deployer) deploy(ctx context.Context, f *fleet, j *job) error {
	if err := j.source(ctx, j); err != nil {
		return err
	}
	d.work.Go(func() { j.synced <- d.Builder.Sync(j.release.Tenant, j.release.App, j.release.Number) })
	if err := d.build(ctx, j); err != nil {
		d.dropSource(j)
		return err
	}
	done, err := d.turn(ctx, f, func() { d.say(j.release, "start", "Waiting for the deploy before this one.") })
	if err != nil {
		return err
	}
	defer done()
	return d.bringLive(ctx, f, j)
}

// dropSource removes a source that cannot be built: no change of settings makes
// a release of it.
func (d *Deployer) dropSource(j *job) {
	rel := &j.release
	if err := d.Builder.RemoveSource(rel.Tenant, rel.App, rel.Number); err != nil {
		d.Log.Warn("a source stays behind", "app", rel.App, "release", rel.Number, "error", err)
		return
	}
	rel.SourceDigest = ""
}

// unpack takes an upload in.
func (d *Deployer) unpack(ctx context.Context, j *job, up paas.Upload) error {
	began := time.Now()
	rel := &j.release
	digest, err := d.Builder.Intake(ctx, rel.Tenant, rel.App, rel.Number, up)
	if removing := os.Remove(up.Path); removing != nil && !errors.Is(removing, os.ErrNotExist) {
		d.Log.Warn("an upload stays behind", "file", up.Path, "error", removing)
	}
	if err != nil {
		return err
	}
	rel.SourceDigest = digest
	d.say(*rel, "unpack", "Unpacked in %s; the source's SHA-256 starts with %.12s.", span(began), digest)
	return nil
}

func (d *Deployer) reuse(j *job, from paas.Release) error {
	rel := &j.release
	if err := d.Builder.Reuse(rel.Tenant, rel.App, from.Number, rel.Number); err != nil {
		return err
	}
	j.reuses = true
	d.say(*rel, "unpack", "Uses the source of release %d.", from.Number)
	return nil
}

// build finds out how the source is started and installs what it needs.
func (d *Deployer) build(ctx context.Context, j *job) (err error) {
	rel := &j.release
	began := time.Now()
	folder := d.Builder.SourceFolder(rel.Tenant, rel.App, rel.Number)
	if rel.Start, err = d.Builder.Detect(folder, rel.Limits); err == nil {
		err = rel.Start.Bounds.Check(d.opts.Most)
	}
	if err != nil {
		return err
	}
	d.say(*rel, "detect", "%s (%s)", rel.Start.Why, span(began))
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	checked := d.check(ctx, j, folder, stop)
	err = d.install(ctx, rel, folder)
	found := <-checked
	for _, text := range found.warnings {
		d.say(*rel, "check", "%s", text)
	}
	if found.err != nil {
		first, _, _ := strings.Cut(found.err.Error(), "\n")
		d.say(*rel, "check", "%s", first)
		return found.err
	}
	if err != nil {
		return err
	}
	rel.State = paas.ReleaseStarting
	return d.Store.UpdateRelease(ctx, *rel)
}

// checked is what a check of the sources found.
type checked struct {
	warnings []string
	err      error
}

// check has the sources checked while their dependencies are installed, and
// stops that when the app cannot run. A source that was deployed before is known
// to start.
func (d *Deployer) check(ctx context.Context, j *job, folder string, stop context.CancelCauseFunc) <-chan checked {
	result := make(chan checked, 1)
	if j.reuses {
		result <- checked{}
		return result
	}
	start := j.release.Start
	d.work.Go(func() {
		warnings, err := d.Builder.CheckSyntax(ctx, folder, start)
		if err != nil {
			stop(err)
		}
		result <- checked{warnings, err}
	})
	return result
}

// install makes the image that the app runs on and its layer of dependencies,
// where they are not there.
func (d *Deployer) install(ctx context.Context, rel *paas.Release, folder string) error {
	began := time.Now()
	line := func(text string) { d.say(*rel, "dependencies", "%s", text) }
	image, err := d.Builder.Image(ctx, rel.Tenant, folder, line)
	d.count(*rel, image.Took)
	if err != nil {
		return err
	}
	layer, err := d.Builder.Layer(ctx, rel.Tenant, folder, line)
	d.count(*rel, layer.Took)
	if err != nil {
		return err
	}
	rel.Layer = layer.Key
	if took := time.Since(began); took > 100*time.Millisecond {
		line(fmt.Sprintf("Ready after %s.", span(began)))
	}
	return nil
}

// count adds a build, whatever became of it, to what the tenant's have taken.
func (d *Deployer) count(rel paas.Release, took time.Duration) {
	if took == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.life), cleanTimeout)
	defer cancel()
	if err := d.Store.CountBuild(ctx, rel.Tenant, took); err != nil {
		d.Log.Error("a build was not counted", "tenant", rel.Tenant, "app", rel.App, "error", err)
	}
}

// bringLive rolls the app over to the release.
func (d *Deployer) bringLive(ctx context.Context, f *fleet, j *job) error {
	rel := j.release
	app, err := d.Store.App(ctx, rel.Tenant, rel.App)
	if err != nil {
		return err
	}
	d.mu.Lock()
	f.see(app)
	d.mu.Unlock()
	if j.in > 0 && app.Release != j.in {
		return &paas.Invalid{Reason: fmt.Sprintf("Release %d went live meanwhile, so there is nothing to take back.", app.Release)}
	}
	if err := d.checkPipeline(ctx, rel); err != nil {
		return err
	}
	if err := errors.Join(d.addDeclared(ctx, rel), d.addDeclaredDatabase(ctx, rel)); err != nil {
		return err
	}
	if rel.State != paas.ReleaseCanary { // else it was run when that was tried out
		if err := d.prepare(ctx, rel); err != nil {
			return err
		}
	}
	if j.canary.Share > 0 && app.Release > 0 {
		return d.tryOut(ctx, f, j, app.Restart)
	}
	err = d.roll(ctx, rollout{fleet: f, release: rel, restart: app.Restart,
		say: func(step, format string, args ...any) { d.say(rel, step, format, args...) },
		commit: func(ctx context.Context) error {
			if err := errors.Join(<-j.synced, d.stillCanary(ctx, rel)); err != nil {
				return err
			}
			d.say(rel, "done", "Release %d is live after %s%s.", rel.Number, span(j.began), d.address(rel))
			return d.Store.SetLive(ctx, rel.Tenant, rel.App, rel.Number)
		}})
	if err != nil {
		return err
	}
	if b := rel.Start.Bounds; b != (paas.Bounds{}) {
		if err := d.Store.SetBounds(ctx, rel.Tenant, rel.App, b); err != nil {
			d.Log.Warn("the bounds that kurama.yaml sets are not stored", "app", rel.App, "release", rel.Number, "error", err)
		}
	}
	d.setAutoRollback(ctx, rel)
	d.setPipeline(ctx, rel)
	rel.State = paas.ReleaseLive
	d.spawn(func() { d.herald(d.life, rel) })
	d.tell(f.key, rel.Number, "", eventDeployed, fmt.Sprintf("Release %d is live after %s.", rel.Number, span(j.began)))
	d.spawn(func() { d.collect(f.key) })
	return nil
}

func (d *Deployer) address(rel paas.Release) string {
	if d.opts.RouterPort == 0 {
		return ""
	}
	return ": " + paas.Address(paas.Hosts(rel.Tenant, rel.App, d.opts.Domain)[0], d.opts.RouterPort, d.opts.TLSPort)
}
