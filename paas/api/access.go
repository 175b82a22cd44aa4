package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"

	"kurama/paas"
)

// Sessions recognises callers and signs them in and out.
type Sessions interface {
	// Identify returns paas.ErrDenied for nobody.
	Identify(r *http.Request) (paas.Identity, error)
	// SignIn returns paas.ErrDenied or *paas.Throttled, and sets the cookie.
	SignIn(w http.ResponseWriter, r *http.Request, name, password string) (paas.Identity, error)
	SignOut(w http.ResponseWriter, r *http.Request) error
	// SetPassword returns *paas.Invalid or *paas.Throttled.
	SetPassword(r *http.Request, id paas.Identity, before, after string) error
}

// crossOrigin refuses what another site makes a browser send.
var crossOrigin http.CrossOriginProtection

// authorize fills c with the caller and the tenant acted on. The order of its
// checks is part of the contract: nobody is told more than they may know.
func (a *API) authorize(c *call, need paas.Role) error {
	if c.r.Header.Get("Authorization") == "" {
		if err := crossOrigin.Check(c.r); err != nil {
			return forbidden("Another site sent this request. Use the console itself.")
		}
	}
	if need == public {
		return nil
	}
	id, err := a.deps.Sessions.Identify(c.r)
	if err != nil {
		return err
	}
	c.Identity = id
	if c.tenant, err = a.actingOn(c.r.Context(), id, c.r.URL.Query().Get("tenant")); err != nil {
		return err
	}
	if !id.Role.Includes(need) {
		return forbidden(fmt.Sprintf("This needs the role %s; yours is %s. Ask an owner of tenant %s.", need, id.Role, id.Tenant))
	}
	return checkCSRF(c.r, id)
}

// actingOn returns the tenant that id may act on as named. That a tenant
// exists is nobody's business but its own and the operators'.
func (a *API) actingOn(ctx context.Context, id paas.Identity, named string) (string, error) {
	switch {
	case named == "" || named == id.Tenant:
		return id.Tenant, nil
	case id.Role != paas.RoleOperator:
		return "", fmt.Errorf("tenant %s: %w", named, paas.ErrNotFound)
	}
	return named, a.deps.Tenants.HasTenant(ctx, named)
}

// checkCSRF asks for the session's token where a browser has sent the cookie by
// itself.
func checkCSRF(r *http.Request, id paas.Identity) error {
	if !id.ViaCookie || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if id.CSRF == "" || subtle.ConstantTimeCompare([]byte(r.Header.Get("X-CSRF-Token")), []byte(id.CSRF)) != 1 {
		return forbidden("The header X-CSRF-Token does not fit the session. Reload the page.")
	}
	return nil
}

// appExists returns paas.ErrNotFound unless the app is the acting tenant's.
func (a *API) appExists(ctx context.Context, app string) error {
	_, err := a.deps.Store.App(ctx, callOf(ctx).tenant, app)
	return err
}

// isNotFound keeps the reading of switches short.
func isNotFound(err error) bool { return errors.Is(err, paas.ErrNotFound) }
