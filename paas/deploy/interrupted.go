package deploy

import (
	"errors"
	"time"

	"kurama/paas"
)

// interruptedPause is between two tries to find the deploys that were cut off.
const interruptedPause = 2 * time.Second

// failInterrupted marks the deploys that died with an earlier process. It tries
// until the store answers: nobody else would end them.
func (d *Deployer) failInterrupted() {
	for told := false; ; told = true {
		err := d.failInterruptedOnce()
		if err == nil || d.life.Err() != nil {
			return
		}
		if !told {
			d.Log.Error("unfinished releases are not looked for yet", "error", err)
		}
		select {
		case <-time.After(interruptedPause):
		case <-d.life.Done():
			return
		}
	}
}

func (d *Deployer) failInterruptedOnce() error {
	apps, err := d.Store.AllApps(d.life)
	if err != nil {
		return err
	}
	var errs []error
	for _, app := range apps {
		releases, err := d.Store.Releases(d.life, app.Tenant, app.Name, 0)
		errs = append(errs, err)
		for _, r := range releases {
			ours := r.CreatedAt.After(d.began) || d.underWay(key{r.Tenant, r.App}, r.Number)
			if !ours && (r.State == paas.ReleaseBuilding || r.State == paas.ReleaseStarting) {
				d.fail(r, &paas.Invalid{Reason: "Kurama was stopped during this deploy. Deploy again."})
			}
		}
	}
	return errors.Join(errs...)
}
