package deploy

import (
	"context"
	"errors"

	"kurama/internal/config"
	"kurama/paas"
)

// Volumes returns an app's volumes by path, with what is taken on each. It
// returns paas.ErrNotFound for an app that does not exist.
func (d *Deployer) Volumes(ctx context.Context, tenant, app string) ([]paas.Volume, error) {
	if _, err := d.Store.App(ctx, tenant, app); err != nil {
		return nil, err
	}
	found, err := d.Store.Volumes(ctx, tenant, app)
	for i := range found {
		if used, ok := d.Engine.VolumeUse(tenant, app, found[i].Path); ok {
			found[i].Used = &used
		}
	}
	return found, err
}

// AddVolume gives an app a volume and restarts its replicas, one after the
// other, so that they see it. It returns *paas.Invalid for one that it cannot
// have, paas.ErrExists where it has one at that path.
func (d *Deployer) AddVolume(ctx context.Context, tenant, app string, v paas.Volume) error {
	if err := d.Store.AddVolume(ctx, tenant, app, v, int64(d.opts.App.VolumeMax)); err != nil {
		return err
	}
	return d.Store.RequestRestart(ctx, tenant, app)
}

// RemoveVolume deletes a volume of an app with all that it holds, and restarts
// the replicas without it. It returns paas.ErrNotFound where there is none.
func (d *Deployer) RemoveVolume(ctx context.Context, tenant, app, path string) error {
	if err := d.Store.RemoveVolume(ctx, tenant, app, path); err != nil {
		return err
	}
	return errors.Join(d.Engine.RemoveVolume(tenant, app, path), d.Store.RequestRestart(ctx, tenant, app))
}

// addDeclared gives the app the volumes that kurama.yaml names and it has not.
func (d *Deployer) addDeclared(ctx context.Context, rel paas.Release) error {
	have, err := d.Store.Volumes(ctx, rel.Tenant, rel.App)
	if err != nil {
		return err
	}
	sizes := map[string]int64{}
	for _, v := range have {
		sizes[v.Path] = v.Size
	}
	for _, v := range rel.Start.Volumes {
		size, known := sizes[v.Path]
		if known && size != v.Size {
			d.say(rel, "volumes", "The volume at `%s` keeps its %s: it cannot change its size.", v.Path, config.Bytes(size))
		}
		if known {
			continue
		}
		if err := d.Store.AddVolume(ctx, rel.Tenant, rel.App, v, int64(d.opts.App.VolumeMax)); err != nil && !errors.Is(err, paas.ErrExists) {
			return err
		}
		d.say(rel, "volumes", "Added a volume of %s at `%s`; it outlives releases and restarts.", config.Bytes(v.Size), v.Path)
	}
	return nil
}
