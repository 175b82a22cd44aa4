package deploy

import (
	"context"
	"fmt"
	"time"

	"kurama/paas"
)

// tryOut lets a release serve its share of the requests beside the live one.
// When anything fails before that, the live one serves on alone.
func (d *Deployer) tryOut(ctx context.Context, f *fleet, j *job, restart int) error {
	rel := j.release
	say := func(step, format string, args ...any) { d.say(rel, step, format, args...) }
	d.mu.Lock()
	f.rolling = true
	wanted := max(1, j.canary.Replicas(f.app.Desired))
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		f.rolling = false
		d.mu.Unlock()
		d.poke()
	}()
	fresh, err := d.startCandidates(ctx, rollout{fleet: f, release: rel, restart: restart, say: say}, wanted)
	if err == nil {
		err = <-j.synced
	}
	if err == nil {
		err = d.Store.SetCanary(ctx, rel.Tenant, rel.App, j.canary)
	}
	if err != nil {
		d.discard(f, fresh)
		return err
	}
	d.mu.Lock()
	f.app.Canary, f.canaryAt = j.canary, time.Now()
	for _, n := range fresh {
		n.stage, n.busy, n.State, n.goodAt = serving, false, paas.ReplicaHealthy, time.Now()
	}
	d.mu.Unlock()
	if err := d.publishSoon(ctx, d.opts.App.HealthTimeout); err != nil {
		d.Log.Warn("the router does not know of a canary yet", "app", rel.App, "release", rel.Number, "error", err)
	}
	d.setAutoRollback(ctx, rel)
	say("done", "Release %d gets %d %% of the clients after %s, release %d the others: promote it, or end it%s.",
		rel.Number, j.canary.Share, span(j.began), d.liveNumber(f), d.address(rel))
	d.tell(f.key, rel.Number, "", eventDeployed, fmt.Sprintf("Release %d gets %d %% of the clients.", rel.Number, j.canary.Share))
	return nil
}

// canTry returns *paas.Invalid where an app cannot have a canary with that
// share; 0 asks for none.
func canTry(a paas.App, share int) error {
	switch {
	case share == 0:
		return nil
	case a.Canary.Release > 0:
		return &paas.Invalid{Reason: fmt.Sprintf("Release %d is the app's canary already. Promote it or end it first.", a.Canary.Release)}
	}
	return paas.CheckShare(share)
}

func (d *Deployer) liveNumber(f *fleet) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return f.app.Release
}

// ShareCanary changes the share of an app's canary. It returns paas.ErrNotFound
// where there is none, and *paas.Invalid for a share that cannot be.
func (d *Deployer) ShareCanary(ctx context.Context, tenant, app string, share int) error {
	a, err := d.canaryOf(ctx, tenant, app)
	if err == nil {
		err = paas.CheckShare(share)
	}
	if err != nil {
		return err
	}
	return d.Store.SetCanary(ctx, tenant, app, paas.Canary{Release: a.Canary.Release, Share: share})
}

// EndCanary takes an app's canary out of the requests; its replicas drain and
// go. It returns paas.ErrNotFound where there is none.
func (d *Deployer) EndCanary(ctx context.Context, tenant, app, by string) error {
	a, err := d.canaryOf(ctx, tenant, app)
	if err != nil {
		return err
	}
	if err := d.Store.EndCanary(ctx, tenant, app, a.Canary.Release, fmt.Sprintf("%s ended this canary.", by)); err != nil {
		return err
	}
	d.tell(key{tenant, app}, a.Canary.Release, "", eventStopped, fmt.Sprintf("%s ended the canary, release %d.", by, a.Canary.Release))
	d.poke()
	return nil
}

// PromoteCanary makes an app's canary the live release, as a deploy does, and
// returns it while that is under way. It returns paas.ErrNotFound where there is
// none, and paas.ErrConflict while too many deploys wait.
func (d *Deployer) PromoteCanary(ctx context.Context, tenant, app string) (paas.Release, error) {
	k := key{tenant, app}
	if err := d.roomFor(k); err != nil {
		return paas.Release{}, err
	}
	a, err := d.canaryOf(ctx, tenant, app)
	if err != nil {
		return paas.Release{}, err
	}
	rel, err := d.Store.Release(ctx, tenant, app, a.Canary.Release)
	if err != nil {
		return paas.Release{}, err
	}
	d.mu.Lock()
	f := d.fleet(k)
	d.mu.Unlock()
	d.spawn(func() {
		done, err := d.turn(f.life, f, func() { d.say(rel, "start", "Waiting for the deploy before this one.") })
		if err == nil {
			if err = d.stillCanary(f.life, rel); err == nil {
				synced := make(chan error, 1)
				synced <- nil
				err = d.bringLive(f.life, f, &job{release: rel, began: time.Now(), synced: synced})
			}
			done()
		}
		if err != nil && f.life.Err() == nil {
			says := d.sentence(rel, err)
			keeps := ""
			if d.stillCanary(f.life, rel) == nil {
				keeps = ", and keeps its share"
			}
			d.say(rel, "failed", "It was not promoted%s: %s", keeps, says)
			d.tell(k, rel.Number, "", eventDeployFailed, fmt.Sprintf("Release %d was not promoted: %s", rel.Number, says))
		}
	})
	return rel, nil
}

// stillCanary returns *paas.Invalid where a release that was read as its app's
// canary is that no more: it may be ended while it waits for its promotion.
func (d *Deployer) stillCanary(ctx context.Context, rel paas.Release) error {
	if rel.State != paas.ReleaseCanary {
		return nil
	}
	now, err := d.Store.Release(ctx, rel.Tenant, rel.App, rel.Number)
	switch {
	case err != nil:
		return err
	case now.State == paas.ReleaseCanary:
		return nil
	case now.State == paas.ReleaseFailed:
		return &paas.Invalid{Reason: fmt.Sprintf("Release %d ended before it went live: %s", rel.Number, now.Reason)}
	}
	return &paas.Invalid{Reason: fmt.Sprintf("Release %d is %s already.", rel.Number, now.State)}
}

func (d *Deployer) canaryOf(ctx context.Context, tenant, app string) (paas.App, error) {
	a, err := d.Store.App(ctx, tenant, app)
	if err == nil && a.Canary.Release == 0 {
		err = fmt.Errorf("canary of app %s: %w", app, paas.ErrNotFound)
	}
	return a, err
}
