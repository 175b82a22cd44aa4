package deploy

import (
	"context"
	"fmt"
	"slices"

	"kurama/paas"
)

// Runtimes returns which OCI runtime runs an app, and which could. One that the
// operator has withdrawn runs it no more: it is empty then, as for an app that
// has none of its own. It returns paas.ErrNotFound for an app that does not exist.
func (d *Deployer) Runtimes(ctx context.Context, tenant, app string) (paas.Runtimes, error) {
	a, err := d.Store.App(ctx, tenant, app)
	if err != nil {
		return paas.Runtimes{}, err
	}
	return d.runtimes(ctx, a)
}

func (d *Deployer) runtimes(ctx context.Context, a paas.App) (paas.Runtimes, error) {
	found, err := d.Engine.Runtimes(ctx)
	if slices.ContainsFunc(found.Choices, func(c paas.RuntimeChoice) bool { return c.Name == a.Runtime }) {
		found.Runtime = a.Runtime
	}
	return found, err
}

// SetRuntime runs an app by another OCI runtime (empty: the installation's)
// and restarts its replicas, one after the other. It returns *paas.Invalid for
// one that the operator does not allow or the engine has not.
func (d *Deployer) SetRuntime(ctx context.Context, tenant, app, runtime string) error {
	a, err := d.Store.App(ctx, tenant, app)
	if err != nil {
		return err
	}
	found, err := d.runtimes(ctx, a)
	if err != nil || runtime == found.Runtime && runtime == a.Runtime {
		return err
	}
	i := slices.IndexFunc(found.Choices, func(c paas.RuntimeChoice) bool { return c.Name == runtime })
	switch {
	case runtime == "":
	case i < 0:
		return &paas.Invalid{Reason: fmt.Sprintf("The runtime %q is not allowed here. The operator lists in docker.runtimes which are: %s.", runtime, orNone(found.Choices))}
	case !found.Choices[i].Installed:
		return &paas.Invalid{Reason: fmt.Sprintf("The container engine has no runtime %q. The operator has to install it, name it in /etc/docker/daemon.json and restart the engine.", runtime)}
	}
	return d.Store.SetRuntime(ctx, tenant, app, runtime)
}

func orNone(choices []paas.RuntimeChoice) string {
	var names []string
	for _, c := range choices {
		names = append(names, c.Name)
	}
	if len(names) == 0 {
		return "none"
	}
	return joined(names)
}
