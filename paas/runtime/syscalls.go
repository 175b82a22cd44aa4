package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/moby/profiles/seccomp"
)

// systemCalls is the filter of system calls that new engines have by default.
// It is given to every container, because those of older engines leave open what
// has been broken through since: io_uring before Docker 25.0, for one.
var systemCalls = sync.OnceValues(func() (string, error) {
	text, err := json.Marshal(seccomp.DefaultProfile())
	return "seccomp=" + string(text), err
})

// SecurityOptions are those of every container that runs somebody's code. An
// engine without such filters, which `kurama doctor` tells of, would refuse one.
func (e *Engine) SecurityOptions(ctx context.Context) ([]string, error) {
	options := []string{"no-new-privileges:true"}
	if err := e.ask(ctx); err != nil {
		return nil, err
	}
	if !e.filters {
		return options, nil
	}
	profile, err := systemCalls()
	return append(options, profile), err
}

// ask learns once what the engine can do.
func (e *Engine) ask(ctx context.Context) error {
	e.info.Lock()
	defer e.info.Unlock()
	if e.driver != "" {
		return nil
	}
	info, err := e.docker.Info(ctx)
	if err != nil {
		return fmt.Errorf("asking the engine what it can do: %w", err)
	}
	e.driver = info.CgroupDriver
	e.filters = slices.ContainsFunc(info.SecurityOptions, func(o string) bool { return strings.HasPrefix(o, "name=seccomp") })
	return nil
}
