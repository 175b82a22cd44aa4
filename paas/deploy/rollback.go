package deploy

import (
	"context"
	"fmt"

	"kurama/paas"
)

// Rollback deploys release n of an app again, as a new release with the same
// source and settings; 0 stands for the one that was live before and was not taken
// back by Kurama. It returns
// paas.ErrNotFound for an app or release that does not exist, and
// *paas.Invalid for one that cannot be rolled back to.
func (d *Deployer) Rollback(ctx context.Context, tenant, app string, n int, by string) (paas.Release, error) {
	return d.rollback(ctx, tenant, app, n, by, 0)
}

// rollback is Rollback in place of one release alone; in 0: of whichever is live.
func (d *Deployer) rollback(ctx context.Context, tenant, app string, n int, by string, in int) (paas.Release, error) {
	var from paas.Release
	return d.accept(ctx, tenant, app, by, func(ctx context.Context, a paas.App) (rel paas.Release, err error) {
		if from, err = d.rollbackTo(ctx, a, n); err != nil {
			return rel, err
		}
		return paas.Release{RollbackOf: from.Number, SourceDigest: from.SourceDigest, Commit: from.Commit, Limits: from.Limits, Env: from.Env}, nil
	}, func(_ context.Context, j *job) error {
		j.in = in
		return d.reuse(j, from)
	}, false)
}

func (d *Deployer) rollbackTo(ctx context.Context, a paas.App, n int) (paas.Release, error) {
	if n != 0 {
		rel, err := d.Store.Release(ctx, a.Tenant, a.Name, n)
		if err == nil && rel.LiveAt == nil {
			err = &paas.Invalid{Reason: fmt.Sprintf("Release %d was never live, so there is nothing to roll back to.", n)}
		}
		return rel, err
	}
	before, err := d.former(ctx, paas.Release{Tenant: a.Tenant, App: a.Name, Number: a.Release})
	if err == nil && before.Number == 0 {
		err = &paas.Invalid{Reason: "There is no earlier release that was live, so there is nothing to roll back to."}
	}
	return before, err
}

// Redeploy deploys the source of the live release again with the app's present
// settings; an app without a live release gets its last source. It returns
// paas.ErrNotFound for an app that does not exist and *paas.Invalid for one
// without a release.
func (d *Deployer) Redeploy(ctx context.Context, tenant, app, by string) (paas.Release, error) {
	var from paas.Release
	return d.accept(ctx, tenant, app, by, func(ctx context.Context, a paas.App) (rel paas.Release, err error) {
		if from, err = d.lastSource(ctx, a); err != nil {
			return rel, err
		}
		return paas.Release{SourceDigest: from.SourceDigest, Commit: from.Commit, Limits: from.Limits}, nil
	}, func(_ context.Context, j *job) error { return d.reuse(j, from) }, false)
}

func (d *Deployer) lastSource(ctx context.Context, a paas.App) (paas.Release, error) {
	if a.Release > 0 {
		return d.Store.Release(ctx, a.Tenant, a.Name, a.Release)
	}
	releases, err := d.Store.Releases(ctx, a.Tenant, a.Name, 0)
	if err != nil {
		return paas.Release{}, err
	}
	for _, r := range releases {
		if r.SourceDigest != "" {
			return r, nil
		}
	}
	return paas.Release{}, &paas.Invalid{Reason: "The app has no release yet. Upload one first."}
}
