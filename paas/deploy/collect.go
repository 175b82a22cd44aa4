package deploy

import (
	"context"
	"errors"

	"kurama/paas"
)

// keepLayers is of how many releases of an app the layers are kept.
const keepLayers = 10

// collect removes the sources and layers that no kept release needs.
func (d *Deployer) collect(k key) {
	app, err := d.Store.App(d.life, k.tenant, k.app)
	if err == nil {
		err = d.collectSources(d.life, app)
	}
	if err == nil {
		err = d.collectShared(d.life)
	}
	if err != nil && d.life.Err() == nil {
		d.Log.Warn("what no release needs stays on disk", "app", k.app, "error", err)
	}
}

func (d *Deployer) collectSources(ctx context.Context, app paas.App) error {
	releases, err := d.Store.Releases(ctx, app.Tenant, app.Name, 0)
	if err != nil {
		return err
	}
	var needed []int
	for _, r := range releases {
		if inUse(app, r) {
			needed = append(needed, r.Number)
		}
	}
	return d.Builder.KeepSources(app.Tenant, app.Name, needed...)
}

// inUse reports whether a release has replicas or is about to, however old it is.
func inUse(app paas.App, r paas.Release) bool {
	return r.Number == app.Release || r.Number == app.Canary.Release || r.State == paas.ReleaseBuilding || r.State == paas.ReleaseStarting
}

func (d *Deployer) collectShared(ctx context.Context) error {
	layers, err := d.Layers(ctx)
	if err != nil {
		return err
	}
	return errors.Join(d.Builder.KeepLayers(all(layers)), d.Builder.RemoveOldBases(ctx))
}

// Collect does for all apps at once what each deploy does for its own: sources
// beyond build.keep_source go, and layers and base images that no kept release
// needs. What rollback needs stays, and what others made.
func (d *Deployer) Collect(ctx context.Context) error {
	apps, err := d.Store.AllApps(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, app := range apps {
		if app.Release > 0 && app.State != paas.AppDeleting {
			errs = append(errs, d.collectSources(ctx, app))
		}
	}
	return errors.Join(append(errs, d.collectShared(ctx))...)
}

// Spare returns the bytes of layers that Collect would remove.
func (d *Deployer) Spare(ctx context.Context) (int64, error) {
	layers, err := d.Layers(ctx)
	if err != nil {
		return 0, err
	}
	return d.Builder.SpareLayers(all(layers))
}

// Layers returns the layers that the kept releases of each tenant need.
// Rollback installs the layer of an older release again.
func (d *Deployer) Layers(ctx context.Context) (map[string]map[string]bool, error) {
	apps, err := d.Store.AllApps(ctx)
	if err != nil {
		return nil, err
	}
	used := map[string]map[string]bool{}
	for _, app := range apps {
		if used[app.Tenant] == nil {
			used[app.Tenant] = map[string]bool{}
		}
		releases, err := d.Store.Releases(ctx, app.Tenant, app.Name, 0)
		if err != nil {
			return nil, err
		}
		for i, r := range releases {
			if r.Layer != "" && (i < keepLayers || inUse(app, r)) {
				used[app.Tenant][r.Layer] = true
			}
		}
	}
	return used, nil
}

// all joins what the tenants need.
func all(byTenant map[string]map[string]bool) map[string]bool {
	used := map[string]bool{}
	for _, layers := range byTenant {
		for layer := range layers {
			used[layer] = true
		}
	}
	return used
}
