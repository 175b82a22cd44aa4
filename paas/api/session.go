package api

import (
	"context"
	"net"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Session tells a caller who they are and where things are.
type Session struct {
	User         string    `json:"user"`
	Role         paas.Role `json:"role"`
	Tenant       string    `json:"tenant"`
	CSRF         string    `json:"csrf" doc:"Value for X-CSRF-Token; empty for a token"`
	DashboardURL string    `json:"dashboard_url"`
	RouterPort   int       `json:"router_port"`
	Domain       string    `json:"domain" doc:"Apps answer below it"`
}

type signIn struct {
	Body struct {
		Name     string `json:"name"`
		Password string `json:"password"`
	}
}

func (a *API) sessionRoutes() {
	register(a, huma.Operation{OperationID: "sign-in", Method: http.MethodPost, Path: "/session", Summary: "Sign in"},
		public, func(ctx context.Context, in *signIn) (*answer[Session], error) {
			c := callOf(ctx)
			c.User, c.weighed = in.Body.Name, true // for the audit log
			id, err := a.deps.Sessions.SignIn(c.w, c.r, in.Body.Name, in.Body.Password)
			if err != nil {
				return nil, err
			}
			c.Identity = id
			return reply(a.session(c.r, id)), nil
		})
	register(a, huma.Operation{OperationID: "get-session", Method: http.MethodGet, Path: "/session", Summary: "Who am I"},
		paas.RoleViewer, func(ctx context.Context, _ *InTenant) (*answer[Session], error) {
			c := callOf(ctx)
			return reply(a.session(c.r, c.Identity)), nil
		})
	register(a, huma.Operation{OperationID: "sign-out", Method: http.MethodDelete, Path: "/session", Summary: "Sign out"},
		paas.RoleViewer, func(ctx context.Context, _ *InTenant) (*nothing, error) {
			c := callOf(ctx)
			return nil, a.deps.Sessions.SignOut(c.w, c.r)
		})
	register(a, huma.Operation{OperationID: "set-password", Method: http.MethodPut, Path: "/session/password",
		Summary: "Change one's own password; ends one's other sessions"},
		paas.RoleViewer, func(ctx context.Context, in *struct {
			InTenant
			Body struct {
				Old string `json:"old"`
				New string `json:"new"`
			}
		}) (*nothing, error) {
			c := callOf(ctx)
			if !c.ViaCookie {
				return nil, forbidden("A token cannot change a password. Sign in with name and password.")
			}
			return nil, a.deps.Sessions.SetPassword(c.r, c.Identity, in.Body.Old, in.Body.New)
		})
}

func (a *API) session(r *http.Request, id paas.Identity) Session {
	return Session{User: id.User, Role: id.Role, Tenant: id.Tenant, CSRF: id.CSRF,
		DashboardURL: a.dashboardURL(r), RouterPort: a.deps.RouterPort, Domain: a.deps.Domain}
}

// dashboardURL names the host by which the caller has come: the session cookie
// is for that host alone.
func (a *API) dashboardURL(r *http.Request) string {
	if a.deps.DashboardURL != "" {
		return a.deps.DashboardURL
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	scheme := "http"
	if r.TLS != nil { // the dashboard has the same certificate
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(a.deps.DashboardPort))
}

// address returns where an app answers.
func (a *API) address(tenant, app string) string {
	return paas.Address(paas.Hosts(tenant, app, a.deps.Domain)[0], a.deps.RouterPort, a.deps.TLSPort)
}
