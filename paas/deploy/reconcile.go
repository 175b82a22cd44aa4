package deploy

import (
	"context"
	"errors"
	"slices"
	"time"

	"kurama/paas"
)

const (
	stableAfter = time.Minute // a replica that ran for this long has no history
	resyncEvery = 10 * time.Second
	hopeless    = 3 // crashes or failed starts in a row that make an app failed
)

// runOnce compares what the store wants with what there is, starts what brings
// them together, and puts the routing table in force.
func (d *Deployer) runOnce(ctx context.Context) error {
	asked := time.Now()
	apps, err := d.Store.AllApps(ctx)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.seeApps(apps, asked)
	sync := d.resync || time.Since(d.synced) > resyncEvery
	d.resync, d.synced = false, asked
	d.mu.Unlock()
	if sync {
		if err := d.synchronise(ctx); err != nil {
			d.mu.Lock()
			d.resync = true
			d.mu.Unlock()
			return err
		}
	}
	for _, f := range d.all() {
		d.tend(ctx, f)
	}
	d.tendSpares(time.Now())
	return d.publish(ctx)
}

// seeApps takes over a snapshot of the store. What happened to an app after
// the snapshot was asked for counts more. Callers hold mu.
func (d *Deployer) seeApps(apps []paas.App, asked time.Time) {
	listed := map[key]bool{}
	for _, app := range apps {
		k := key{app.Tenant, app.Name}
		listed[k] = true
		if !d.deleted[k].After(asked) {
			f := d.fleet(k)
			if asked.Before(f.canaryAt) {
				app.Canary = f.app.Canary
			}
			f.see(app)
		}
	}
	for k, f := range d.fleets {
		if !listed[k] && f.since.Before(asked) && !f.deleting && len(f.numbers) == 0 {
			f.deleting = true // its rows are gone: somebody deleted it elsewhere
			f.end()
			d.work.Go(func() { _ = d.remove(f) })
		}
	}
	for k, at := range d.deleted {
		if at.Before(asked) {
			delete(d.deleted, k)
		}
	}
}

func (d *Deployer) all() []*fleet {
	d.mu.Lock()
	defer d.mu.Unlock()
	fleets := make([]*fleet, 0, len(d.fleets))
	for _, f := range d.fleets {
		fleets = append(fleets, f)
	}
	return fleets
}

// plan is what one look at an app asks for.
type plan struct {
	start   int        // replicas to add
	try     int        // replicas of the canary to add
	restart []*replica // that ended and whose pause is over
	drain   []*replica
	renew   bool // a rolling restart was asked for
	remove  bool // a deletion that was interrupted
	state   paas.AppState
	reason  string
}

// plan decides what to do; it changes nothing. Callers hold mu.
func (f *fleet) plan(now time.Time) plan {
	var p plan
	if f.app.State == paas.AppDeleting || f.deleting {
		return plan{remove: !f.deleting}
	}
	var current, tried []*replica
	for _, r := range f.in(serving) {
		canary := r.Release == f.app.Canary.Release
		if r.Release != f.app.Release && !canary && !f.rolling {
			p.drain = append(p.drain, r)
			continue
		}
		if canary {
			tried = append(tried, r)
		} else {
			current = append(current, r)
		}
		if !r.busy && !r.retryAt.IsZero() && !now.Before(r.retryAt) {
			p.restart = append(p.restart, r)
		}
	}
	p.state, p.reason = f.state(current)
	if f.rolling || f.replacing || f.app.Release == 0 {
		return p
	}
	switch missing := f.app.Desired - len(current); {
	case missing > 0 && !now.Before(f.startAt):
		p.start = missing
	case missing < 0:
		surplus := surplus(current, -missing)
		p.drain = append(p.drain, surplus...)
		p.restart = slices.DeleteFunc(p.restart, func(r *replica) bool { return slices.Contains(surplus, r) })
	}
	switch missing := f.app.Canary.Replicas(f.app.Desired) - len(tried); {
	case missing > 0 && p.start == 0 && !now.Before(f.startAt):
		p.try = missing
	case missing < 0:
		p.drain = append(p.drain, surplus(tried, -missing)...)
	}
	p.renew = f.waiting == 0 && f.app.Desired > 0 && f.refused < f.app.Restart &&
		slices.ContainsFunc(current, func(r *replica) bool { return r.restart < f.app.Restart })
	return p
}

