package deploy

import (
	"context"
	"fmt"

	"kurama/paas"
)

// deploying is a deploy under way.
type deploying struct {
	cancel context.CancelCauseFunc
	over   chan struct{} // closed when all of it is done
}

// Cancel ends the deploy of a release that is under way, and returns the
// release once nothing of it works any more: failed, or live where it was just
// going so. The app's former release serves on. It returns paas.ErrNotFound for
// a release that does not exist and *paas.Invalid for one that has ended.
func (d *Deployer) Cancel(ctx context.Context, tenant, app string, number int, by string) (paas.Release, error) {
	d.mu.Lock()
	var under *deploying
	if f := d.fleets[key{tenant, app}]; f != nil {
		under = f.numbers[number]
	}
	d.mu.Unlock()
	if under != nil {
		under.cancel(&paas.Invalid{Reason: fmt.Sprintf("Cancelled by %s.", by)})
		select {
		case <-under.over:
		case <-ctx.Done():
			return paas.Release{}, ctx.Err()
		}
	}
	rel, err := d.Store.Release(ctx, tenant, app, number)
	if err == nil && under == nil {
		err = &paas.Invalid{Reason: fmt.Sprintf("Release %d is not on its way any more: it is %s.", number, rel.State)}
	}
	return rel, err
}
