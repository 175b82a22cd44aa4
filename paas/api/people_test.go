package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"kurama/internal/config"
	"kurama/paas"
	"kurama/paas/api"
)

func TestInvitations(t *testing.T) {
	w := newWorld(t)
	invite := func(as, role string) *http.Response {
		return w.send(as, "POST", "/api/v1/invitations", map[string]any{"email": "bob@example.org", "role": role})
	}
	want(t, invite("developer", "viewer"), 403)
	want(t, invite("owner", "operator"), 403)
	made := read[struct{ ID, Link, Tenant string }](t, invite("owner", "developer"), 201)
	_, secret, ok := strings.Cut(made.Link, "/#/join/")
	if !ok || made.Tenant != "default" {
		t.Fatalf("got %+v", made)
	}
	look := func(secret string) *http.Response {
		return w.send("", "POST", "/api/v1/invitation", map[string]any{"secret": secret})
	}
	want(t, look("guess"), 422)
	if body := want(t, look(secret), 200); !strings.Contains(body, `"tenant":"default"`) || !strings.Contains(body, `"invited_by":"owner"`) {
		t.Errorf("got %s", body)
	}
	resp := w.send("", "POST", "/api/v1/invitation/accept", map[string]any{"secret": secret, "name": "bob", "password": password})
	if s := read[api.Session](t, resp, 201); s.User != "bob" || s.Role != paas.RoleDeveloper || s.CSRF == "" || len(resp.Cookies()) != 1 {
		t.Errorf("got %+v, cookies %v", s, resp.Cookies())
	}
	want(t, look(secret), 422)
	if body := want(t, w.send("owner", "GET", "/api/v1/invitations", nil), 200); strings.Contains(body, secret) || !strings.Contains(body, `"accepted_by":"bob"`) {
		t.Errorf("got %s", body)
	}
	want(t, w.send("owner", "PUT", "/api/v1/users/bob", map[string]any{"role": "operator"}), 403)
	want(t, w.send("owner", "PUT", "/api/v1/users/bob", map[string]any{"role": "viewer"}), 200)
}

func TestAnOperatorWhoGoesLeavesNoTokenElsewhere(t *testing.T) {
	w := newWorld(t)
	must(t, first(w.auth.CreateUser(t.Context(), paas.User{Name: "op", Tenant: "default", Role: paas.RoleOperator}, password)))
	must(t, first(w.auth.CreateUser(t.Context(), paas.User{Name: "root", Tenant: "default", Role: paas.RoleOperator}, password)))
	_, token, err := w.auth.CreateToken(t.Context(), paas.Token{Tenant: "default", Name: "own", Role: paas.RoleOperator, CreatedBy: "op"})
	must(t, err)
	w.tokens["op"] = token
	made := read[struct{ Token string }](t, w.send("op", "POST", "/api/v1/tokens?tenant=other", map[string]any{"name": "kept", "role": "owner"}), 201)
	w.tokens["kept"] = made.Token
	want(t, w.send("kept", "GET", "/api/v1/session", nil), 200)
	want(t, w.send("operator", "DELETE", "/api/v1/users/op", nil), 204)
	want(t, w.send("kept", "GET", "/api/v1/session", nil), 401)
}

func TestTokensAreBound(t *testing.T) {
	w := newWorld(t)
	must(t, first(w.store.CreateApp(t.Context(), "default", "shop")))
	token := func(name string, body map[string]any) {
		body["name"], body["role"] = name, "developer"
		made := read[struct{ Token string }](t, w.send("developer", "POST", "/api/v1/tokens", body), 201)
		w.tokens[name] = made.Token
	}
	want(t, w.send("developer", "POST", "/api/v1/tokens", map[string]any{"name": "x", "role": "viewer", "scopes": []string{"everything"}}), 422)
	want(t, w.send("viewer", "POST", "/api/v1/tokens", map[string]any{"name": "x", "role": "developer"}), 403)
	want(t, w.send("viewer", "POST", "/api/v1/tokens", map[string]any{"name": "x", "role": "viewer"}), 201)
	for by, role := range map[string]string{"viewer": "viewer", "developer": "developer", "operator": "developer"} {
		if body := want(t, w.send(by, "POST", "/api/v1/tokens", map[string]any{"name": "usual"}), 201); !strings.Contains(body, `"role":"`+role+`"`) {
			t.Errorf("a token that %s makes without a role is %s", by, body)
		}
	}
	if body := want(t, w.send("viewer", "GET", "/api/v1/tokens", nil), 200); strings.Count(body, `"created_by":"viewer"`) != strings.Count(body, `"id":`) {
		t.Errorf("a viewer sees tokens of others: %s", body)
	}
	token("reader", map[string]any{"scopes": []string{"read"}})
	token("ci", map[string]any{"scopes": []string{"deploy"}, "app": "shop"})
	token("shop", map[string]any{"app": "shop"})
	get := func(as, path string, status int) string {
		t.Helper()
		return want(t, w.send(as, "GET", "/api/v1"+path, nil), status)
	}
	post := func(as, path string, status int) {
		t.Helper()
		want(t, w.send(as, "POST", "/api/v1"+path, nil), status)
	}
	get("reader", "/apps", 200)
	get("reader", "/apps/default-app/env", 403)
	get("reader", "/tokens", 403)
	post("reader", "/apps/default-app/restart", 403)

	get("ci", "/session", 200)
	get("ci", "/apps/shop", 200)
	get("ci", "/apps/shop/releases", 200)
	get("ci", "/apps/default-app", 404)
	get("ci", "/apps", 403)
	get("ci", "/apps/shop/env", 403)
	get("ci", "/apps/shop/logs", 403)
	post("ci", "/apps/shop/restart", 403)

	get("shop", "/apps/shop/env", 200)
	post("shop", "/apps/shop/restart", 202)
	post("shop", "/apps/default-app/restart", 404)
	if body := want(t, w.send("shop", "POST", "/api/v1/tokens", map[string]any{"name": "more", "role": "viewer"}), 403); !strings.Contains(body, "for the app shop only") {
		t.Errorf("got %s", body)
	}
}

