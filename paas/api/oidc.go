package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Provider signs people in elsewhere, by OpenID Connect.
type Provider interface {
	Name() string
	// Start returns where to send the browser.
	Start(w http.ResponseWriter, r *http.Request, invitation string) (string, error)
	// Finish returns who came back, signed in, or *paas.Throttled.
	Finish(w http.ResponseWriter, r *http.Request) (paas.Identity, error)
}

type providerView struct {
	Enabled bool   `json:"enabled"`
	Name    string `json:"name" doc:"Of the provider, for the button"`
	Start   string `json:"start" doc:"Where the button leads; POST there with the secret of an invitation joins by it"`
}

type joinByProvider struct {
	Body struct {
		Invitation string `json:"invitation" minLength:"1" maxLength:"100" doc:"Last part of the invitation's link"`
	}
}

type providerStart struct {
	Location string `json:"location" doc:"Where to send the browser"`
}

type redirect struct {
	Status   int
	Location string `header:"Location"`
}

func (a *API) oidcRoutes() {
	register(a, huma.Operation{OperationID: "get-provider", Method: http.MethodGet, Path: "/oidc", Summary: "Show with which provider people can sign in"},
		public, func(context.Context, *struct{}) (*answer[providerView], error) {
			if a.deps.Provider == nil {
				return reply(providerView{}), nil
			}
			return reply(providerView{true, a.deps.Provider.Name(), Prefix + "/oidc/start"}), nil
		})
	found := map[string]*huma.Response{"302": {Description: "To the provider, or back to the console; `/#/?sign-in-error=…` says why it failed"}}
	register(a, huma.Operation{OperationID: "start-oidc", Method: http.MethodGet, Path: "/oidc/start", Summary: "Sign in with the provider", Responses: found},
		public, func(ctx context.Context, _ *struct{}) (*redirect, error) {
			return a.toProvider(ctx, func(c *call) (string, error) { return a.deps.Provider.Start(c.w, c.r, "") })
		})
	// Not by a link: whoever is signed in at the provider would join by following it.
	register(a, huma.Operation{OperationID: "join-by-oidc", Method: http.MethodPost, Path: "/oidc/start", Summary: "Begin to accept an invitation with the provider"},
		public, func(ctx context.Context, in *joinByProvider) (*answer[providerStart], error) {
			if a.deps.Provider == nil {
				return nil, errNoProvider()
			}
			c := callOf(ctx)
			to, err := a.deps.Provider.Start(c.w, c.r, in.Body.Invitation)
			return reply(providerStart{to}), err
		})
	register(a, huma.Operation{OperationID: "finish-oidc", Method: http.MethodGet, Path: "/oidc/callback", Summary: "Come back from the provider", Responses: found},
		public, func(ctx context.Context, _ *struct{}) (*redirect, error) {
			return a.toProvider(ctx, func(c *call) (string, error) {
				c.weighed = true
				id, err := a.deps.Provider.Finish(c.w, c.r)
				c.Identity = id
				return a.console("/"), err
			})
		})
}

// console returns an address of the console: the one that people open where it
// is known, because a proxy may stand before this one.
func (a *API) console(path string) string { return strings.TrimSuffix(a.cfg.URL, "/") + path }

func errNoProvider() error {
	return newProblem(http.StatusNotFound, "There is no provider to sign in with here. Sign in with name and password.")
}

// toProvider sends the browser on. What goes wrong is told on the console's
// page: a browser that was sent here would show a document.
func (a *API) toProvider(ctx context.Context, next func(*call) (string, error)) (*redirect, error) {
	if a.deps.Provider == nil {
		return nil, errNoProvider()
	}
	c := callOf(ctx)
	to, err := next(c)
	if err == nil {
		return &redirect{http.StatusFound, to}, nil
	}
	var p *Problem
	if !errors.As(a.problem(ctx, err), &p) || p.Status >= http.StatusInternalServerError {
		return nil, err
	}
	c.failure, c.refused = p.Detail, p.Status
	return &redirect{http.StatusFound, a.console("/#/?sign-in-error=" + url.QueryEscape(p.Detail))}, nil
}
