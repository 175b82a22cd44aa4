package api_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"kurama/paas"
	"kurama/paas/api"
)

// operation is one route of the API's own description.
type operation struct {
	method, path string
	open         bool // nobody has to sign in
}

func operations(t *testing.T, w *world) []operation {
	t.Helper()
	spec := read[struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Security []any `json:"security"`
		}
	}](t, w.send("", "GET", "/api/v1/openapi.json", nil), 200)
	if !strings.HasPrefix(spec.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s", spec.OpenAPI)
	}
	var all []operation
	for path, methods := range spec.Paths {
		for method, op := range methods {
			all = append(all, operation{strings.ToUpper(method), path, len(op.Security) == 0})
		}
	}
	return all
}

// bodies are well-formed bodies of the routes that take one, so that what is
// refused is refused for its caller.
var bodies = map[string]any{
	"POST /tenants": map[string]any{"name": "new"}, "POST /users": map[string]any{"name": "bob", "role": "viewer", "password": password},
	"POST /tokens": map[string]any{"name": "x", "role": "viewer"}, "PUT /apps/{app}/scale": map[string]any{"replicas": 2},
	"PUT /apps/{app}/env": map[string]any{"vars": map[string]string{"A": "1"}}, "POST /apps/{app}/releases": strings.NewReader("PK\x03\x04"),
	"POST /apps/{app}/rollback": map[string]any{"release": 1}, "PUT /apps/{app}/scaling": map[string]any{"max": 3},
	"POST /apps/{app}/alerts":  map[string]any{"condition": "cpu > 90", "receiver": "a@b.c"},
	"POST /apps/{app}/traffic": map[string]any{"rate": 5},
	"PUT /quota":               map[string]any{"apps": 1, "replicas": 1, "cpu": 1, "memory": 1},
	"POST /apps/{app}/run":     map[string]any{"command": []string{"id"}}, "POST /session": map[string]any{"name": "x", "password": "y"},
}

var parameter = regexp.MustCompile(`\{\w+\}`)

func (o operation) send(w *world, as, app, query string) *http.Response {
	path := strings.ReplaceAll(o.path, "{app}", app)
	path = parameter.ReplaceAllString(path, "1")
	return w.send(as, o.method, "/api/v1"+path+query, bodies[o.method+" "+o.path])
}

