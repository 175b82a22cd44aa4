package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kurama/paas"
)

// fail stores why a release failed. It works on after the Deployer's end, and
// an app without a live release fails with it.
func (d *Deployer) fail(rel paas.Release, cause error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.life), cleanTimeout)
	defer cancel()
	rel.State, rel.Reason = paas.ReleaseFailed, d.sentence(rel, cause)
	// The release last: whoever waits for its end then finds the rest done.
	d.say(rel, "failed", "%s", rel.Reason)
	app, err := d.Store.App(ctx, rel.Tenant, rel.App)
	if err == nil && app.Release == 0 && app.State != paas.AppDeleting {
		err = d.Store.SetAppState(ctx, rel.Tenant, rel.App, paas.AppFailed, rel.Reason)
	}
	if err == nil {
		err = d.Store.UpdateRelease(ctx, rel)
	}
	if errors.Is(err, paas.ErrNotFound) {
		return // the app was deleted meanwhile
	}
	if err != nil {
		d.Log.Error("a failed release is not stored", "app", rel.App, "release", rel.Number, "error", err)
	}
	d.herald(ctx, rel)
	d.tell(key{rel.Tenant, rel.App}, rel.Number, "", eventDeployFailed, fmt.Sprintf("Release %d failed: %s", rel.Number, rel.Reason))
}

// herald has a release told that is live or has failed.
func (d *Deployer) herald(ctx context.Context, rel paas.Release) {
	if d.Herald == nil {
		return
	}
	if err := d.Herald.TellRelease(ctx, rel); err != nil {
		d.Log.Warn("a release is not told to those who want to know", "app", rel.App, "release", rel.Number, "error", err)
	}
}

// sentence turns an error into what the app's owner reads. Faults of the
// platform go to the operator's log with their details.
func (d *Deployer) sentence(rel paas.Release, cause error) string {
	if bad, ok := errors.AsType[*paas.Invalid](cause); ok {
		return bad.Reason
	}
	if d.life.Err() != nil && errors.Is(cause, context.Canceled) {
		return "Kurama was stopped during this deploy. Deploy again."
	}
	d.Log.Error("a deploy failed", "tenant", rel.Tenant, "app", rel.App, "release", rel.Number, "error", cause)
	if errors.Is(cause, paas.ErrConflict) {
		return "A newer release went live first, or the app is being deleted."
	}
	return "The platform could not bring the release up; its operator finds the cause in Kurama's log. Deploy again, or ask them."
}

// say adds a line to the build log. A line that cannot be stored is no reason
// to fail a deploy.
func (d *Deployer) say(rel paas.Release, step, format string, args ...any) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.life), 5*time.Second)
	defer cancel()
	err := d.Store.AppendBuildLog(ctx, rel.Tenant, rel.App, rel.Number, step, fmt.Sprintf(format, args...))
	if err != nil && !errors.Is(err, paas.ErrNotFound) {
		d.Log.Warn("a line of the build log is lost", "app", rel.App, "release", rel.Number, "error", err)
	}
}
