package api_test

import (
	"strings"
	"testing"

	"kurama/paas"
	"kurama/paas/api"
)

func TestRouting(t *testing.T) {
	w := newWorld(t)
	const path = "/api/v1/apps/default-app/routing"
	put := func(t *testing.T, as string, body map[string]any, want int) api.RoutingView {
		t.Helper()
		return read[api.RoutingView](t, w.send(as, "PUT", path, body), want)
	}
	t.Run("changes only what is given and never tells the password", func(t *testing.T) {
		put(t, "developer", map[string]any{"domains": []string{"shop.example.org", "a.example.org", "shop.example.org"}}, 200)
		put(t, "developer", map[string]any{"user": "team", "password": "correct horse"}, 200)
		got := put(t, "developer", map[string]any{"maintenance": true, "message": "Back soon.", "rate": 2.5}, 200)
		if len(got.Domains) != 2 || got.Domains[1] != "shop.example.org" || got.User != "team" || !got.Maintenance || got.Rate != 2.5 {
			t.Errorf("got %+v", got)
		}
		app, err := w.store.App(t.Context(), paas.DefaultTenant, "default-app")
		if err != nil || !paas.MatchBasic(app.Routing.Password, "correct horse") || len(app.Routing.Domains) != 2 {
			t.Errorf("stored %+v, %v", app.Routing, err)
		}
		put(t, "developer", map[string]any{"domains": []string{}, "user": ""}, 200)
		if app, _ = w.store.App(t.Context(), paas.DefaultTenant, "default-app"); len(app.Routing.Domains) != 0 || app.Routing.Password != "" || !app.Routing.Maintenance {
			t.Errorf("stored %+v", app.Routing)
		}
	})
	t.Run("bounds of a request are the app's own, within the operator's", func(t *testing.T) {
		if got := put(t, "developer", map[string]any{"timeout": 120, "idle": 30, "max_body": 1 << 29}, 200); got.Timeout != 120 || got.Idle != 30 || got.MaxBody != 1<<29 || got.Most.Timeout != 600 {
			t.Errorf("got %+v", got)
		}
		must(t, w.store.SetBounds(t.Context(), paas.DefaultTenant, "default-app", paas.Bounds{Idle: 5}))
		if app, _ := w.store.App(t.Context(), paas.DefaultTenant, "default-app"); app.Routing.Timeout != 120 || app.Routing.Idle != 5 || !app.Routing.Maintenance {
			t.Errorf("stored %+v", app.Routing)
		}
	})
	t.Run("a domain belongs to one app, whosever it is", func(t *testing.T) {
		put(t, "developer", map[string]any{"domains": []string{"mine.example.org"}}, 200)
		const others = "/api/v1/apps/other-app/routing"
		got := read[api.RoutingView](t, w.send("stranger", "PUT", others, map[string]any{"domains": []string{"mine.example.org", "mine.example.org/x"}}), 200)
		for _, d := range got.Found {
			if d.Active || !strings.Contains(d.Says, "mine.example.org belongs to another tenant") {
				t.Errorf("found %+v", d)
			}
		}
		put(t, "developer", map[string]any{"domains": []string{}}, 200)
		if got = read[api.RoutingView](t, w.send("stranger", "POST", others+"/check", nil), 200); len(got.Found) != 2 || !got.Found[0].Active || got.Record != "kurama=other@k3f9a2b1" {
			t.Errorf("found %+v, record %q", got.Found, got.Record)
		}
	})
	t.Run("what cannot be is refused", func(t *testing.T) {
		for _, body := range []map[string]any{{"domains": []string{"x.localhost"}}, {"domains": []string{"10.0.0.1"}}, {"user": "team", "password": "short"},
			{"user": "team"}, {"rate": -1}, {"timeout": 601}, {"timeout": -1}, {"idle": 0.5}, {"max_body": 2 << 30}, {"domains": []string{"example.org/a/"}}, {"domains": []string{"example.org/../a"}}, {"user": "a:b", "password": "correct horse"}} {
			want(t, w.send("developer", "PUT", path, body), 422)
		}
	})
}