// surplus picks the replicas that go first: those that are not well, then the
// newest.
func surplus(from []*replica, n int) []*replica {
	sorted := slices.SortedFunc(slices.Values(from), func(a, b *replica) int {
		aWell, bWell := a.State == paas.ReplicaHealthy, b.State == paas.ReplicaHealthy
		switch {
		case aWell && !bWell:
			return 1
		case bWell && !aWell:
			return -1
		}
		return -oldestFirst(a, b)
	})
	return sorted[:min(n, len(sorted))]
}

// state returns the state that the app should be shown in, or "" to leave it.
func (f *fleet) state(current []*replica) (paas.AppState, string) {
	if f.app.Release == 0 {
		return "", ""
	}
	if f.app.Desired == 0 && len(current) == 0 {
		if f.app.Asleep {
			return paas.AppAsleep, ""
		}
		return paas.AppStopped, ""
	}
	worst := f.failures
	for _, r := range current {
		if r.State == paas.ReplicaHealthy {
			return paas.AppRunning, ""
		}
		worst = max(worst, r.crashes)
	}
	if worst >= hopeless {
		return paas.AppFailed, f.reason
	}
	return "", ""
}

// tend does what the plan says. What takes time happens beside the caller.
func (d *Deployer) tend(ctx context.Context, f *fleet) {
	now := time.Now()
	d.mu.Lock()
	p := f.plan(now)
	for _, r := range p.restart {
		r.busy = true
	}
	for _, r := range p.drain {
		r.stage = leaving
	}
	for _, r := range f.in(serving) {
		if r.crashes > 0 && r.State == paas.ReplicaHealthy && now.Sub(r.goodAt) > stableAfter {
			r.crashes = 0
		}
	}
	if p.start+p.try > 0 {
		f.startAt = now.Add(time.Hour) // until startMore knows better
	}
	if p.renew {
		f.rolling = true
	}
	change, scaled := f.scaled(now)
	live, canary := f.app.Release, f.app.Canary.Release
	d.mu.Unlock()

	if scaled {
		d.spawn(func() { d.tellScaled(f.key, change) })
	}
	if p.remove {
		d.spawn(func() { _ = d.Delete(d.life, f.tenant, f.key.app) })
	}
	for _, r := range p.restart {
		d.spawn(func() { d.restart(d.life, f, r) })
	}
	if len(p.drain) > 0 {
		d.spawn(func() { d.takeOut(f, p.drain) })
	}
	if p.start > 0 {
		d.spawn(func() { d.startMore(d.life, f, live, p.start) })
	}
	if p.try > 0 {
		d.spawn(func() { d.startMore(d.life, f, canary, p.try) })
	}
	if p.renew {
		d.spawn(func() { d.renew(d.life, f) })
	}
	d.show(ctx, f, p.state, p.reason)
}

// show stores an app's state when it changed.
func (d *Deployer) show(ctx context.Context, f *fleet, state paas.AppState, reason string) {
	d.mu.Lock()
	same := state == "" || f.app.State == state && f.app.Reason == reason
	d.mu.Unlock()
	if same {
		return
	}
	if err := d.Store.SetAppState(ctx, f.tenant, f.key.app, state, reason); err != nil {
		if !errors.Is(err, paas.ErrNotFound) {
			d.Log.Error("app state is not stored", "app", f.key.app, "state", state, "error", err)
		}
		return
	}
	d.mu.Lock()
	f.app.State, f.app.Reason = state, reason
	release := f.app.Release
	d.mu.Unlock()
	if state == paas.AppStopped {
		d.tell(f.key, release, "", eventStopped, "The app is scaled to 0 replicas.")
	}
}

// takeOut drains replicas after the router has stopped sending to them.
func (d *Deployer) takeOut(f *fleet, replicas []*replica) {
	if err := d.publishSoon(d.life, d.opts.App.DrainTimeout); err != nil && d.life.Err() == nil {
		d.Log.Warn("replicas are stopped although the router does not answer", "app", f.key.app, "error", err)
	}
	d.drain(f, replicas, func(string) {})
	d.poke()
}
