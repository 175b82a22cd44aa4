package deploy

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kurama/paas"
)

const (
	// liveMisses is how many probes in a row a replica may leave unanswered.
	liveMisses = 3
	// liveTimeout is how long a replica that serves may take to answer one.
	liveTimeout = 5 * time.Second
	// probesAtOnce bounds the probes of replicas that serve.
	probesAtOnce = 16
)

// watchLife probes the replicas that serve until the Deployer ends.
func (d *Deployer) watchLife() {
	if d.opts.App.LiveInterval <= 0 {
		return
	}
	ticker := time.NewTicker(d.opts.App.LiveInterval)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-d.life.Done():
			return
		case <-ticker.C:
		}
		err := d.watchLifeOnce(d.life)
		if err != nil && !failing && d.life.Err() == nil {
			d.Log.Warn("replicas are not looked at, because the router does not answer", "error", err)
		}
		failing = err != nil
	}
}

// watchLifeOnce probes every replica that serves, and has those replaced that
// stay silent. A replica from which the router has heard something since the
// last look lives, however busy it is.
func (d *Deployer) watchLifeOnce(ctx context.Context) error {
	heard, err := d.Router.Heard(ctx)
	if err != nil {
		return err
	}
	var probing sync.WaitGroup
	room := make(chan struct{}, probesAtOnce)
	for _, f := range d.all() {
		for _, r := range d.aged(f) {
			room <- struct{}{}
			probing.Go(func() {
				defer func() { <-room }()
				d.lookAt(ctx, f, r, heard[r.ID])
			})
		}
	}
	probing.Wait()
	for _, f := range d.all() {
		d.endSilence(f)
	}
	return ctx.Err()
}

// aged returns the replicas of an app that have served for a while.
func (d *Deployer) aged(f *fleet) []*replica {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []*replica
	for _, r := range f.in(serving) {
		if !r.busy && r.State == paas.ReplicaHealthy && time.Since(r.goodAt) > d.opts.App.LiveInterval {
			found = append(found, r)
		}
	}
	return found
}

// lookAt probes one replica and counts its misses.
func (d *Deployer) lookAt(ctx context.Context, f *fleet, r *replica, heard int64) {
	rel, err := d.Store.Release(ctx, f.tenant, f.key.app, r.Release)
	if err != nil {
		return // nothing can be said about it
	}
	d.mu.Lock()
	replica := r.Replica
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, min(liveTimeout, max(d.opts.App.LiveInterval, liveTimeout/10)))
	defer cancel()
	p := prober{d: d, replica: replica, start: rel.Start, host: paas.Hosts(f.tenant, f.key.app, d.opts.Domain)[0]}
	well := p.once(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	silent := p.status == 0
	alive := heard != r.heard
	r.heard = heard
	switch {
	case well, silent && alive, !silent && rel.Start.Health == "/":
		// An app that answers with an error is not helped by a restart, unless
		// it has a path of its own to ask for one.
		r.misses = 0
	default:
		r.misses++
	}
}

// endSilence has one replica replaced that left its probes unanswered. It is
// one at a time, and only where the app is whole but for it: when all of them
// wait for the same slow database, what still serves must go on.
func (d *Deployer) endSilence(f *fleet) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if f.replaced > 0 && now.Sub(f.replacedAt) > stableAfter+d.opts.App.LiveInterval*liveMisses {
		f.replaced = 0
	}
	if f.rolling || f.replacing || f.deleting || f.waiting > 0 || now.Before(f.startAt) ||
		f.replaced > 0 && now.Sub(f.replacedAt) < d.pause(f.replaced) {
		return
	}
	var silent *replica
	others := 0
	for _, r := range f.in(serving) {
		switch {
		case r.busy || r.State != paas.ReplicaHealthy:
			return // another one is missing already
		case r.misses >= liveMisses && (silent == nil || r.misses > silent.misses):
			silent = r
		case r.misses == 0:
			others++
		}
	}
	if silent == nil || silent.Release != f.app.Release {
		return
	}
	f.replacing = true
	d.work.Go(func() { d.replace(d.life, f, silent, others > 0) })
}

// replace puts a fresh replica in the place of one that is silent. Where others
// serve, the silent one leaves the table at once; else it stays until there is
// something better.
func (d *Deployer) replace(ctx context.Context, f *fleet, silent *replica, others bool) {
	defer func() {
		d.mu.Lock()
		f.replacing, f.replacedAt = false, time.Now()
		f.replaced++
		d.mu.Unlock()
		d.poke()
	}()
	rel, err := d.liveRelease(ctx, f)
	if err != nil {
		return
	}
	what := "A fresh replica is started to take its place."
	if others {
		what = "It gets no more requests, and a fresh replica takes its place."
		d.leave([]*replica{silent})
		_ = d.publishSoon(ctx, liveTimeout) // takeOut goes on trying, and says so
		d.spawn(func() { d.takeOut(f, []*replica{silent}) })
	}
	d.tell(f.key, rel.Number, silent.ID, eventCrashed, fmt.Sprintf("%s left `GET %s` unanswered %d times in a row. %s",
		silent.ID, rel.Start.Health, liveMisses, what))
	fresh, err := d.startReplacement(ctx, f, rel)
	switch {
	case err != nil && ctx.Err() == nil:
		d.tell(f.key, rel.Number, "", eventCrashed, fmt.Sprintf("No replica came up in the place of %s: %s", silent.ID, d.sentence(rel, err)))
	case err == nil && d.swap(f, silent, fresh):
		d.tell(f.key, rel.Number, fresh.ID, eventRestarted, fmt.Sprintf("%s took the place of %s.", fresh.ID, silent.ID))
		if !others {
			d.spawn(func() { d.takeOut(f, []*replica{silent}) })
		}
		return
	}
	if fresh != nil {
		d.discard(f, []*replica{fresh})
	}
}

func (d *Deployer) startReplacement(ctx context.Context, f *fleet, rel paas.Release) (*replica, error) {
	spec, err := d.spec(ctx, rel)
	if err != nil {
		return nil, err
	}
	return d.startCandidate(ctx, rollout{fleet: f, release: rel, say: func(string, string, ...any) {}}, spec, time.Now())
}

// swap lets a fresh replica serve in the place of a silent one, unless a
// rollout or a deletion came first.
func (d *Deployer) swap(f *fleet, silent, fresh *replica) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.rolling || f.deleting || fresh.Release != f.app.Release {
		return false
	}
	fresh.stage, fresh.busy, fresh.State, fresh.goodAt = serving, false, paas.ReplicaHealthy, time.Now()
	fresh.Restarts = silent.Restarts + 1
	silent.stage = leaving
	return true
}
