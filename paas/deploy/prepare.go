package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kurama/paas"
)

// maxPrepared lines of a release command go into the build log.
const maxPrepared = 500

// prepare runs the release command of an app, such as the migration of its
// database, before the release serves. One that fails fails the release, and
// the former one serves on. A rollback has none: an older release would find a
// database that is newer than itself, and must come up all the same.
func (d *Deployer) prepare(ctx context.Context, rel paas.Release) error {
	if rel.Start.Release == "" || rel.RollbackOf > 0 {
		return nil
	}
	began := time.Now()
	spec, err := d.spec(ctx, rel)
	if err != nil {
		return err
	}
	spec.Replica = replicaID(rel.App, rel.Number)
	d.say(rel, "release", "Running `%s`.", rel.Start.Release)
	ctx, cancel := context.WithTimeout(ctx, d.opts.App.ReleaseTimeout)
	defer cancel()
	var said []string
	exit, err := d.Engine.Run(ctx, spec, []string{"/bin/sh", "-c", rel.Start.Release}, func(_, line string) {
		if said = append(said, line); len(said) <= maxPrepared {
			d.say(rel, "release", "%s", line)
		}
		said = said[max(0, len(said)-maxPrepared-1):]
	})
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &paas.Invalid{Reason: fmt.Sprintf("The release command `%s` was still running after %s and was stopped. Shorten it, or raise app.release_timeout.",
			rel.Start.Release, d.opts.App.ReleaseTimeout)}
	case err != nil:
		return err
	case exit != 0:
		return &paas.Invalid{Reason: fmt.Sprintf("The release command `%s` ended with exit code %d%s.%s",
			rel.Start.Release, exit, because(said), readOnly(rel.App, said)) + quoted(said)}
	}
	d.say(rel, "release", "The release command is done after %s.", span(began))
	return nil
}
