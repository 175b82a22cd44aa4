package runtime

import (
	"context"
	"math"
	"os"
	goruntime "runtime"
	"sync"
	"time"

	"kurama/paas"
)

// lookEvery is the time between two looks at what tenants take.
const lookEvery = 100 * time.Millisecond

// weights are those of the groups that have one of their own.
type weights struct {
	mu sync.Mutex
	of map[string]int
}

func (w *weights) own(group string, weight int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == nil {
		w.of = map[string]int{}
	}
	w.of[group] = weight
}

func (w *weights) get(group string) float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if own, ok := w.of[group]; ok {
		return float64(own)
	}
	return paas.DefaultCPUWeight
}

// keeper keeps the peace between neighbours while the cores are busy: tenants
// that take much yield to those that take little, and a replica that makes the
// engine or the kernel work for it is slowed.
type keeper struct {
	engine   *Engine
	kernel   kernel
	cores    float64
	pattern  string // of the tenants' groups
	host     load
	tenants  map[string]*load
	replicas map[string]*suspect // by group
	met      chan met
	all      bool // every container has been asked for: an earlier process may have left one slowed
	tell     func(replica string, slowed bool, says string)
}

// KeepFair does so until ctx ends, and tells of each replica that is slowed,
// or is no more. Where the control groups cannot be written (an engine on
// another host, no root) it does nothing.
func (e *Engine) KeepFair(ctx context.Context, tell func(replica string, slowed bool, says string)) error {
	if os.Getuid() != 0 {
		return nil
	}
	return e.newKeeper(float64(goruntime.NumCPU()), tell).run(ctx)
}

func (e *Engine) newKeeper(cores float64, tell func(replica string, slowed bool, says string)) *keeper {
	return &keeper{engine: e, kernel: findKernel(groups), cores: cores, tenants: map[string]*load{}, replicas: map[string]*suspect{}, met: make(chan met), tell: tell}
}

func (k *keeper) run(ctx context.Context) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-k.met:
			k.take(m)
		case now := <-ticker.C:
			err := k.look(ctx, now)
			if err != nil && !failing && ctx.Err() == nil {
				k.engine.opts.Log.Warn("tenants that take much of the cores do not yield to the others", "error", err)
			}
			failing = err != nil
		}
	}
}

// look reads what is taken, and acts while the cores are busy or somebody is
// held back.
func (k *keeper) look(ctx context.Context, now time.Time) error {
	if k.pattern == "" {
		if err := k.engine.ask(ctx); err != nil {
			return err
		}
		k.pattern = k.engine.shareName("*")
		if k.engine.driver == systemdDriver {
			k.pattern = sliceName(k.engine.opts.Instance, "*")
		}
	}
	if used, err := k.kernel.used(""); err == nil {
		k.host.note(used, now)
		if k.all && k.host.cores < k.cores/2 && !k.holding() {
			return nil
		}
	}
	found := map[string]bool{}
	for _, group := range k.kernel.below("", k.pattern) {
		found[group] = true
		k.note(group, now)
	}
	for group := range k.tenants {
		if !found[group] {
			delete(k.tenants, group)
		}
	}
	k.suspects(ctx, now)
	return k.yield()
}

func (k *keeper) note(group string, now time.Time) {
	used, err := k.kernel.used(group)
	if err != nil {
		return // it has just gone
	}
	if k.tenants[group] == nil {
		k.tenants[group] = &load{}
	}
	l := k.tenants[group]
	if weight := k.engine.weights.get(group); weight != l.weight {
		l.weight, l.part = weight, 0 // what was set before is not known
	}
	l.note(used, now)
}

// yield sets the weights of the tenants by what they take.
func (k *keeper) yield() error {
	var names []string
	var loads []*load
	for group, l := range k.tenants {
		names, loads = append(names, group), append(loads, l)
	}
	for i, part := range parts(loads, k.cores) {
		l := loads[i]
		if l.part == part || part < 1 && l.part > 0 && math.Abs(math.Log(part/l.part)) < 0.25 {
			continue // writing takes the kernel's time too
		}
		if err := k.kernel.weigh(names[i], l.weight*part); err != nil {
			if _, gone := os.Stat(k.kernel.folder("cpu", names[i])); gone != nil {
				continue
			}
			return err
		}
		l.part = part
	}
	return nil
}

// holding reports whether a tenant or a replica has less than is its own.
func (k *keeper) holding() bool {
	for _, l := range k.tenants {
		if l.part < 1 {
			return true
		}
	}
	for _, s := range k.replicas {
		if s.part < 1 {
			return true
		}
	}
	return false
}
