package logship

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"kurama/logship/engine"
)

// Engine says which replicas there are. The containers of other installations
// are none of its business.
type Engine interface {
	// Replicas returns every replica, running or not.
	Replicas(ctx context.Context) ([]engine.Container, error)
	// Watch calls ready once it listens, and fn with each replica that changed or is gone, until ctx ends or it fails.
	Watch(ctx context.Context, ready func(), fn func(c engine.Container, gone bool)) error
	// Logs returns the output from since on; the error is engine.ErrGone where there is none.
	Logs(ctx context.Context, id string, since time.Time, follow bool) (engine.Output, error)
}

// watch keeps the replicas in step with the engine until ctx ends.
func (a *Agent) watch(ctx context.Context) {
	away := false
	for ctx.Err() == nil {
		err := a.watchOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		if !away {
			away = true
			a.log.Warn("The container engine is away; replicas already known go on.", "error", err)
		}
		wait(ctx, time.Second)
		if _, err := a.engine.Replicas(ctx); err == nil {
			away = false
			a.log.Info("The container engine is back.")
		}
	}
}

// watchOnce watches until the engine goes away. Listing begins when watching
// has, so that nothing falls in between.
func (a *Agent) watchOnce(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var listing sync.WaitGroup
	var listErr error
	ready := func() {
		listing.Go(func() {
			defer cancel()
			listErr = a.list(ctx)
		})
	}
	err := a.engine.Watch(ctx, ready, func(c engine.Container, gone bool) { a.apply(ctx, c, gone, time.Now()) })
	cancel()
	listing.Wait()
	if listErr != nil && !errors.Is(listErr, context.Canceled) {
		return listErr
	}
	return err
}

// list asks for all replicas, now and every relist, until ctx ends or the
// engine fails.
func (a *Agent) list(ctx context.Context) error {
	ticker := time.NewTicker(relist)
	defer ticker.Stop()
	for {
		if err := a.listOnce(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

func (a *Agent) listOnce(ctx context.Context) error {
	before, asOf := a.ids(), time.Now()
	list, err := a.engine.Replicas(ctx)
	if err != nil {
		return err
	}
	exists := map[string]bool{}
	for _, c := range list {
		exists[c.ID] = true
		a.apply(ctx, c, false, asOf)
	}
	for _, id := range before {
		if !exists[id] {
			a.apply(ctx, engine.Container{ID: id}, true, asOf)
		}
	}
	if !a.listed.Swap(true) {
		a.checkpoint.Keep(func(id string) bool { return exists[id] })
	}
	return nil
}

// apply takes note of what the engine said about one container at a time.
func (a *Agent) apply(ctx context.Context, c engine.Container, gone bool, asOf time.Time) {
	p, made := a.replica(c, gone)
	if p == nil {
		return
	}
	if p.set(c, gone, asOf) {
		a.sampleSoon(p)
	}
	if err := p.listen(ctx, func(l *net.UnixListener) { a.accept(l, p) }); err != nil {
		a.log.Error("A replica's socket cannot be opened.", "replica", p.who.Replica, "error", err)
	}
	if made {
		a.reading.Go(func() {
			a.readOutput(a.sources, p)
			a.forget(p)
		})
	}
}

// replica returns the replica of a container, and makes it where it is new.
func (a *Agent) replica(c engine.Container, gone bool) (p *replica, made bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.replicas[c.ID]; p != nil || gone {
		return p, false
	}
	if !safeName(c.Replica) || a.sources.Err() != nil {
		return nil, false
	}
	p = &replica{id: c.ID, who: c, now: c, found: !a.listed.Load(), changed: make(chan struct{}, 1),
		resends: rate.NewLimiter(resendRate, resendBurst),
		folder:  filepath.Join(a.opts.RunDir, "replicas", c.Replica)}
	a.replicas[c.ID] = p
	a.named[c.Replica] = p
	return p, true
}

// forget ends the care for a replica whose container is gone and read.
func (a *Agent) forget(p *replica) {
	_, gone := p.state()
	if !gone {
		return // the agent ends
	}
	p.close()
	a.checkpoint.Forget(p.id)
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.replicas, p.id)
	if a.named[p.who.Replica] == p {
		delete(a.named, p.who.Replica)
	}
}

func (a *Agent) ids() []string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	ids := make([]string, 0, len(a.replicas))
	for id := range a.replicas {
		ids = append(ids, id)
	}
	return ids
}

// replicaNamed returns the replica of the name, nil where there is none.
func (a *Agent) replicaNamed(name string) *replica {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.named[name]
}
