package deploy

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kurama/paas"
)

// drain waits until replicas that left the table have no request in flight, or
// the time for that is over, then stops and removes them. It goes on when the
// Deployer ends only as far as the stop itself, which the next start repeats.
func (d *Deployer) drain(f *fleet, replicas []*replica, say func(string)) {
	began := time.Now()
	d.mu.Lock()
	for _, r := range replicas {
		r.stage = leaving
		if r.State != paas.ReplicaUnhealthy {
			r.State = paas.ReplicaDraining
		}
	}
	d.mu.Unlock()
	cut := d.settle(replicas)
	var stopping sync.WaitGroup
	for _, r := range replicas {
		stopping.Go(func() { d.finish(f, r) })
	}
	stopping.Wait()
	switch {
	case cut > 0:
		say(fmt.Sprintf("%s of the former replicas did not end within %s and were cut.", count(cut, "request", "requests"), d.opts.App.DrainTimeout))
	default:
		say(fmt.Sprintf("The former replicas had no request left and are stopped after %s.", span(began)))
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

// finish stops and removes one replica and forgets it.
func (d *Deployer) finish(f *fleet, r *replica) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.life), d.opts.App.StopTimeout+cleanTimeout)
	defer cancel()
	if err := d.Engine.Stop(ctx, r.ID, d.opts.App.StopTimeout); err != nil {
		d.Log.Warn("a replica did not stop and is killed", "replica", r.ID, "error", err)
	}
	if err := d.Engine.Remove(ctx, r.ID); err != nil {
		d.Log.Error("a replica stays behind", "replica", r.ID, "error", err)
	}
	d.mu.Lock()
	delete(f.replicas, r.ID)
	d.mu.Unlock()
}
