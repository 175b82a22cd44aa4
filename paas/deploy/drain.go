package deploy

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kurama/paas"
)

// lastWords is how long an ended replica stays on the engine, so that the agent
// reads its output to the end.
const lastWords = time.Second

// drain waits until replicas that left the table have no request in flight, or
// the time for that is over, then stops them, and removes them a moment later.
// It goes on when the Deployer ends only as far as the stop itself, which the
// next start repeats.
func (d *Deployer) drain(f *fleet, replicas []*replica, say func(string)) {
	began := time.Now()
	d.leave(replicas)
	cut := d.settle(replicas)
	d.stop(replicas, d.opts.App.StopTimeout)
	switch {
	case cut > 0:
		was := "were"
		if cut == 1 {
			was = "was"
		}
		say(fmt.Sprintf("%s of the former replicas did not end within %s and %s cut.", plural(cut, "request"), d.opts.App.DrainTimeout, was))
	default:
		say(fmt.Sprintf("The former replicas had no request left and are stopped after %s.", span(began)))
	}
	d.poke() // for the spare that waits until there is calm
	d.bury(f, replicas)
}

// leave takes replicas off what counts for their app.
func (d *Deployer) leave(replicas []*replica) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range replicas {
		r.stage = leaving
		if r.State != paas.ReplicaUnhealthy {
			r.State = paas.ReplicaDraining
		}
	}
}

// settle waits until the router has no request in flight on the replicas, and
// returns how many it still had when the time was over.
func (d *Deployer) settle(replicas []*replica) int {
	ctx, cancel := context.WithTimeout(d.life, d.opts.App.DrainTimeout)
	defer cancel()
	left := 0
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		inFlight, err := d.Router.InFlight(ctx)
		if err == nil {
			left = 0
			for _, r := range replicas {
				left += inFlight[r.ID]
			}
			if left == 0 {
				return 0
			}
		}
		select {
		case <-ctx.Done():
			return left
		case <-time.After(pause):
		}
	}
}

// stop ends replicas, all at once, with SIGTERM and after patience SIGKILL.
func (d *Deployer) stop(replicas []*replica, patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.life), patience+cleanTimeout)
	defer cancel()
	var stopping sync.WaitGroup
	for _, r := range replicas {
		stopping.Go(func() {
			if err := d.Engine.Stop(ctx, r.ID, patience); err != nil {
				d.Log.Warn("a replica did not stop and is killed", "replica", r.ID, "error", err)
			}
			d.mu.Lock()
			r.State = paas.ReplicaStopped
			d.mu.Unlock()
		})
	}
	stopping.Wait()
}

// bury removes ended replicas once their last words are read, and forgets them.
func (d *Deployer) bury(f *fleet, replicas []*replica) {
	if len(replicas) == 0 {
		return
	}
	select {
	case <-time.After(lastWords):
	case <-d.life.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.life), cleanTimeout)
	defer cancel()
	for _, r := range replicas {
		if err := d.Engine.Remove(ctx, r.ID); err != nil {
			d.Log.Error("a replica stays behind", "replica", r.ID, "error", err)
		}
		d.mu.Lock()
		delete(f.replicas, r.ID)
		d.mu.Unlock()
	}
}

// discard ends replicas that never served, beside the caller.
func (d *Deployer) discard(f *fleet, replicas []*replica) {
	d.leave(replicas)
	end := func() {
		d.stop(replicas, 0)
		d.bury(f, replicas)
	}
	if !d.spawn(end) {
		end()
	}
}
