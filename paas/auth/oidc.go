package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"kurama/internal/config"
	"kurama/paas"
)

// Bounds of a sign-in at the provider.
const (
	oidcCookie  = "kurama_oidc"
	oidcPath    = "/api/v1/oidc"
	oidcAge     = 10 * time.Minute
	oidcTimeout = 15 * time.Second // of each question to the provider
	oidcPause   = 10 * time.Second // after it could not be reached
)

// Provider signs people in with OpenID Connect: the authorization code flow
// with PKCE, state and nonce.
type Provider struct {
	auth *Auth
	cfg  config.OIDC

	log *slog.Logger

	asking singleflight.Group
	mu     sync.Mutex
	known  *oidc.Provider // nil until it has been reached
	until  time.Time      // a failure to reach it counts until then
}

// Provider returns the provider of cfg, or nil where none is configured. It is
// reached when somebody first signs in: the platform starts without it.
func (a *Auth) Provider(cfg config.OIDC, log *slog.Logger) *Provider {
	if cfg.Issuer == "" {
		return nil
	}
	return &Provider{auth: a, cfg: cfg, log: log}
}

// Name is what the button of the sign-in page says.
func (p *Provider) Name() string { return p.cfg.Name }

// secrets of a sign-in under way. They are the browser's own, in a cookie that
// scripts cannot read: whoever forges them deceives nobody but themselves.
type journey struct {
	State, Nonce, Verifier, Invitation string
}

// Start returns where at the provider somebody signs in, and keeps in a cookie
// what Finish needs. With the secret of an invitation they join by it; the
// caller makes sure that they asked for it themselves, because it ties their
// account at the provider to the invitation's tenant for good.
func (p *Provider) Start(w http.ResponseWriter, r *http.Request, invitation string) (string, error) {
	if invitation != "" {
		if _, err := p.auth.Invitation(r.Context(), invitation); err != nil {
			return "", err
		}
	}
	client, _, err := p.client(r.Context())
	if err != nil {
		return "", err
	}
	j := journey{State: secret(), Nonce: secret(), Verifier: oauth2.GenerateVerifier(), Invitation: invitation}
	text, err := json.Marshal(j)
	if err != nil {
		return "", fmt.Errorf("keeping a sign-in: %w", err)
	}
	c := cookie(r, base64.RawURLEncoding.EncodeToString(text), time.Now().Add(oidcAge), int(oidcAge/time.Second))
	c.Name, c.Path = oidcCookie, oidcPath
	http.SetCookie(w, c)
	return client.AuthCodeURL(j.State, oidc.Nonce(j.Nonce), oauth2.S256ChallengeOption(j.Verifier)), nil
}

// client returns the OAuth client and the provider, which is asked for its
// addresses and keys once.
func (p *Provider) client(ctx context.Context) (*oauth2.Config, *oidc.Provider, error) {
	known, err := p.discover(ctx)
	if err != nil {
		return nil, nil, err
	}
	return &oauth2.Config{ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret.Reveal(), Endpoint: known.Endpoint(),
		RedirectURL: strings.TrimSuffix(p.auth.cfg.URL, "/") + oidcPath + "/callback", Scopes: []string{oidc.ScopeOpenID, "email", "profile"}}, known, nil
}

// discover asks the provider once for all who wait, each as long as they like,
// and does not ask again for a while after a failure.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	answer := p.asking.DoChan("", func() (any, error) {
		p.mu.Lock()
		known, until := p.known, p.until
		p.mu.Unlock()
		if known != nil || time.Now().Before(until) {
			return known, nil
		}
		// The provider goes on to fetch keys with this context's client, after
		// the request has ended.
		known, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), &http.Client{Timeout: oidcTimeout}), p.cfg.Issuer)
		if err != nil {
			p.log.Warn("the provider of sign-ins cannot be reached", "issuer", p.cfg.Issuer, "error", err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.known, p.until = known, time.Now().Add(oidcPause)
		return known, nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-answer:
		if known, _ := r.Val.(*oidc.Provider); known != nil {
			return known, nil
		}
		return nil, &paas.Invalid{Reason: p.cfg.Name + " cannot be reached. Sign in with your password, or try again in a minute."}
	}
}

// claims are what the provider says of a person.
type claims struct {
	Subject  string `json:"sub"`
	Email    string `json:"email"`
	Verified bool   `json:"email_verified"`
	Username string `json:"preferred_username"`
}

// Finish signs in whoever comes back from the provider. Errors: paas.ErrDenied
// for a journey that was not begun here or that the provider did not end well,
// and for people who have no account and may not make one; *paas.Invalid;
// *paas.Throttled for an address that fails too often.
func (p *Provider) Finish(w http.ResponseWriter, r *http.Request) (Identity, error) {
	attempt, err := p.auth.throttle.begin(r.Context(), p.auth.address(r), "")
	if err != nil {
		return Identity{}, err
	}
	j, err := journeyOf(r)
	gone := cookie(r, "", time.Unix(0, 0), -1)
	gone.Name, gone.Path = oidcCookie, oidcPath
	http.SetCookie(w, gone)
	if err != nil {
		return Identity{}, err
	}
	c, err := p.ask(r.Context(), j, r.FormValue("code"))
	if err != nil {
		return Identity{}, err
	}
	id, err := p.admit(r.Context(), j, c)
	if err != nil {
		return Identity{}, err
	}
	attempt.succeeded()
	id.ViaCookie, id.CSRF = true, secret()
	return id, p.auth.startSession(r.Context(), w, r, id)
}

func journeyOf(r *http.Request) (j journey, err error) {
	c, err := r.Cookie(oidcCookie)
	if err != nil {
		return j, fmt.Errorf("The sign-in has expired, or was begun in another browser. Begin again: %w", paas.ErrDenied)
	}
	text, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err == nil {
		err = json.Unmarshal(text, &j)
	}
	if err != nil || j.State == "" || r.FormValue("state") != j.State {
		return j, fmt.Errorf("The sign-in does not fit the one that was begun here. Begin again: %w", paas.ErrDenied)
	}
	if said := r.FormValue("error"); said != "" {
		return j, fmt.Errorf("The provider did not sign you in: %s: %w", short(said+" "+r.FormValue("error_description")), paas.ErrDenied)
	}
	return j, nil
}

// ask exchanges the code for what the provider says of the person, signed.
func (p *Provider) ask(ctx context.Context, j journey, code string) (c claims, err error) {
	ctx, cancel := context.WithTimeout(ctx, oidcTimeout)
	defer cancel()
	client, provider, err := p.client(ctx)
	if err != nil {
		return c, err
	}
	token, err := client.Exchange(ctx, code, oauth2.VerifierOption(j.Verifier))
	if err != nil {
		return c, fmt.Errorf("The provider did not confirm the sign-in (%v). Begin again: %w", err, paas.ErrDenied)
	}
	raw, _ := token.Extra("id_token").(string)
	signed, err := provider.Verifier(&oidc.Config{ClientID: p.cfg.ClientID}).Verify(ctx, raw)
	if err != nil {
		return c, fmt.Errorf("The provider's answer is not signed as it should be (%v): %w", err, paas.ErrDenied)
	}
	if signed.Nonce != j.Nonce {
		return c, fmt.Errorf("The provider's answer belongs to another sign-in. Begin again: %w", paas.ErrDenied)
	}
	if err := signed.Claims(&c); err != nil || c.Subject == "" {
		return c, fmt.Errorf("The provider's answer names nobody: %w", errors.Join(err, paas.ErrDenied))
	}
	return c, nil
}
