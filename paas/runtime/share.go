package runtime

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kurama/paas"
)

// All containers of a tenant are in one control group, a neighbour of those of
// the other tenants. While the cores are busy the kernel shares them out among
// these groups by weight, however many processes are in each, so that a tenant
// with a hundred busy replicas gets no more than one with a single one.

const (
	systemdDriver = "systemd"
	// buildWeight is what all builds together get, so that running apps keep their speed.
	buildWeight = paas.DefaultCPUWeight / 2
)

// share returns the control group of a tenant as the engine takes it.
func (e *Engine) share(ctx context.Context, tenant string) (string, error) {
	if err := e.ask(ctx); err != nil {
		return "", err
	}
	if e.driver == systemdDriver {
		return sliceName(e.opts.Instance, tenant), nil
	}
	return "/" + e.shareName(tenant), nil
}

func (e *Engine) shareName(tenant string) string {
	return "kurama-" + e.opts.Instance + "-" + strings.Replace(tenant, ".", "_", 1) // builds are no tenant: no name has a _
}

// sliceName names a slice directly below the root: systemd takes a dash for a
// level of its own.
func sliceName(instance, tenant string) string {
	return "kurama_" + strings.NewReplacer("-", "_", ".", "_").Replace(instance+"_"+tenant) + ".slice"
}

// BuildShare returns the control group that builds run in.
func (e *Engine) BuildShare(ctx context.Context) (string, error) {
	group, err := e.share(ctx, buildNetwork)
	if err == nil {
		err = e.weigh(ctx, buildNetwork, buildWeight)
	}
	return group, err
}

// weigh gives a tenant's control group its weight, made where it is missing.
func (e *Engine) weigh(ctx context.Context, tenant string, weight int) error {
	group, err := e.share(ctx, tenant)
	if err != nil || os.Getuid() != 0 {
		return err
	}
	e.weights.own(strings.TrimPrefix(group, "/"), weight)
	if e.driver == systemdDriver {
		return tool(ctx, "systemctl", "set-property", "--runtime", group, fmt.Sprintf("CPUWeight=%d", weight))
	}
	k := findKernel(groups)
	if err := os.MkdirAll(k.folder("cpu", group), 0o755); err != nil {
		return fmt.Errorf("control group of %s: %w", tenant, err)
	}
	if err := k.weigh(group, float64(weight)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("weight of %s: %w", tenant, err)
	}
	return nil
}

// removeShares removes the control groups of an installation that has no
// container any more; systemd does so by itself.
func (e *Engine) removeShares() {
	for _, pattern := range []string{groups + "/*/", groups + "/"} {
		found, _ := filepath.Glob(pattern + e.shareName("*"))
		for _, folder := range found {
			_ = os.Remove(folder) // one that is in use stays, as it should
		}
	}
}