func TestNobodyFillsTheAuditLog(t *testing.T) {
	w := newWorld(t, func(c *config.Console) { c.SignInRate = 3 })
	must(t, first(w.auth.CreateUser(t.Context(), paas.User{Name: "ann", Tenant: "default", Role: paas.RoleViewer}, password)))
	for range 10 {
		want(t, w.send("", "POST", "/api/v1/invitation", map[string]any{"secret": "guess"}), 422)
		want(t, w.send("", "POST", "/api/v1/invitation/accept", map[string]any{"secret": 1}), 422)
		want(t, w.send("", "POST", "/api/v1/session", map[string]any{"name": 1}), 422)
		want(t, w.send("", "POST", "/api/v1/oidc/start", map[string]any{"invitation": "guess"}), 404)
		want(t, w.send("", "GET", "/api/v1/oidc/callback?code=x&state=x", nil), 404)
	}
	accept := func() *http.Response {
		return w.send("", "POST", "/api/v1/invitation/accept", map[string]any{"secret": "guess", "name": "ann", "password": password})
	}
	for range 2 {
		want(t, accept(), 422)
	}
	for range 10 {
		_ = accept()
	}
	want(t, accept(), 429)
	got := read[struct{ Deeds []api.DeedView }](t, w.send("operator", "GET", "/api/v1/audit?all=true", nil), 200).Deeds
	if len(got) == 0 {
		t.Error("failures to accept are not told at all")
	}
	accepts := 0
	for _, d := range got {
		if d.Action == "accept-invitation" {
			accepts++
		}
		if d.Who != "" || d.Tenant != "" || d.Action != "accept-invitation" && d.Action != "finish-oidc" {
			t.Errorf("noted %+v", d)
		}
	}
	if accepts > 5 {
		t.Errorf("%d lines of failures to accept", accepts)
	}
}

func TestAudit(t *testing.T) {
	w := newWorld(t)
	must(t, first(w.auth.CreateUser(t.Context(), paas.User{Name: "ann", Tenant: "default", Role: paas.RoleViewer}, password)))
	type page struct {
		Deeds  []api.DeedView
		Before int64
	}
	audit := func(as, query string) page {
		t.Helper()
		return read[page](t, w.send(as, "GET", "/api/v1/audit"+query, nil), 200)
	}
	want(t, w.send("", "POST", "/api/v1/session", map[string]string{"name": "ann", "password": "wrong"}), 401)
	want(t, w.send("", "POST", "/api/v1/session", map[string]string{"name": "nobody", "password": "wrong"}), 401)
	want(t, w.send("", "POST", "/api/v1/apps/default-app/restart", nil), 401)
	want(t, w.send("viewer", "POST", "/api/v1/apps/default-app/restart", nil), 403)
	want(t, w.send("developer", "POST", "/api/v1/apps/default-app/restart", nil), 202)
	want(t, w.send("developer", "GET", "/api/v1/apps/default-app/env", nil), 200)
	want(t, w.send("developer", "GET", "/api/v1/apps", nil), 200)
	want(t, w.send("stranger", "POST", "/api/v1/apps/default-app/restart?tenant=default", nil), 404)
	want(t, w.send("operator", "POST", "/api/v1/apps/other-app/restart?tenant=other", nil), 202)

	t.Run("it tells who did what, from where, and why it was refused", func(t *testing.T) {
		got := audit("owner", "").Deeds
		if len(got) != 4 {
			t.Fatalf("got %+v", got)
		}
		restart, refused, signIn := got[1], got[2], got[3]
		if got[0].Action != "get-env" || restart.Who != "developer" || restart.Via != "token developer" || restart.App != "default-app" || restart.Status != 202 ||
			restart.Address != "127.0.0.1" || restart.Target != "/apps/default-app/restart" || restart.Summary == "" {
			t.Errorf("got %+v", got)
		}
		if refused.Who != "viewer" || refused.Status != 403 || !strings.Contains(refused.Detail, "needs the role developer") {
			t.Errorf("got %+v", refused)
		}
		if signIn.Who != "ann" || signIn.Action != "sign-in" || signIn.Status != 401 || signIn.Via != "" {
			t.Errorf("got %+v", signIn)
		}
	})
	t.Run("a tenant sees what was done to it, and what its people tried elsewhere", func(t *testing.T) {
		got := audit("stranger", "").Deeds
		if len(got) != 2 || got[0].Who != "operator" || got[1].Status != 404 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("operators see all of it, page by page", func(t *testing.T) {
		want(t, w.send("owner", "GET", "/api/v1/audit?all=true", nil), 403)
		seen, before := 0, ""
		for {
			p := audit("operator", "?all=true&limit=3"+before)
			if seen += len(p.Deeds); p.Before == 0 {
				break
			}
			before = "&before=" + strconv.FormatInt(p.Before, 10)
		}
		if seen != 7 {
			t.Errorf("%d deeds", seen)
		}
	})
	t.Run("filters narrow it", func(t *testing.T) {
		for query, n := range map[string]int{"?who=ann": 1, "?action=restart-app": 2, "?refused=true": 2, "?app=none": 0, "?from=2099-01-01T00:00:00Z": 0, "?to=2099-01-01T00:00:00Z": 4} {
			if got := audit("owner", query).Deeds; len(got) != n {
				t.Errorf("%s: %d deeds, want %d: %+v", query, len(got), n, got)
			}
		}
	})
}
