package deploy

import (
	"context"
	"time"

	"kurama/paas"
)

// watch is what is known of a release that is looked at: what it is compared with
// does not change while it is.
type watch struct {
	release, before paas.Release
	was             *paas.ReleaseFigures // of a release that went live; nil: not read yet
	acted           bool                 // this process has begun to take it back
}

// watchReleases looks at the releases of apps that go back by themselves until
// the Deployer's end. What it knows is in the store: a restart resumes it.
func (d *Deployer) watchReleases() {
	ticker := time.NewTicker(d.opts.App.LookInterval)
	defer ticker.Stop()
	for {
		select {
		case <-d.life.Done():
			return
		case now := <-ticker.C:
			d.look(d.life, now)
		}
	}
}

// look judges each release that is watched, and takes those back that are
// clearly worse.
func (d *Deployer) look(ctx context.Context, now time.Time) {
	for _, f := range d.all() {
		for _, number := range d.watchable(f) {
			if err := d.weigh(ctx, f, number, now); err != nil && ctx.Err() == nil {
				d.Log.Warn("a release cannot be judged", "tenant", f.tenant, "app", f.key.app, "release", number, "error", err)
			}
		}
	}
}

// watchable returns the releases of an app to look at, its canary first. While a
// person's deploy, rollback or promotion is under way there is none: it decides.
func (d *Deployer) watchable(f *fleet) []int {
	d.mu.Lock()
	defer d.mu.Unlock()
	var numbers []int
	if f.app.Rollback.Auto && !f.deleting && f.waiting == 0 && len(f.numbers) == 0 {
		for _, n := range []int{f.app.Canary.Release, f.app.Release} {
			if n > 0 {
				numbers = append(numbers, n)
			}
		}
	}
	for n := range f.watched {
		if n != f.app.Release && n != f.app.Canary.Release {
			delete(f.watched, n)
		}
	}
	return numbers
}

// weigh judges one release, and takes it back where it is clearly worse.
func (d *Deployer) weigh(ctx context.Context, f *fleet, number int, now time.Time) error {
	d.mu.Lock()
	w, policy := f.watched[number], f.app.Rollback
	d.mu.Unlock()
	if w == nil || w.release.State == paas.ReleaseCanary { // it may have been promoted since
		rel, err := d.Store.Release(ctx, f.tenant, f.key.app, number)
		if err != nil {
			return err
		}
		before, err := d.former(ctx, rel)
		if err != nil {
			return err
		}
		w = &watch{release: rel, before: before}
		d.mu.Lock()
		f.watched[number] = w
		d.mu.Unlock()
	}
	if w.acted || w.before.Number == 0 {
		return nil
	}
	if w.release.RolledBack != "" { // a restart came between the decision and its end
		w.acted = true
		return d.goBack(ctx, w.release, w.before)
	}
	if !w.release.Watched(policy, now) {
		return nil
	}
	c, err := d.judge(ctx, w, policy, now)
	if err != nil || c.Verdict != paas.VerdictWorse {
		return err
	}
	w.acted = true
	return d.takeBack(ctx, w, c)
}

// judge compares a watched release with the one before. The risk of a false
// alarm is shared out to all looks of its window.
func (d *Deployer) judge(ctx context.Context, w *watch, policy paas.AutoRollback, now time.Time) (paas.Comparison, error) {
	is, err := d.ownFigures(ctx, w.release, now)
	if err != nil {
		return paas.Comparison{}, err
	}
	was := w.was
	if was == nil {
		read, err := d.formerFigures(ctx, w.release, w.before, is)
		if err != nil {
			return paas.Comparison{}, err
		}
		if was = &read; w.release.LiveAt != nil {
			w.was = was
		}
	}
	watched := policy.Window()
	if w.release.LiveAt == nil {
		watched = canaryDay
	}
	looks := max(1, float64(watched/d.opts.App.LookInterval))
	return paas.Judge(is, *was, policy, paas.FalseAlarm/looks), nil
}

// canaryDay is the time of a canary to which the risk of a false alarm refers:
// it may be one for as long as people like.
const canaryDay = 24 * time.Hour

// setAutoRollback puts in force what the kurama.yaml of a release that gets
// requests says of going back by itself.
func (d *Deployer) setAutoRollback(ctx context.Context, rel paas.Release) {
	if rel.Start.Rollback == nil {
		return
	}
	if err := d.Store.SetAutoRollback(ctx, rel.Tenant, rel.App, *rel.Start.Rollback); err != nil {
		d.Log.Warn("what kurama.yaml says of going back by itself is not stored", "app", rel.App, "release", rel.Number, "error", err)
	}
}

// served returns when a release got its first requests.
func served(rel paas.Release) time.Time {
	switch {
	case rel.LiveAt != nil:
		return *rel.LiveAt
	case rel.CanaryAt != nil:
		return *rel.CanaryAt
	}
	return time.Time{}
}
