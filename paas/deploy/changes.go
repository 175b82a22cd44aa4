package deploy

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"kurama/paas"
)

// Changes compares a release with an earlier one; 0 stands for the one that was
// live before it. It returns paas.ErrNotFound for a release that does not exist
// and *paas.Invalid where there is none before.
func (d *Deployer) Changes(ctx context.Context, tenant, app string, number, against int) (paas.ReleaseChanges, error) {
	rel, err := d.Store.Release(ctx, tenant, app, number)
	if err != nil {
		return paas.ReleaseChanges{}, err
	}
	before, err := d.releaseBefore(ctx, rel, against)
	if err != nil {
		return paas.ReleaseChanges{}, err
	}
	c := paas.ReleaseChanges{Release: rel.Number, Against: before.Number, Settings: settingsChanges(before.Env, rel.Env),
		Layer: before.Layer != rel.Layer, Start: !reflect.DeepEqual(before.Start, rel.Start), Limits: before.Limits != rel.Limits}
	c.Files, err = d.Builder.Changes(tenant, app, before.Number, rel.Number)
	return c, err
}

func (d *Deployer) releaseBefore(ctx context.Context, rel paas.Release, against int) (paas.Release, error) {
	if against > 0 {
		return d.Store.Release(ctx, rel.Tenant, rel.App, against)
	}
	releases, err := d.Store.Releases(ctx, rel.Tenant, rel.App, 0)
	if err != nil {
		return paas.Release{}, err
	}
	for _, r := range releases {
		if r.Number < rel.Number && r.LiveAt != nil {
			return r, nil
		}
	}
	return paas.Release{}, &paas.Invalid{Reason: fmt.Sprintf("No release before %d was live, so there is nothing to compare it with.", rel.Number)}
}

// settingsChanges names what is different.
func settingsChanges(was, is map[string]string) *paas.SettingsChanges {
	c := &paas.SettingsChanges{Added: []string{}, Changed: []string{}, Removed: []string{}}
	all := maps.Clone(was)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, is)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		old, there := was[name]
		now, still := is[name]
		switch {
		case !there:
			c.Added = append(c.Added, name)
		case !still:
			c.Removed = append(c.Removed, name)
		case old != now:
			c.Changed = append(c.Changed, name)
		}
	}
	return c
}
