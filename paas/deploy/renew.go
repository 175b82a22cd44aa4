package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"kurama/paas"
)

// renew replaces all replicas by fresh ones of the same release, as a rolling
// restart asks for. One that fails is not tried again until asked for again.
func (d *Deployer) renew(ctx context.Context, f *fleet) {
	done, err := d.turn(ctx, f, func() {})
	if err != nil {
		return
	}
	defer done()
	began := time.Now()
	rel, err := d.liveRelease(ctx, f)
	var app paas.App
	if err == nil {
		app, err = d.Store.App(ctx, f.tenant, f.key.app)
	}
	if err == nil {
		err = d.roll(ctx, rollout{fleet: f, release: rel, restart: app.Restart,
			say:    func(string, string, ...any) {},
			commit: func(context.Context) error { return nil }})
	}
	if ctx.Err() != nil {
		return
	}
	d.mu.Lock()
	f.rolling = false
	if err != nil {
		f.refused = max(app.Restart, f.app.Restart)
	}
	d.mu.Unlock()
	if err != nil {
		d.tell(f.key, rel.Number, "", eventCrashed, "The restart failed and the former replicas serve on: "+d.sentence(rel, err))
		return
	}
	d.tell(f.key, rel.Number, "", eventRestarted, fmt.Sprintf("All replicas were restarted within %s.", span(began)))
}

// RunCommand runs a command in a fresh container of the live release, or of the
// newest that was built where none is live, calls fn with each line of its
// output, and returns the exit code. It returns paas.ErrNotFound for an app
// that does not exist and *paas.Invalid where there is nothing to run it in.
func (d *Deployer) RunCommand(ctx context.Context, tenant, app string, command []string, fn func(stream, line string)) (int, error) {
	spec, err := d.commandSpec(ctx, tenant, app, command)
	if err != nil {
		return 0, err
	}
	return d.Engine.Run(ctx, spec, command, fn)
}

// Attach is RunCommand for a command whose input and output are tied to
// streams.
func (d *Deployer) Attach(ctx context.Context, tenant, app string, command []string, s paas.Streams) (int, error) {
	spec, err := d.commandSpec(ctx, tenant, app, command)
	if err != nil {
		return 0, err
	}
	return d.Engine.Attach(ctx, spec, command, s)
}

func (d *Deployer) commandSpec(ctx context.Context, tenant, app string, command []string) (paas.Spec, error) {
	if len(command) == 0 || command[0] == "" {
		return paas.Spec{}, &paas.Invalid{Reason: "There is no command to run. Write it after `--`."}
	}
	rel, err := d.runnable(ctx, tenant, app)
	if err != nil {
		return paas.Spec{}, err
	}
	spec, err := d.spec(ctx, rel)
	spec.Replica = replicaID(app, rel.Number)
	return spec, err
}

// runnable returns the release that a command is run in. An app whose start
// waits for what the command makes, such as tables, has none live.
func (d *Deployer) runnable(ctx context.Context, tenant, app string) (paas.Release, error) {
	a, err := d.Store.App(ctx, tenant, app)
	if err != nil {
		return paas.Release{}, err
	}
	if a.Release > 0 {
		return d.Store.Release(ctx, tenant, app, a.Release)
	}
	releases, err := d.Store.Releases(ctx, tenant, app, 0)
	if err != nil {
		return paas.Release{}, err
	}
	for _, r := range releases {
		if _, gone := os.Stat(d.Builder.SourceFolder(tenant, app, r.Number)); gone == nil && r.Built() {
			return r, nil
		}
	}
	return paas.Release{}, &paas.Invalid{Reason: "The app has no release to run a command in. Deploy one first."}
}

// Delete removes an app: from the table, its containers, its sources and all
// that is stored about it but its log records. It returns paas.ErrNotFound for
// an app that does not exist. Once begun it is finished, after a restart too.
func (d *Deployer) Delete(ctx context.Context, tenant, app string) error {
	if err := d.Store.SetAppState(ctx, tenant, app, paas.AppDeleting, ""); err != nil {
		return err
	}
	d.mu.Lock()
	f := d.fleet(key{tenant, app})
	already := f.deleting
	f.deleting = true
	f.end()
	d.mu.Unlock()
	if already {
		return nil
	}
	finished := make(chan error, 1)
	if !d.spawn(func() { finished <- d.remove(f) }) {
		return errors.New("Kurama is stopping; the app goes when it runs again")
	}
	select {
	case err := <-finished:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// remove takes everything of an app away. Deploys under way fail at their next
// step, because the store refuses an app that is being deleted.
func (d *Deployer) remove(f *fleet) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.life), d.opts.App.DrainTimeout+d.opts.App.StopTimeout+cleanTimeout)
	defer cancel()
	if err := d.publishSoon(ctx, time.Second); err != nil {
		d.Log.Warn("the router still knows an app that is being deleted", "app", f.key.app, "error", err)
	}
	done, err := d.turn(ctx, f, func() {})
	if err != nil {
		return fmt.Errorf("app %s: its deploys do not end: %w", f.key.app, err)
	}
	defer done()
	d.mu.Lock()
	var going []*replica
	for _, r := range f.replicas {
		r.stage = leaving
		going = append(going, r)
	}
	d.mu.Unlock()
	d.endSpares(f)
	d.drain(f, going, func(string) {})
	err = errors.Join(d.Builder.RemoveApp(f.tenant, f.key.app), d.Engine.RemoveVolume(f.tenant, f.key.app, ""))
	if kept := d.Databases.RemoveDatabase(ctx, f.tenant, f.key.app); kept != nil {
		err = errors.Join(err, kept) // and the app is there to be deleted again
	} else if gone := d.Store.DeleteApp(ctx, f.tenant, f.key.app); gone != nil && !errors.Is(gone, paas.ErrNotFound) {
		err = errors.Join(err, gone)
	}
	d.mu.Lock()
	delete(d.fleets, f.key)
	d.deleted[f.key] = time.Now()
	d.mu.Unlock()
	d.poke()
	return err
}
