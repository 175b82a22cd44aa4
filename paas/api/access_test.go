package api_test

import (
	"cmp"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/paas"
	"kurama/paas/api"
)

// operation is one route of the API's own description.
type operation struct {
	id, method, path string
	need             paas.Role // empty: nobody has to sign in
}

func (o operation) String() string { return o.method + " " + o.path }

func operations(t *testing.T, w *world) []operation {
	t.Helper()
	spec := read[struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string    `json:"operationId"`
			Need        paas.Role `json:"x-kurama-role"`
			Security    []any     `json:"security"`
		}
	}](t, w.send("", "GET", "/api/v1/openapi.json", nil), 200)
	if !strings.HasPrefix(spec.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s", spec.OpenAPI)
	}
	var all []operation
	for path, methods := range spec.Paths {
		for method, op := range methods {
			if (op.Need == "") != (len(op.Security) == 0) {
				t.Errorf("%s %s: needs %q, and its security is %v", method, path, op.Need, op.Security)
			}
			all = append(all, operation{op.OperationID, strings.ToUpper(method), path, op.Need})
		}
	}
	return all
}

// openToAll are the routes that nobody has to sign in for. A route that is
// added to them by mistake fails the test.
var openToAll = []string{"sign-in", "look-at-invitation", "accept-invitation", "get-provider", "start-oidc", "join-by-oidc", "finish-oidc"}

// bodies are well-formed bodies of the routes that take one, so that what is
// refused is refused for its caller.
var bodies = map[string]any{
	"POST /tenants": map[string]any{"name": "new"}, "POST /users": map[string]any{"name": "bob", "role": "viewer", "password": password},
	"POST /tokens": map[string]any{"name": "x", "role": "viewer"}, "PUT /apps/{app}/scale": map[string]any{"replicas": 2},
	"PUT /apps/{app}/env": map[string]any{"vars": map[string]string{"A": "1"}}, "POST /apps/{app}/releases": strings.NewReader("PK\x03\x04"),
	"POST /apps/{app}/rollback": map[string]any{"release": 1}, "PUT /apps/{app}/scaling": map[string]any{"max": 3},
	"PUT /apps/{app}/release-receivers": map[string]any{"receivers": []string{"https://example.org/hook"}},
	"POST /apps/{app}/silences":         map[string]any{"ends_at": "2099-01-01T00:00:00Z"},
	"PUT /archive":                      map[string]any{"retention": 3600, "max_bytes": 1 << 30},
	"POST /apps/{app}/alerts/preview":   map[string]any{"condition": "cpu > 90"},
	"POST /apps/{app}/alerts":           map[string]any{"condition": "cpu > 90", "receiver": "a@b.c"},
	"PUT /apps/{app}/pipeline":          map[string]any{"profile": map[string]any{"off": true}},
	"PUT /apps/{app}/auto-rollback":     map[string]any{"auto": true},
	"PUT /apps/{app}/canary":            map[string]any{"share": 10},
	"PUT /apps/{app}/routing":           map[string]any{"maintenance": true},
	"POST /apps/{app}/volumes":          map[string]any{"path": "instance"},
	"POST /apps/{app}/database":         map[string]any{"size": 1 << 30},
	"PUT /apps/{app}/database":          map[string]any{"size": 1 << 30},
	"POST /apps/{app}/profile/sample":   map[string]any{"seconds": 5},
	"POST /apps/{app}/loadtests":        map[string]any{"rate": 5},
	"POST /apps/{app}/what-if":          map[string]any{"policy": map[string]any{"name": "step"}},
	"POST /invitations":                 map[string]any{"role": "viewer"}, "PUT /users/{name}": map[string]any{"role": "viewer"},
	"PUT /session/password": map[string]any{"old": password, "new": password + "!"},
	"POST /invitation":      map[string]any{"secret": "x"}, "POST /invitation/accept": map[string]any{"secret": "x", "name": "x", "password": password},
	"PUT /egress":             map[string]any{"mode": "none", "allow": []string{}},
	"PUT /apps/{app}/runtime": map[string]any{"runtime": "runsc"},
	"PUT /quota":              map[string]any{"apps": 1, "replicas": 1, "cpu": 1, "memory": 1},
	"POST /apps/{app}/run":    map[string]any{"command": []string{"id"}}, "POST /session": map[string]any{"name": "x", "password": "y"},
}

var parameter = regexp.MustCompile(`\{\w+\}`)

