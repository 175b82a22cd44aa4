package runtime

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"kurama/paas"
)

// Runtimes returns the OCI runtimes that an app can be given: those of
// docker.runtimes, with whether the engine has them.
func (e *Engine) Runtimes(ctx context.Context) (paas.Runtimes, error) {
	info, err := e.docker.Info(ctx)
	if err != nil {
		return paas.Runtimes{}, fmt.Errorf("asking the engine for its runtimes: %w", err)
	}
	found := paas.Runtimes{Default: cmp.Or(e.cfg.Runtime, info.DefaultRuntime), Choices: []paas.RuntimeChoice{}}
	for _, name := range e.allowed() {
		_, installed := info.Runtimes[name]
		found.Choices = append(found.Choices, paas.RuntimeChoice{Name: name, Installed: installed})
	}
	return found, nil
}

// allowed returns the names in docker.runtimes.
func (e *Engine) allowed() []string {
	return strings.FieldsFunc(e.cfg.Runtimes, func(r rune) bool { return r == ',' || r == ' ' })
}

// runtimeOf returns the OCI runtime for a container; empty: the engine's own.
// An app whose runtime the operator has withdrawn gets the installation's, so
// that it still starts.
func (e *Engine) runtimeOf(spec paas.Spec) string {
	switch {
	case spec.Runtime == "":
	case slices.Contains(e.allowed(), spec.Runtime):
		return spec.Runtime
	default:
		e.opts.Log.Warn("the app's runtime is not in docker.runtimes any more; it starts by the installation's", "tenant", spec.Tenant, "app", spec.App, "runtime", spec.Runtime)
	}
	return e.cfg.Runtime
}
