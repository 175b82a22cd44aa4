package deploy

import (
	"context"
	"errors"

	"kurama/paas"
)

// checkPipeline returns *paas.Invalid where the pipeline that kurama.yaml
// declares cannot be, or would delete from the app's archive. A rollback is not
// held up by that: setPipeline leaves the pipeline as it is.
func (d *Deployer) checkPipeline(ctx context.Context, rel paas.Release) error {
	declared := rel.Start.Pipeline
	if declared == nil {
		return nil
	}
	if err := d.Pipelines.CheckPipeline(*declared); err != nil || rel.RollbackOf > 0 {
		return err
	}
	return d.Pipelines.CheckArchive(ctx, rel.Tenant, rel.App, *declared)
}

// setPipeline puts in force what the kurama.yaml of a release that is live says
// of one. Who deploys cannot delete from the archive by it.
func (d *Deployer) setPipeline(ctx context.Context, rel paas.Release) {
	declared := rel.Start.Pipeline
	if declared == nil {
		return
	}
	err := d.Pipelines.CheckArchive(ctx, rel.Tenant, rel.App, *declared)
	if err == nil {
		err = d.Pipelines.SetPipeline(ctx, rel.Tenant, rel.App, rel.CreatedBy, *declared)
	}
	if err == nil {
		d.say(rel, "pipeline", "The pipeline of `kurama.yaml` is in force.")
		return
	}
	reason := "It could not be stored; set it on the app's page Pipeline."
	if bad, ok := errors.AsType[*paas.Invalid](err); ok {
		reason = bad.Reason
	}
	d.say(rel, "pipeline", "The pipeline stays as it was, not as `kurama.yaml` says. %s", reason)
	d.Log.Warn("the pipeline that kurama.yaml sets is not stored", "app", rel.App, "release", rel.Number, "error", err)
}