// send asks for o's route as somebody; names are put in place of the path's
// parameters, which are 1 otherwise.
func (o operation) send(w *world, as string, names map[string]string, query string) *http.Response {
	path := parameter.ReplaceAllStringFunc(o.path, func(p string) string {
		return cmp.Or(names[o.path+p], names[p], "1")
	})
	body := bodies[o.String()]
	if r, ok := body.(*strings.Reader); ok {
		_, _ = r.Seek(0, io.SeekStart)
	}
	return w.send(as, o.method, "/api/v1"+path+query, body)
}

// marker is part of everything that the tenant default keeps in these tests;
// the names of its app and its user are what a stranger may guess.
const (
	marker      = "secret7f3a"
	plantedApp  = "planted-app"
	plantedUser = "planted-user"
)

// plant gives the tenant default something of each kind, and returns what
// stands for the parameters of the routes.
func (w *world) plant() map[string]string {
	ctx := w.t.Context()
	must(w.t, first(w.store.CreateApp(ctx, "default", plantedApp)))
	must(w.t, w.store.SetEnv(ctx, "default", plantedApp, map[string]string{"SECRET": marker}))
	release, err := w.store.NewRelease(ctx, paas.Release{Tenant: "default", App: plantedApp, CreatedBy: marker})
	must(w.t, err)
	must(w.t, w.store.AppendBuildLog(ctx, "default", plantedApp, release.Number, "unpack", marker))
	must(w.t, first(w.auth.CreateUser(ctx, paas.User{Name: plantedUser, Tenant: "default", Role: paas.RoleViewer, Email: marker + "@example.org"}, password)))
	token, _, err := w.auth.CreateToken(ctx, paas.Token{Tenant: "default", Name: marker, Role: paas.RoleViewer, CreatedBy: plantedUser})
	must(w.t, err)
	invitation, _, err := w.auth.Invite(ctx, paas.Invitation{Tenant: "default", Email: marker + "@example.org", Role: paas.RoleViewer, CreatedBy: marker})
	must(w.t, err)
	must(w.t, w.auth.Note(ctx, paas.Deed{At: time.Now(), Tenant: "default", Who: plantedUser, Action: "deploy", Detail: marker}))
	return map[string]string{"{app}": plantedApp, "{number}": "1", "/tokens/{id}{id}": token.ID, "/invitations/{id}{id}": invitation.ID,
		"/users/{name}{name}": plantedUser, "/tenants/{name}{name}": "default"}
}

// lesserRoles are the callers of the tenant default, from the least.
var lesserRoles = []paas.Role{paas.RoleViewer, paas.RoleDeveloper, paas.RoleOwner}

// TestEveryRoute asks each route that the API describes as each caller who may
// not use it: they get 401, 403 or 404, and nothing of another tenant's. A
// route that is added is in the table by itself.
func TestEveryRoute(t *testing.T) {
	w := newWorld(t)
	names := w.plant()
	all := operations(t, w)
	if len(all) < 45 {
		t.Errorf("only %d routes are described", len(all))
	}
	for _, op := range all {
		t.Run(op.String(), func(t *testing.T) {
			if op.need == "" {
				if !slices.Contains(openToAll, op.id) {
					t.Error("nobody has to sign in for this")
				}
				return
			}
			want(t, op.send(w, "", names, ""), 401)
			for _, role := range lesserRoles {
				if !role.Includes(op.need) {
					want(t, op.send(w, string(role), names, ""), 403)
				}
			}
			want(t, op.send(w, "operator", names, "?tenant=nobody"), 404)
			for _, query := range []string{"?tenant=default", "?tenant=default&all=true"} {
				want(t, op.send(w, "stranger", names, query), 404)
			}
			if !strings.Contains(op.path, "{") || op.id == "deploy" {
				if op.method == "GET" { // of one's own tenant
					body, err := io.ReadAll(op.send(w, "stranger", names, "").Body)
					must(t, err)
					if strings.Contains(string(body), marker) {
						t.Errorf("another tenant sees %s", body)
					}
				}
				return
			}
			resp := op.send(w, "stranger", names, "") // what is another's has the same name in one's own tenant: none
			body, err := io.ReadAll(resp.Body)
			must(t, err)
			if resp.StatusCode != 404 && resp.StatusCode != 403 {
				t.Errorf("another tenant gets %d: %s", resp.StatusCode, body)
			}
		})
	}
	t.Run("nothing was changed by any of it", func(t *testing.T) {
		apps, err := w.store.AllApps(t.Context())
		if err != nil || len(apps) != 3 || apps[0].Desired != 1 || len(w.fakes.deleted) > 0 {
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
	w := newWorld(t, func(c *config.Console) { c.SignInRate = 4 })
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
		for range 2 {
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
