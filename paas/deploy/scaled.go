package deploy

import (
	"context"
	"fmt"
	"time"

	"kurama/paas"
)

// scaling is a change of how many replicas an app wants.
type scaling struct {
	release  int
	from, to int
	since    time.Time // when from was last seen
}

// clockSlack is how far a decision may seem older than what it came after.
const clockSlack = 2 * time.Second

// scaled returns the change since the wanted number was last looked at. Callers
// hold mu.
func (f *fleet) scaled(now time.Time) (scaling, bool) {
	if f.app.Release == 0 {
		return scaling{}, false
	}
	change := scaling{release: f.app.Release, from: f.announced, to: f.app.Desired, since: f.announcedAt}
	f.announced, f.announcedAt = f.app.Desired, now
	return change, change.from >= 0 && change.from != change.to
}

// tellScaled tells of a change that a person made. The autoscaler tells of its
// own, with its reason.
func (d *Deployer) tellScaled(k key, change scaling) {
	ctx, cancel := context.WithTimeout(d.life, cleanTimeout)
	defer cancel()
	newest, err := d.Decided.Decisions(ctx, k.tenant, k.app, 1)
	if err != nil && d.life.Err() == nil {
		d.Log.Warn("it is not known who scaled an app", "app", k.app, "error", err)
	}
	if len(newest) == 1 && newest[0].To == change.to && d.isNew(k, newest[0], change.since.Add(-clockSlack)) {
		return
	}
	d.tell(k, change.release, "", eventScaled, fmt.Sprintf("%d → %s.", change.from, plural(change.to, "replica")))
}

// isNew tells whether a decision was made after a time and was not met before.
func (d *Deployer) isNew(k key, decision paas.Decision, after time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.fleets[k]
	if f == nil || !decision.At.After(after) || !decision.At.After(f.decidedAt) {
		return false
	}
	f.decidedAt = decision.At
	return true
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
