package api_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/oauth2-proxy/mockoidc"

	"kurama/internal/config"
	"kurama/paas"
	"kurama/paas/api"
)

// browser follows redirects and keeps cookies, as people's browsers do.
func browser(t *testing.T) *http.Client {
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &http.Client{Jar: jar}
}

// visit opens a path of the API and returns where the browser ended up.
func (w *world) visit(b *http.Client, path string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), "GET", w.srv.URL+path, nil)
	must(w.t, err)
	resp, err := b.Do(r)
	must(w.t, err)
	w.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// TestSignInByAProvider signs in at a provider that runs in this process and is
// asked over HTTP, as any other would be.
func TestSignInByAProvider(t *testing.T) {
	provider, err := mockoidc.Run()
	must(t, err)
	t.Cleanup(func() { _ = provider.Shutdown() })
	w := newWorld(t)
	settings := config.OIDC{Issuer: provider.Issuer(), ClientID: provider.ClientID, ClientSecret: config.Secret(provider.ClientSecret), Name: "School"}
	w.provide(settings)
	person := func(subject, email string, verified bool) {
		provider.QueueUser(&mockoidc.MockUser{Subject: subject, Email: email, EmailVerified: verified, PreferredUsername: strings.Split(email, "@")[0]})
	}
	who := func(b *http.Client) api.Session {
		t.Helper()
		return read[api.Session](t, w.visit(b, "/api/v1/session"), 200)
	}
	refused := func(b *http.Client, part string) {
		t.Helper()
		resp := w.visit(b, "/api/v1/oidc/start")
		why, _ := url.QueryUnescape(resp.Request.URL.Fragment)
		if !strings.Contains(why, part) {
			t.Errorf("got %q, want %q", why, part)
		}
		want(t, w.visit(b, "/api/v1/session"), 401)
	}
	if body := want(t, w.send("", "GET", "/api/v1/oidc", nil), 200); !strings.Contains(body, `"name":"School"`) {
		t.Errorf("got %s", body)
	}
	t.Run("who has no account is refused, and told what to do", func(t *testing.T) {
		person("s1", "eve@school.example", true)
		refused(browser(t), "Ask for an invitation")
	})
	t.Run("an invitation makes an account, which is found again", func(t *testing.T) {
		made := read[struct{ Link string }](t, w.send("owner", "POST", "/api/v1/invitations", map[string]any{"role": "viewer"}), 201)
		_, secret, _ := strings.Cut(made.Link, "/#/join/")
		person("s2", "ann@school.example", true)
		b := browser(t)
		if resp := w.visit(b, "/api/v1/oidc/start?invitation="+secret); resp.Request.URL.Path != "/" || resp.Request.URL.Fragment != "" {
			t.Errorf("ended at %s", resp.Request.URL)
		}
		if s := who(b); s.User != "ann" || s.Role != paas.RoleViewer || s.Tenant != "default" || s.CSRF == "" {
			t.Errorf("got %+v", s)
		}
		person("s2", "renamed@school.example", true)
		b = browser(t)
		w.visit(b, "/api/v1/oidc/start")
		if s := who(b); s.User != "ann" {
			t.Errorf("got %+v", s)
		}
		want(t, w.send("", "POST", "/api/v1/session", map[string]string{"name": "ann", "password": ""}), 401)
	})
	t.Run("an address joins an account where the provider vouches for it", func(t *testing.T) {
		must(t, first(w.auth.CreateUser(t.Context(), paas.User{Name: "bob", Tenant: "default", Role: paas.RoleDeveloper, Email: "Bob@school.example"}, password)))
		person("s3", "bob@school.example", false)
		refused(browser(t), "Ask for an invitation")
		person("s3", "bob@school.example", true)
		b := browser(t)
		w.visit(b, "/api/v1/oidc/start")
		if s := who(b); s.User != "bob" {
			t.Errorf("got %+v", s)
		}
	})
	t.Run("an answer that was not asked for here signs nobody in", func(t *testing.T) {
		resp := w.visit(browser(t), "/api/v1/oidc/callback?code=stolen&state=x")
		if !strings.Contains(resp.Request.URL.Fragment, "sign-in-error=") {
			t.Errorf("ended at %s", resp.Request.URL)
		}
	})
	t.Run("the audit log tells of it", func(t *testing.T) {
		if body := want(t, w.send("owner", "GET", "/api/v1/audit?action=finish-oidc&who=bob", nil), 200); !strings.Contains(body, `"who":"bob"`) {
			t.Errorf("got %s", body)
		}
	})
	t.Run("a tenant may be open to everybody whom the provider knows", func(t *testing.T) {
		settings.Tenant, settings.Role = "other", "developer"
		w.provide(settings)
		person("s9", "ann@elsewhere.example", true)
		b := browser(t)
		w.visit(b, "/api/v1/oidc/start")
		if s := who(b); s.User != "ann-2" || s.Tenant != "other" || s.Role != paas.RoleDeveloper {
			t.Errorf("got %+v", s)
		}
	})
}
