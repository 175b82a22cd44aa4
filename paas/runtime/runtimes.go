package runtime

import (
	"cmp"
	"context"
	"fmt"
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
	for name := range strings.FieldsFuncSeq(e.cfg.Runtimes, func(r rune) bool { return r == ',' || r == ' ' }) {
		_, installed := info.Runtimes[name]
		found.Choices = append(found.Choices, paas.RuntimeChoice{Name: name, Installed: installed})
	}
	return found, nil
}
