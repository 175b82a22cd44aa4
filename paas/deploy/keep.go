package deploy

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kurama/internal/config"
	"kurama/paas"
)

// startMore adds replicas of a release, as scaling up, or a replica that
// vanished, asks for.
func (d *Deployer) startMore(ctx context.Context, f *fleet, release, n int) {
	rel, err := d.Store.Release(ctx, f.tenant, f.key.app, release)
	var spec paas.Spec
	if err == nil {
		spec, err = d.spec(ctx, rel)
	}
	errs := make([]error, n)
	if err == nil {
		var starting sync.WaitGroup
		for i := range n {
			starting.Go(func() { errs[i] = d.startOne(ctx, f, spec, rel) })
		}
		starting.Wait()
		err = telling(errs)
	}
	if ctx.Err() != nil {
		return
	}
	d.mu.Lock()
	f.startAt = time.Time{}
	if err != nil {
		f.failures++
		f.startAt = time.Now().Add(d.pause(f.failures))
		f.reason = "A replica could not be started."
	} else {
		f.failures = 0
	}
	d.mu.Unlock()
	if err != nil {
		reason := d.sentence(rel, err)
		d.mu.Lock()
		f.reason = reason
		d.mu.Unlock()
		d.tell(f.key, rel.Number, "", eventCrashed, "A new replica did not come up: "+reason)
	}
	d.poke()
}

func (d *Deployer) liveRelease(ctx context.Context, f *fleet) (paas.Release, error) {
	d.mu.Lock()
	number := f.app.Release
	d.mu.Unlock()
	return d.Store.Release(ctx, f.tenant, f.key.app, number)
}

// startOne starts one replica, waits for its health and lets it serve.
func (d *Deployer) startOne(ctx context.Context, f *fleet, spec paas.Spec, rel paas.Release) error {
	spec.Replica = replicaID(spec.App, spec.Release)
	c, err := d.Engine.Start(ctx, spec)
	if err != nil {
		return err
	}
	d.mu.Lock()
	r := f.add(c, serving)
	r.busy = true
	d.mu.Unlock()
	if err := d.healthy(ctx, c.Replica, rel); err != nil {
		d.discard(f, []*replica{r})
		return err
	}
	d.well(f, r)
	return nil
}

// well puts a replica that answers into the table.
func (d *Deployer) well(f *fleet, r *replica) {
	d.mu.Lock()
	r.busy, r.State, r.goodAt, r.retryAt = false, paas.ReplicaHealthy, time.Now(), time.Time{}
	f.failures = 0
	d.mu.Unlock()
	d.poke()
}

// restart starts a replica's container again after it ended.
func (d *Deployer) restart(ctx context.Context, f *fleet, r *replica) {
	rel, err := d.Store.Release(ctx, f.tenant, f.key.app, r.Release)
	var c paas.Container
	if err == nil {
		c, err = d.Engine.Restart(ctx, r.ID, f.tenant)
	}
	if err == nil {
		d.mu.Lock()
		r.Address, r.StartedAt, r.State = c.Address, c.StartedAt, paas.ReplicaStarting
		r.Restarts++
		again := r.Replica
		d.mu.Unlock()
		if err = d.healthy(ctx, again, rel); err == nil {
			d.well(f, r)
			d.tell(f.key, r.Release, r.ID, eventRestarted, fmt.Sprintf("%s was restarted.", r.ID))
			return
		}
	}
	if ctx.Err() != nil {
		return
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
	defer cancel()
	_ = d.Engine.Stop(stopping, r.ID, 0)
	if _, gone := d.Engine.Inspect(stopping, r.ID); gone != nil {
		d.discard(f, []*replica{r}) // a new one takes its place
		d.poke()
		return
	}
	d.crashed(f, r, d.sentence(rel, err))
}

// crashed notes that a replica ended, and when it is started again.
func (d *Deployer) crashed(f *fleet, r *replica, reason string) {
	d.mu.Lock()
	r.crashes++
	pause := d.pause(r.crashes)
	r.busy, r.State, r.retryAt = false, paas.ReplicaUnhealthy, time.Now().Add(pause)
	f.reason = reason
	number := r.Release
	d.mu.Unlock()
	d.tell(f.key, number, r.ID, eventCrashed, fmt.Sprintf("%s Next try in %s.", reason, pause))
	d.poke()
	d.spawn(func() {
		select {
		case <-time.After(pause):
			d.poke()
		case <-d.life.Done():
		}
	})
}

// heard takes an event of the engine.
func (d *Deployer) heard(id, what string) {
	if id == "" {
		d.mu.Lock()
		d.resync = true
		d.mu.Unlock()
		d.poke()
		return
	}
	f, r := d.find(id)
	switch {
	case r == nil || what == "start":
	case what == "oom":
		d.spawn(func() { d.outOfMemory(f, r, "The kernel ended a process of it") })
	case what == "die":
		d.spawn(func() { d.died(f, r) })
	}
}

func (d *Deployer) find(id string) (*fleet, *replica) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.fleets {
		if r := f.replicas[id]; r != nil {
			return f, r
		}
	}
	return nil, nil
}

// outOfMemory tells once per incident that a replica hit its memory limit.
func (d *Deployer) outOfMemory(f *fleet, r *replica, what string) {
	d.mu.Lock()
	told := time.Since(r.oomAt) < 5*time.Second
	r.oomAt = time.Now()
	d.mu.Unlock()
	if told {
		return
	}
	limit := "its limit"
	if rel, err := d.Store.Release(d.life, f.tenant, f.key.app, r.Release); err == nil {
		limit = config.Bytes(rel.Limits.Memory).String()
	}
	d.tell(f.key, r.Release, r.ID, eventOOMKilled,
		fmt.Sprintf("%s used more than %s of memory. %s. Load less at a time, or raise app.memory.", r.ID, limit, what))
}

// slowed tells that a replica is slowed because of what it makes the host do,
// or has its CPU again.
func (d *Deployer) slowed(id string, slowed bool, says string) {
	f, r := d.find(id)
	if r == nil {
		return // it has just been removed
	}
	event := eventFreed
	if slowed {
		event = eventSlowed
	}
	d.tell(f.key, r.Release, r.ID, event, says)
}

// died takes a serving replica whose container ended out of the table and
// plans its restart. Whoever started or drains one looks after it itself.
func (d *Deployer) died(f *fleet, r *replica) {
	c, err := d.Engine.Inspect(d.life, r.ID)
	if err != nil || c.Running {
		return
	}
	d.mu.Lock()
	ours := r.stage == serving && !r.busy && r.retryAt.IsZero()
	if ours {
		r.busy, r.State = true, paas.ReplicaUnhealthy
	}
	d.mu.Unlock()
	if !ours {
		return
	}
	if err := d.publish(d.life); err != nil && d.life.Err() == nil {
		d.Log.Warn("the router still sends to a replica that ended", "replica", r.ID, "error", err)
	}
	if c.OOMKilled {
		d.outOfMemory(f, r, "The kernel ended it")
	}
	limits := paas.Limits{}
	if rel, err := d.Store.Release(d.life, f.tenant, f.key.app, r.Release); err == nil {
		limits = rel.Limits
	}
	d.crashed(f, r, d.sentence(paas.Release{Tenant: f.tenant, App: f.key.app, Number: r.Release}, d.ended(d.life, c, limits)))
}
