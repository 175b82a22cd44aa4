package deploy

import (
	"context"
	"sync"
	"time"

	"kurama/paas"
)

// adoptTimeout is how long a replica that ran before Kurama did may take to
// answer before it is looked at more closely.
const adoptTimeout = time.Second

// synchronise compares the engine's containers with what is known: it adopts
// the replicas of live releases without touching them, removes strays, and
// notes those that ended or vanished unheard.
func (d *Deployer) synchronise(ctx context.Context) error {
	asked := time.Now()
	listed, err := d.Engine.List(ctx)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	var adopting sync.WaitGroup
	for _, c := range listed {
		there[c.ID] = true
		f, r := d.find(c.ID)
		switch {
		case r == nil && d.standsBy(c.ID):
		case r == nil:
			adopting.Go(func() { d.adopt(ctx, c) })
		case !c.Running:
			d.spawn(func() { d.died(f, r) })
		}
	}
	adopting.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.fleets {
		for id, r := range f.replicas {
			if !there[id] && !r.busy && r.stage == serving && r.StartedAt.Before(asked) {
				delete(f.replicas, id) // removed by other hands: the plan makes a new one
			}
		}
	}
	return nil
}

// adopt takes a container that this process did not start into its app's
// fleet, or removes it where it belongs to no live release.
func (d *Deployer) adopt(ctx context.Context, c paas.Container) {
	d.mu.Lock()
	f := d.fleets[key{c.Tenant, c.App}]
	known := f != nil && f.app.Name != ""
	starting := known && (f.numbers[c.Release] != nil || f.rolling || f.replacing) // a container that roll has not noted yet
	live := known && (c.Release == f.app.Release || c.Release == f.app.Canary.Release) && f.app.Release > 0 && !f.deleting && !c.Standby
	if starting || known && f.startAt.After(time.Now()) {
		d.mu.Unlock()
		return
	}
	if !live {
		d.mu.Unlock()
		d.removeStray(ctx, f, c)
		return
	}
	r := f.add(c, serving)
	r.busy = true
	d.mu.Unlock()
	if !c.Running {
		d.mu.Lock()
		r.busy, r.State, r.retryAt = false, paas.ReplicaUnhealthy, time.Now()
		d.mu.Unlock()
		return
	}
	d.greet(ctx, f, r, c)
}

// greet puts an adopted replica into the table if it answers at once; one that
// is still on its way is waited for like a new one.
func (d *Deployer) greet(ctx context.Context, f *fleet, r *replica, c paas.Container) {
	rel, err := d.Store.Release(ctx, c.Tenant, c.App, c.Release)
	if err != nil {
		if ctx.Err() == nil {
			d.Log.Error("a running replica cannot be adopted", "replica", c.ID, "error", err)
		}
		d.mu.Lock()
		delete(f.replicas, c.ID)
		d.resync = true
		d.mu.Unlock()
		return
	}
	asking, cancel := context.WithTimeout(ctx, adoptTimeout)
	defer cancel()
	p := prober{d: d, replica: c.Replica, start: rel.Start, host: paas.Hosts(c.Tenant, c.App, d.opts.Domain)[0]}
	// One that is busy for longer than the patience served a moment ago.
	if p.once(asking) || asking.Err() != nil {
		d.mu.Lock()
		r.busy, r.State, r.goodAt = false, paas.ReplicaHealthy, time.Now()
		d.mu.Unlock()
		return
	}
	d.spawn(func() {
		if err := d.healthy(d.life, c.Replica, rel); err == nil {
			d.well(f, r)
		} else if d.life.Err() == nil {
			stopping, cancel := context.WithTimeout(d.life, cleanTimeout)
			defer cancel()
			_ = d.Engine.Stop(stopping, r.ID, 0)
			d.crashed(f, r, d.sentence(rel, err))
		}
	})
}

// removeStray removes a replica of no live release. It may still have requests
// from before, when this installation was killed in the middle of a deploy, so
// it drains like any other.
func (d *Deployer) removeStray(ctx context.Context, f *fleet, c paas.Container) {
	d.Log.Info("removing a replica of no live release", "replica", c.ID)
	if f == nil {
		if err := d.Engine.Remove(ctx, c.ID); err != nil {
			d.Log.Error("a stray replica stays behind", "replica", c.ID, "error", err)
		}
		return
	}
	d.mu.Lock()
	r := f.add(c, leaving)
	d.mu.Unlock()
	d.spawn(func() { d.takeOut(f, []*replica{r}) })
}
