package deploy

import (
	"context"
	"errors"
	"fmt"

	"kurama/paas"
)

// Platform is who made a release, or ended one, that no person did. No person
// has the name: theirs begin with a small letter.
const Platform = "Kurama"

// Deeds keeps what the platform did by itself beside what people did.
type Deeds interface {
	// NoteDeed adds to the audit log; action is an operation of the API.
	NoteDeed(ctx context.Context, tenant, app, action, detail string) error
}

// takeBack ends a canary that is clearly worse, or goes back to the release
// before one that is live.
func (d *Deployer) takeBack(ctx context.Context, w *watch, c paas.Comparison) error {
	rel := w.release
	d.Log.Info("a release is clearly worse and is taken back", "tenant", rel.Tenant, "app", rel.App, "release", rel.Number, "says", c.Says)
	if rel.State == paas.ReleaseCanary {
		return d.endWorse(ctx, rel, c.Says)
	}
	why := fmt.Sprintf("Kurama rolled back to release %d: %s", w.before.Number, c.Says)
	if err := d.Store.TakeBack(ctx, rel.Tenant, rel.App, rel.Number, why); err != nil {
		if errors.Is(err, paas.ErrConflict) {
			return nil // a person was quicker
		}
		return err
	}
	rel.RolledBack = why
	d.say(rel, "rollback", "%s", why)
	d.tellTaken(rel, why)
	d.noteDeed(rel, "rollback", why)
	d.herald(ctx, rel)
	return d.goBack(ctx, rel, w.before)
}

// endWorse ends a canary that is clearly worse.
func (d *Deployer) endWorse(ctx context.Context, rel paas.Release, says string) error {
	why := "Kurama ended this canary: " + says
	err := d.Store.EndCanary(ctx, rel.Tenant, rel.App, rel.Number, why)
	if errors.Is(err, paas.ErrNotFound) {
		return nil // a person was quicker
	}
	if err != nil {
		return err
	}
	rel.State, rel.Reason = paas.ReleaseFailed, why
	d.say(rel, "failed", "%s", why)
	d.tellTaken(rel, why)
	d.noteDeed(rel, "end-canary", why)
	d.herald(ctx, rel)
	d.poke()
	return nil
}

func (d *Deployer) tellTaken(rel paas.Release, why string) {
	d.tell(key{rel.Tenant, rel.App}, rel.Number, "", eventRolledBack, fmt.Sprintf("Release %d: %s", rel.Number, why))
}

func (d *Deployer) noteDeed(rel paas.Release, action, detail string) {
	if d.Deeds == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.life), cleanTimeout)
	defer cancel()
	if err := d.Deeds.NoteDeed(ctx, rel.Tenant, rel.App, action, fmt.Sprintf("Release %d: %s", rel.Number, detail)); err != nil {
		d.Log.Error("the audit log was not written", "action", action, "who", Platform, "error", err)
	}
}

// goBack deploys the release before one that was taken back, unless another has
// gone live meanwhile.
func (d *Deployer) goBack(ctx context.Context, from, to paas.Release) error {
	_, err := d.rollback(ctx, from.Tenant, from.App, to.Number, Platform, from.Number)
	return err
}
