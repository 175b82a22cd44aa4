package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"kurama/logship/record"
	"kurama/paas"
)

const (
	pagesApps   = 10_000
	pagesRoutes = 500
	pagesRows   = 5_000_000
	pagesRate   = 1000 // requests per second while the pages are looked at, half of them of the app with the routes
	pageLimit   = 2000 // ms until a page shows what it is for
)

// opened is what web/e2e/many.mjs prints of a page.
type opened struct {
	Page  string  `json:"page"`
	Shown float64 `json:"shown"` // ms from the navigation until what it is for is there
	Share float64 `json:"share"` // of a core, by its main thread in the seconds after, percent
	Heap  float64 `json:"heap"`  // bytes after a collection
	Nodes float64 `json:"nodes"`
}

// measurePages opens the pages where there is a lot to show.
func (b *bench) measurePages(ctx context.Context) error {
	p, err := b.up(ctx)
	if err != nil {
		return err
	}
	if err := p.storeApps(ctx); err != nil {
		return err
	}
	if _, err := p.pool.Exec(ctx, `INSERT INTO apps (tenant, name, state, desired) SELECT $1, 'many-' || i, 'stopped', 0 FROM generate_series(0, $2) i ON CONFLICT DO NOTHING`,
		paas.DefaultTenant, pagesApps-1); err != nil {
		return fmt.Errorf("making %d apps: %w", pagesApps, err)
	}
	s := newStore(p, min(b.rows, pagesRows))
	began := time.Now()
	if _, err := s.fill(ctx); err != nil {
		return err
	}
	if err := s.requests(ctx, pagesRoutes, pagesRoutes, 55); err != nil {
		return err
	}
	if _, err := p.pool.Exec(ctx, "VACUUM (ANALYZE) records"); err != nil {
		return fmt.Errorf("analysing the store: %w", err)
	}
	b.say("%d apps, %d routes and %s rows after %.0f s", pagesApps, pagesRoutes, number(float64(s.rows)), time.Since(began).Seconds())
	if err := p.settle(ctx); err != nil {
		return err
	}
	pages, err := b.openPages(ctx, p)
	if err != nil {
		return err
	}
	for _, o := range pages {
		b.report.add(figure{Section: "pages", Name: o.Page, Unit: "ms", Value: o.Shown, Peer: "bound", PeerValue: pageLimit, Aim: valueAtMost(pageLimit)})
		b.say("%s: then %.1f %% of a core, heap %.1f MB, %.0f nodes", o.Page, o.Share, o.Heap/1e6, o.Nodes)
	}
	return nil
}

// openPages looks at them while all apps, and all routes of one, have requests.
func (b *bench) openPages(ctx context.Context, p *platform) ([]opened, error) {
	loading, stop := context.WithCancel(ctx)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		p.requests(loading, pagesRate, 1<<30, func(i int, r *record.Record) {
			r.App, r.Replica = "many-"+strconv.Itoa(i/2%pagesApps), ""
			if i%2 == 0 {
				r.App, r.Route = profiledApp, "/part/"+strconv.Itoa(i/2%pagesRoutes)+"/<id>"
			}
		})
	}()
	defer func() { stop(); <-sent }()
	var pages []opened
	err := b.browser(ctx, p, "many.mjs", 2*time.Minute, &pages, "BUSY="+busyApp, "ROUTES="+profiledApp)
	if err == nil && len(pages) == 0 {
		err = fmt.Errorf("the browser opened no page")
	}
	return pages, err
}
