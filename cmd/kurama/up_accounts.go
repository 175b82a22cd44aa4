package main

import (
	"context"
	"fmt"
	"time"

	"kurama/paas/auth"
)

// asWiring is what the platform itself needs of the parts that roles use.
func (p *platform) asWiring() *wiring {
	return &wiring{name: "up", cfg: p.cfg, folders: p.folders, log: p.log}
}

// accounts makes the first administrator where there is none.
func (p *platform) accounts(ctx context.Context) error {
	w := p.asWiring()
	defer w.close()
	pool, err := w.pool(ctx)
	if err != nil {
		return err
	}
	_, err = auth.New(p.cfg.Console, pool).Bootstrap(ctx, p.folders.Data)
	return err
}

// baseImage makes sure that apps have something to run in.
func (p *platform) baseImage(ctx context.Context) error {
	w := p.asWiring()
	defer w.close()
	e, err := w.engine(nil)
	if err != nil {
		return err
	}
	b, err := w.builder(e)
	if err != nil {
		return err
	}
	_, err = b.Base(ctx, func(line string) { fmt.Fprintln(p.out, "  "+line) })
	return err
}

// stopApps removes this installation's containers once all roles have ended,
// unless they are to go on.
func (p *platform) stopApps() {
	if p.leaveApps {
		return
	}
	w := p.asWiring()
	defer w.close()
	e, err := w.engine(nil)
	if err != nil {
		p.log.Error("the apps' containers were not stopped", "error", err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.cfg.StopTimeout+p.cfg.App.StopTimeout+10*time.Second)
	defer cancel()
	// Nothing is routed to them any more: they end as at a deploy, by SIGTERM.
	if err := e.StopReplicas(ctx, p.cfg.App.StopTimeout); err != nil {
		p.log.Warn("not every app ended by itself", "error", err)
	}
	if err := e.Teardown(ctx); err != nil {
		p.log.Error("the apps' containers were not all stopped", "error", err)
	}
}