// TestEveryRoute asks each route that the API describes as each caller who may
// not use it. A route that is added is in the table by itself.
func TestEveryRoute(t *testing.T) {
	w := newWorld(t)
	all := operations(t, w)
	if len(all) < 35 {
		t.Errorf("only %d routes are described", len(all))
	}
	for _, op := range all {
		t.Run(op.method+" "+op.path, func(t *testing.T) {
			if op.open {
				return
			}
			want(t, op.send(w, "", "default-app", ""), 401)
			want(t, op.send(w, "stranger", "default-app", "?tenant=default"), 404)
			want(t, op.send(w, "operator", "default-app", "?tenant=nobody"), 404)
			own := strings.HasPrefix(op.path, "/apps/{app}")
			if op.method != "GET" && op.path != "/session" {
				want(t, op.send(w, "viewer", "default-app", ""), 403)
			}
			makes := op.method+" "+op.path == "POST /apps/{app}/releases"
			if own && !makes {
				want(t, op.send(w, "stranger", "default-app", ""), 404)
			}
		})
	}
	t.Run("nothing was changed by any of it", func(t *testing.T) {
		apps, err := w.store.AllApps(t.Context())
		if err != nil || len(apps) != 2 || apps[0].Desired != 1 || len(w.fakes.deleted) > 0 {
			t.Errorf("got %+v, %v, deleted %v", apps, err, w.fakes.deleted)
		}
		if left := w.uploads(); len(left) > 0 {
			t.Errorf("uploads left: %v", left)
		}
	})
	t.Run("tenants and status are the operator's", func(t *testing.T) {
		for _, path := range []string{"/tenants", "/status"} {
			want(t, w.send("owner", "GET", "/api/v1"+path, nil), 403)
			want(t, w.send("operator", "GET", "/api/v1"+path, nil), 200)
		}
	})
	t.Run("an operator acts in the tenant that they name", func(t *testing.T) {
		got := read[struct{ Apps []api.AppView }](t, w.send("operator", "GET", "/api/v1/apps?tenant=other", nil), 200)
		if len(got.Apps) != 1 || got.Apps[0].Name != "other-app" || got.Apps[0].Address != "http://other-app.other.localhost:8080" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("a route that is none says so", func(t *testing.T) {
		if body := want(t, w.send("operator", "PATCH", "/api/v1/apps", nil), 404); !strings.Contains(body, "PATCH /api/v1/apps") {
			t.Errorf("got %s", body)
		}
	})
	t.Run("settings are not shown to viewers", func(t *testing.T) {
		want(t, w.send("viewer", "GET", "/api/v1/apps/default-app/env", nil), 403)
	})
}

func TestSignIn(t *testing.T) {
	w := newWorld(t)
	must(t, first(w.auth.CreateUser(t.Context(), paas.User{Name: "ann", Tenant: "default", Role: paas.RoleDeveloper}, password)))
	in := func(name, password string, headers ...string) *http.Response {
		return w.send("", "POST", "/api/v1/session", map[string]string{"name": name, "password": password}, headers...)
	}
	resp := in("ann", password)
	session := read[api.Session](t, resp, 200)
	host, _ := url.Parse(w.srv.URL)
	if session.User != "ann" || session.CSRF == "" || session.DashboardURL != "http://"+host.Hostname()+":5005" ||
		session.RouterPort != 8080 || session.Domain != "localhost" || len(resp.Cookies()) != 1 {
		t.Fatalf("got %+v, cookies %v", session, resp.Cookies())
	}
	cookie := resp.Cookies()[0].String()
	cookie, _, _ = strings.Cut(cookie, ";")

	t.Run("the cookie reads, and writes only with the CSRF token", func(t *testing.T) {
		restart := "/api/v1/apps/default-app/restart"
		want(t, w.send("", "GET", "/api/v1/apps", nil, "Cookie", cookie), 200)
		want(t, w.send("", "POST", restart, nil, "Cookie", cookie), 403)
		want(t, w.send("", "POST", restart, nil, "Cookie", cookie, "X-CSRF-Token", "guess"), 403)
		want(t, w.send("", "POST", restart, nil, "Cookie", cookie, "X-CSRF-Token", session.CSRF), 202)
	})
	t.Run("another site's request is refused, token or not", func(t *testing.T) {
		for _, h := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
			headers := append([]string{"Cookie", cookie, "X-CSRF-Token", session.CSRF}, h...)
			want(t, w.send("", "POST", "/api/v1/apps/default-app/restart", nil, headers...), 403)
			want(t, in("ann", password, h...), 403)
		}
	})
	t.Run("wrong names and passwords look alike, and are bounded", func(t *testing.T) {
		name, pass := want(t, in("nobody", password), 401), want(t, in("ann", "wrong"), 401)
		if name != pass {
			t.Errorf("got %s and %s", name, pass)
		}
		for range 9 {
			want(t, in("ann", "wrong"), 401)
		}
		resp := in("ann", password)
		if want(t, resp, 429); resp.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	})
	t.Run("who signs out is nobody", func(t *testing.T) {
		want(t, w.send("", "DELETE", "/api/v1/session", nil, "Cookie", cookie, "X-CSRF-Token", session.CSRF), 204)
		want(t, w.send("", "GET", "/api/v1/session", nil, "Cookie", cookie), 401)
	})
}

func TestPowersAreBounded(t *testing.T) {
	w := newWorld(t)
	user := func(as, name, role, query string) *http.Response {
		return w.send(as, "POST", "/api/v1/users"+query, map[string]string{"name": name, "role": role, "password": password})
	}
	want(t, user("owner", "mighty", "operator", ""), 403)
	want(t, user("developer", "bob", "viewer", ""), 403)
	want(t, user("operator", "root2", "operator", "?tenant=other"), 422)
	want(t, user("operator", "root2", "operator", ""), 201)
	want(t, user("owner", "bob", "developer", ""), 201)
	want(t, user("owner", "bob", "developer", ""), 409)
	want(t, w.send("owner", "DELETE", "/api/v1/users/root2", nil), 403)
	want(t, w.send("operator", "DELETE", "/api/v1/users/root2", nil), 409)
	want(t, w.send("stranger", "DELETE", "/api/v1/users/bob", nil), 404)
	want(t, w.send("owner", "DELETE", "/api/v1/users/bob", nil), 204)

	token := func(as, role string) *http.Response {
		return w.send(as, "POST", "/api/v1/tokens", map[string]any{"name": "x", "role": role, "expires_in": 60})
	}
	want(t, token("developer", "owner"), 403)
	shown := read[struct {
		ID, Token string
		ExpiresAt string `json:"expires_at"`
	}](t, token("developer", "viewer"), 201)
	if !strings.HasPrefix(shown.Token, "kt_") || shown.ExpiresAt == "" {
		t.Errorf("got %+v", shown)
	}
	own := read[struct{ Tokens []paas.Token }](t, w.send("developer", "GET", "/api/v1/tokens", nil), 200)
	every := read[struct{ Tokens []paas.Token }](t, w.send("owner", "GET", "/api/v1/tokens", nil), 200)
	if len(own.Tokens) != 2 || len(every.Tokens) != 5 {
		t.Errorf("a developer sees %d tokens, an owner %d", len(own.Tokens), len(every.Tokens))
	}
	want(t, w.send("stranger", "DELETE", "/api/v1/tokens/"+shown.ID, nil), 404)
	want(t, w.send("developer", "DELETE", "/api/v1/tokens/"+shown.ID, nil), 204)
}

func TestPages(t *testing.T) {
	w := newWorld(t)
	resp := w.send("", "GET", "/", nil)
	if body := want(t, resp, 200); !strings.Contains(body, "console") {
		t.Errorf("got %s", body)
	}
	for name, value := range map[string]string{"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff",
		"X-Frame-Options": "DENY"} {
		if got := resp.Header.Get(name); got != value {
			t.Errorf("%s: %q", name, got)
		}
	}
	for path, part := range map[string]string{"/healthz": "ok", "/readyz": "ok", "/metrics": `kurama_api_requests_total{route="GET /assets/`} {
		if path == "/metrics" {
			part = `kurama_api_requests_total{route="GET /{$}",status="200"} 1`
		}
		if body := want(t, w.send("", "GET", path, nil), 200); !strings.Contains(body, part) {
			t.Errorf("%s: no %q in %s", path, part, body)
		}
	}
}
