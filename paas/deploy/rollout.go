package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"kurama/paas"
)

// cleanTimeout bounds what is done after the end of the caller's context.
const cleanTimeout = 30 * time.Second

// rollout is one change of all of an app's replicas: to another release, or to
// fresh replicas of the same.
type rollout struct {
	fleet   *fleet
	release paas.Release
	restart int // the app's restart counter that the new replicas answer to
	say     func(step, format string, args ...any)
	commit  func(ctx context.Context) error // stores that the new replicas are the app now
}

// turn waits until the app's earlier rollouts are over. Rollouts of one app
// happen in the order in which they asked.
func (d *Deployer) turn(ctx context.Context, f *fleet, waiting func()) (done func(), err error) {
	mine := make(chan struct{})
	d.mu.Lock()
	before := f.queue
	f.queue = mine
	f.waiting++
	d.mu.Unlock()
	leave := func() {
		d.mu.Lock()
		f.waiting--
		d.mu.Unlock()
		close(mine)
	}
	if before == nil {
		return leave, nil
	}
	select {
	case <-before:
		return leave, nil
	default:
		waiting()
	}
	select {
	case <-before:
		return leave, nil
	case <-ctx.Done():
		// Whoever queued behind must still wait for the one before.
		go func() { <-before; leave() }()
		return nil, ctx.Err()
	}
}

// roll starts new replicas beside the old ones, waits until they are healthy,
// puts them in the table and takes the old ones out, which then drain. When
// anything fails before that, the old ones serve on and the new ones go.
func (d *Deployer) roll(ctx context.Context, r rollout) error {
	f := r.fleet
	d.mu.Lock()
	f.rolling = true
	wanted := max(1, f.app.Desired)
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		f.rolling = false
		d.mu.Unlock()
		d.poke()
	}()
	fresh, err := d.startCandidates(ctx, r, wanted)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		// From here on it cannot be cancelled: half of a switch is none.
		err = d.switchTo(f.life, r, fresh)
	}
	if err != nil {
		d.discard(f, fresh)
	}
	return err
}

// startCandidates starts n replicas and waits until all are healthy.
func (d *Deployer) startCandidates(ctx context.Context, r rollout, n int) ([]*replica, error) {
	began := time.Now()
	spec, err := d.spec(ctx, r.release)
	if err != nil {
		return nil, err
	}
	spec.Restart = r.restart
	d.mu.Lock()
	r.fleet.static[r.release.Number] = r.release.Start.Static
	d.mu.Unlock()
	fresh, errs := make([]*replica, n), make([]error, n)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var starting sync.WaitGroup
	for i := range n {
		starting.Go(func() {
			if fresh[i], errs[i] = d.startCandidate(ctx, r, spec, began); errs[i] != nil {
				cancel() // one that cannot start is enough
			}
		})
	}
	starting.Wait()
	made := fresh[:0]
	for _, c := range fresh {
		if c != nil {
			made = append(made, c)
		}
	}
	if err := telling(errs); err != nil {
		return made, err
	}
	r.say("health", "%s healthy after %s (`GET %s`).", count(n, "replica is", "replicas are"), span(began), r.release.Start.Health)
	return made, nil
}

// telling returns the error that says most: a reason before the cancellations
// that followed from it.
func telling(errs []error) error {
	var first error
	for _, err := range errs {
		if _, ok := errors.AsType[*paas.Invalid](err); ok {
			return err
		}
		if first == nil || errors.Is(first, context.Canceled) {
			first = err
		}
	}
	return first
}

func (d *Deployer) startCandidate(ctx context.Context, r rollout, spec paas.Spec, began time.Time) (*replica, error) {
	c, how, settled, err := d.startFast(ctx, spec)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	made := r.fleet.add(c, candidate)
	made.busy = true
	d.mu.Unlock()
	r.say("start", how, c.ID, span(began))
	if err := d.healthy(ctx, c.Replica, r.release); err != nil {
		return made, err
	}
	return made, <-settled
}

// switchTo makes the candidates the app, in the table and in the store.
func (d *Deployer) switchTo(ctx context.Context, r rollout, fresh []*replica) error {
	began := time.Now()
	old := d.exchange(r.fleet, fresh)
	err := d.publishSoon(ctx, d.opts.App.HealthTimeout)
	if err != nil {
		err = fmt.Errorf("the router did not take the new replicas: %w", err)
	} else {
		r.say("switch", "The router sends to %s now (%s).", count(len(fresh), "new replica", "new replicas"), span(began))
		err = r.commit(ctx)
	}
	if err != nil {
		d.putBack(old, fresh)
		return errors.Join(err, d.publishSoon(context.WithoutCancel(ctx), time.Second))
	}
	d.mu.Lock()
	if r.release.Number > r.fleet.app.Release {
		r.fleet.app.Release = r.release.Number
		r.fleet.app.Canary, r.fleet.canaryAt = paas.Canary{}, time.Now()
	}
	r.fleet.failures, r.fleet.reason, r.fleet.liveAt = 0, "", time.Now()
	d.mu.Unlock()
	if len(old) > 0 {
		d.spawn(func() { d.drain(r.fleet, old, func(line string) { r.say("drain", "%s", line) }) })
	}
	return nil
}

// exchange lets the candidates serve and the others leave, at one moment.
func (d *Deployer) exchange(f *fleet, fresh []*replica) (old []*replica) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old = f.in(serving)
	for _, o := range old {
		o.stage = leaving
	}
	for _, n := range fresh {
		n.stage, n.busy, n.State, n.goodAt = serving, false, paas.ReplicaHealthy, time.Now()
	}
	return old
}

func (d *Deployer) putBack(old, fresh []*replica) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range old {
		o.stage = serving
	}
	for _, n := range fresh {
		n.stage = candidate
	}
}

// spec returns how replicas of a release are started, with its dependencies
// and the base image in place.
func (d *Deployer) spec(ctx context.Context, rel paas.Release) (paas.Spec, error) {
	source := d.Builder.SourceFolder(rel.Tenant, rel.App, rel.Number)
	image, err := d.Builder.Image(ctx, rel.Tenant, source, func(string) {})
	if err != nil {
		return paas.Spec{}, err
	}
	app, err := d.Store.App(ctx, rel.Tenant, rel.App)
	if err != nil {
		return paas.Spec{}, err
	}
	volumes, err := d.Store.Volumes(ctx, rel.Tenant, rel.App)
	if err != nil {
		return paas.Spec{}, err
	}
	layer := d.Builder.LayerFolder(rel.Layer)
	if layer != "" {
		if _, err := os.Stat(layer); err != nil {
			again, err := d.Builder.Layer(ctx, rel.Tenant, source, func(string) {})
			if err != nil {
				return paas.Spec{}, err
			}
			layer = d.Builder.LayerFolder(again.Key)
		}
	}
	spec := paas.Spec{Tenant: rel.Tenant, App: rel.App, Release: rel.Number, Restart: app.Restart, UID: app.UID,
		Image: image.Name, Source: source, Layer: layer, Start: rel.Start, Limits: rel.Limits, Env: rel.Env, Volumes: volumes, Runtime: app.Runtime,
		SlowRequest: d.opts.App.SlowRequest}
	err = d.addDatabase(ctx, &spec)
	return spec, err
}

// count writes "1 replica is" or "3 replicas are".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// span writes the time since a moment as a person would say it.
func span(since time.Time) string {
	took := time.Since(since)
	if took < time.Second {
		return fmt.Sprintf("%d ms", took.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", took.Seconds())
}
