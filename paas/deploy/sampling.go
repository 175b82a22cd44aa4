package deploy

import (
	"context"

	"kurama/paas"
)

// Sample has the replicas of an app that serve sampled and returns how many
// they are. It returns paas.ErrNotFound for an app that does not exist and
// *paas.Invalid where no replica serves.
func (d *Deployer) Sample(ctx context.Context, tenant, app string, s paas.Sampling) (replicas int, err error) {
	if _, err := d.Store.App(ctx, tenant, app); err != nil {
		return 0, err
	}
	for _, r := range d.Replicas(tenant, app) {
		if r.State != paas.ReplicaHealthy {
			continue
		}
		if err := d.Engine.Sample(r.ID, s); err != nil {
			return replicas, err
		}
		replicas++
	}
	if replicas == 0 {
		return 0, &paas.Invalid{Reason: "No replica of " + app + " serves, so there is nothing to sample. Deploy or start it first."}
	}
	return replicas, nil
}
