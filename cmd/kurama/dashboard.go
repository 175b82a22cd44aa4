package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"

	"kurama/dashboard"
	"kurama/internal/config"
	"kurama/internal/role"
	"kurama/paas"
	"kurama/paas/auth"
	"kurama/paas/store"
	"kurama/services/persist"
	"kurama/services/profile"
	"kurama/web"
)

func newDashboard(ctx context.Context, w *wiring) (runner, error) {
	pool, err := w.pool(ctx)
	if err != nil {
		return nil, err
	}
	st, err := w.stream(ctx)
	if err != nil {
		return nil, err
	}
	gate, err := w.gate(ctx, pool, paas.ServiceDashboard)
	if err != nil {
		return nil, err
	}
	ln, err := role.Listener(0, w.cfg.Dashboard.Listen)
	if err != nil {
		return nil, portSentence("dashboard.listen", w.cfg.Dashboard.Listen, err)
	}
	if ln, err = role.Secure(ln, w.cfg.TLS, w.log); err != nil {
		return nil, err
	}
	return dashboard.New(w.cfg.Dashboard, dashboard.Options{
		Listener: ln, Stream: st, Gate: gate, Auth: viewers{auth.New(w.cfg.Console, pool)}, Apps: store.New(pool),
		History: pastQuery{persist.NewQuery(pool), profile.NewQuery(pool), w.cfg.Logship.SampleInterval},
		Pages:   web.Handler(web.Pages(), "dashboard.html"), Policy: web.Policy,
		URL: dashboardURL(w.cfg), ConsoleURL: w.cfg.Console.URL, ConsolePort: portNumber(w.cfg.Console.Listen), RouterPort: portNumber(w.cfg.Router.Listen), Domain: w.cfg.Domain, Log: w.log,
	})
}

// viewers lets people who are signed in at the console use the dashboard.
type viewers struct{ auth *auth.Auth }

// Identify returns who sent r, or dashboard.ErrUnauthenticated.
func (v viewers) Identify(r *http.Request) (dashboard.Identity, error) {
	id, err := v.auth.Identify(r)
	if errors.Is(err, paas.ErrDenied) {
		return dashboard.Identity{}, dashboard.ErrUnauthenticated
	}
	return dashboard.Identity{User: id.User, Tenant: id.Tenant, Role: id.Role, CSRF: id.CSRF, Blind: !id.Has(paas.ScopeRead, paas.ScopeLive), App: id.App}, err
}

// portOf returns the port of a checked listen address.
func portOf(listen string) string {
	_, port, _ := net.SplitHostPort(listen) // the configuration was checked
	return port
}

func consoleURL(cfg config.Config) string {
	return orLocal(cfg.Console.URL, cfg.TLS, portOf(cfg.Console.Listen))
}

func dashboardURL(cfg config.Config) string {
	return orLocal(cfg.Dashboard.URL, cfg.TLS, portOf(cfg.Dashboard.Listen))
}

// tlsPort is the port of the apps' https addresses; 0 where they have none: no
// authority vouches for a name below localhost.
func tlsPort(cfg config.Config) int {
	if cfg.Router.TLS.Listen == "" || cfg.Domain == "localhost" || strings.HasSuffix(cfg.Domain, ".localhost") {
		return 0
	}
	return portNumber(cfg.Router.TLS.Listen)
}

// portNumber is the port of a listen address as a number, 0 where it has a name.
func portNumber(listen string) int {
	n, err := strconv.Atoi(portOf(listen))
	if err != nil {
		return 0
	}
	return n
}
