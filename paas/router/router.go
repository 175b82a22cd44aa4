// Package router is the data plane: it takes the HTTP requests of all apps on
// one port, sends each to a replica of the app that its host name belongs to, and
// makes one record of it. All it knows is a routing table, which it keeps on
// disk, so that it serves on while every other role is gone.
package router

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"kurama/internal/config"
	"kurama/logship/record"
)

// Sender takes request records on their way to the agent. It never blocks;
// false means that the record was dropped and counted.
type Sender interface {
	Send(r *record.Record) bool
}

// Options are what the router needs beside its configuration.
type Options struct {
	Listener    net.Listener  // public port
	TLS         net.Listener  // encrypted public port; nil: none
	Control     net.Listener  // control socket, RUN/router.sock
	Releases    string        // folder of the sources, <tenant>/<app>/<release>/; empty: no static file is served
	StatePath   string        // file of the last table; its folder is made where missing
	Domain      string        // apps answer on names under it; the bare name serves /healthz
	CertFolder  string        // of certificates and the account's key; needed with TLS
	Records     Sender        // where request records go
	StopTimeout time.Duration // bound of a clean stop; 0 means 20 s
	Log         *slog.Logger
}

// Router proxies requests to replicas. Make it with New.
type Router struct {
	cfg  config.Router
	opts Options
	log  *slog.Logger

	table   atomic.Pointer[table]
	applyMu sync.Mutex // orders Apply; held over the write to disk
	goneMu  sync.Mutex
	gone    []*app // apps that left the table while requests were in flight

	certs   *certificates // nil: no TLS
	tunnels tunnels
	unknown atomic.Int64 // requests for a host that no app has
	retries atomic.Int64
	dropped atomic.Int64 // records refused by Records
	metrics http.Handler
}

// New returns a router that has loaded the table of its last run. It fails when
// that file is there and cannot be read.
func New(cfg config.Router, opts Options) (*Router, error) {
	if opts.Listener == nil || opts.Control == nil || opts.Records == nil || opts.StatePath == "" {
		return nil, errors.New("router: Listener, Control, Records and StatePath must be given")
	}
	if opts.StopTimeout <= 0 {
		opts.StopTimeout = 20 * time.Second
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	rt := &Router{cfg: cfg, opts: opts, log: opts.Log}
	saved, err := loadTable(opts.StatePath)
	if err != nil {
		return nil, err
	}
	rt.swap(saved)
	if opts.TLS != nil {
		if rt.certs, err = newCertificates(cfg.TLS, opts.CertFolder, opts.Listener, opts.TLS, rt.knows, opts.Log); err != nil {
			return nil, err
		}
	}
	rt.metrics = newMetrics(rt)
	return rt, nil
}

// Run serves until ctx ends; requests in flight then have StopTimeout to end.
func (rt *Router) Run(ctx context.Context) error {
	public := rt.publicServer()
	control := &http.Server{Handler: rt.control(), ReadHeaderTimeout: 10 * time.Second}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return ended(public.Serve(rt.opts.Listener)) })
	group.Go(func() error { return ended(control.Serve(rt.opts.Control)) })
	if rt.certs != nil {
		defer rt.certs.close()
		group.Go(func() error { return ended(public.ServeTLS(rt.opts.TLS, "", "")) })
		rt.log.Info("router serves with TLS", "address", rt.opts.TLS.Addr().String(), "directory", rt.cfg.TLS.Directory)
	}
	group.Go(func() error { rt.tick(ctx); return nil })
	group.Go(func() error {
		<-ctx.Done()
		return rt.stop(public, control)
	})
	rt.log.Info("router serves", "address", rt.opts.Listener.Addr().String(), "table", rt.table.Load().version)
	return group.Wait()
}

// publicServer serves the plain port and, where there is one, the encrypted one.
func (rt *Router) publicServer() *http.Server {
	server := &http.Server{
		Handler:           rt,
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(rt.log.Handler(), slog.LevelDebug),
		Protocols:         &http.Protocols{},
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(true)
	server.Protocols.SetUnencryptedHTTP2(rt.cfg.H2C)
	if rt.certs != nil {
		server.TLSConfig = rt.certs.serverConfig()
	}
	return server
}

// ended takes the end of a server that was stopped for no error.
func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// stop ends both servers under one deadline; the control socket goes last, so that
// drains can be watched until then.
func (rt *Router) stop(public, control *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), rt.opts.StopTimeout)
	defer cancel()
	rt.tunnels.close()
	if err := public.Shutdown(ctx); err != nil {
		rt.log.Warn("requests in flight were cut off at the stop", "after", rt.opts.StopTimeout)
		_ = public.Close()
	}
	rt.tunnels.wait()
	for _, a := range rt.table.Load().apps {
		a.closeIdle(time.Time{})
	}
	if err := control.Shutdown(ctx); err != nil {
		_ = control.Close()
	}
	return nil
}

// tick takes a sample of each app every second and closes connections that have
// been idle for long.
func (rt *Router) tick(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			rt.sample(now)
		}
	}
}

// tunnels are the upgraded connections, which http.Server does not stop.
type tunnels struct {
	mu     sync.Mutex
	open   map[*tunnel]struct{}
	closed bool
	wg     sync.WaitGroup
}

// add registers t, or reports false when the router is stopping.
func (ts *tunnels) add(t *tunnel) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.closed {
		return false
	}
	if ts.open == nil {
		ts.open = map[*tunnel]struct{}{}
	}
	ts.open[t] = struct{}{}
	ts.wg.Add(1)
	return true
}

func (ts *tunnels) remove(t *tunnel) {
	ts.mu.Lock()
	delete(ts.open, t)
	ts.mu.Unlock()
	ts.wg.Done()
}

func (ts *tunnels) close() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.closed = true
	for t := range ts.open {
		t.close()
	}
}

func (ts *tunnels) wait() { ts.wg.Wait() }
