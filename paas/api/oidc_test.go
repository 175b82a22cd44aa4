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

// join begins to accept an invitation as the join page does, and goes where
// the answer says.
func (w *world) join(b *http.Client, secret string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), "POST", w.srv.URL+"/api/v1/oidc/start", strings.NewReader(`{"invitation":"`+secret+`"}`))
	must(w.t, err)
	r.Header.Set("Content-Type", "application/json")
	resp, err := b.Do(r)
	must(w.t, err)
	to := read[struct{ Location string }](w.t, resp, 200).Location
	if r, err = http.NewRequestWithContext(w.t.Context(), "GET", to, nil); err == nil {
		resp, err = b.Do(r)
	}
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
	invite := func(email string) string {
		t.Helper()
		made := read[struct{ Link string }](t, w.send("owner", "POST", "/api/v1/invitations", map[string]any{"role": "viewer", "email": email}), 201)
		_, secret, _ := strings.Cut(made.Link, "/#/join/")
		return secret
	}
	t.Run("following a link joins nothing, and no other site can", func(t *testing.T) {
		person("s0", "mal@school.example", true)
		b := browser(t)
		resp := w.visit(b, "/api/v1/oidc/start?invitation="+invite(""))
		if why, _ := url.QueryUnescape(resp.Request.URL.Fragment); !strings.Contains(why, "Ask for an invitation") {
			t.Errorf("got %q", why)
		}
		want(t, w.visit(b, "/api/v1/session"), 401)
		want(t, w.send("", "POST", "/api/v1/oidc/start", map[string]string{"invitation": invite("")}, "Sec-Fetch-Site", "cross-site"), 403)
	})
	t.Run("an invitation for an address is for who the provider says has it", func(t *testing.T) {
		secret := invite("CEO@school.example")
		for _, p := range []struct {
			email    string
			verified bool
		}{{"eve@school.example", true}, {"ceo@school.example", false}} {
			person("s1", p.email, p.verified)
			b := browser(t)
			why, _ := url.QueryUnescape(w.join(b, secret).Request.URL.Fragment)
			if !strings.Contains(why, "The invitation is for CEO@school.example") {
				t.Errorf("%v: got %q", p, why)
			}
			want(t, w.visit(b, "/api/v1/session"), 401)
		}
		person("s4", "ceo@school.example", true)
		b := browser(t)
		w.join(b, secret)
		if s := who(b); s.User != "ceo" {
			t.Errorf("got %+v", s)
		}
	})
	t.Run("an invitation makes an account, which is found again", func(t *testing.T) {
		person("s2", "ann@school.example", true)
		b := browser(t)
		if resp := w.join(b, invite("")); resp.Request.URL.Path != "/" || resp.Request.URL.Fragment != "" {
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
	t.Run("an account that somebody prepared with an address is not joined to who has it", func(t *testing.T) {
		must(t, first(w.auth.CreateUser(t.Context(), paas.User{Name: "planted", Tenant: "default", Role: paas.RoleDeveloper, Email: "bob@school.example"}, password)))
		want(t, w.send("", "POST", "/api/v1/invitation/accept", map[string]any{"secret": invite("bob@school.example"), "name": "planted2", "password": password}), 201)
		person("s3", "bob@school.example", true)
		refused(browser(t), "Ask for an invitation")
	})
	t.Run("an address joins an account where the provider vouches for it, and did for the account's", func(t *testing.T) {
		person("s3", "Bob@school.example", true)
		w.join(browser(t), invite("bob@school.example"))
		person("s5", "bob@school.example", false)
		refused(browser(t), "Ask for an invitation")
		person("s5", "bob@school.example", true)
		b := browser(t)
		w.visit(b, "/api/v1/oidc/start")
		if s := who(b); s.User != "Bob" {
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
		if body := want(t, w.send("owner", "GET", "/api/v1/audit?action=finish-oidc&who=Bob", nil), 200); !strings.Contains(body, `"who":"Bob"`) {
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
