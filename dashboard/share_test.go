package dashboard

import (
	"net/http"
	"testing"
)

func TestAShareLinkShowsOneAppToWhoeverHasIt(t *testing.T) {
	f := setup(t, startStream(t), settings(), nil)
	people := f.server.auth.(people)
	people["Bearer shared"] = Identity{User: "ann", Tenant: "acme", App: "hello"}
	ask := func(method, path string, header http.Header) *http.Response {
		t.Helper()
		req, _ := http.NewRequestWithContext(t.Context(), method, "http://"+f.server.Addr().String()+path, nil)
		req.Header = header
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res
	}
	res := ask("POST", "/api/share", http.Header{"Authorization": {"Bearer shared"}})
	if res.StatusCode != 200 || len(res.Cookies()) != 1 {
		t.Fatalf("%s with %d cookies", res.Status, len(res.Cookies()))
	}
	cookie := res.Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode {
		t.Errorf("the cookie is open to scripts or other sites: %v", cookie)
	}
	with := func() http.Header { return http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}} }
	for _, c := range []struct {
		method, path string
		header       http.Header
		want         int
	}{
		{"POST", "/api/share", http.Header{"Authorization": {"Bearer unknown"}}, 401},
		{"POST", "/api/share", with(), 401},
		{"GET", "/api/session?shared=1", with(), 200},
		{"GET", "/api/session", with(), 401}, // not asked as shared
		{"GET", "/api/session?shared=1", http.Header{}, 401},
		{"GET", "/api/live?app=other&shared=1", with(), 404},
		{"GET", "/api/live?shared=1", with(), 404},           // all apps
		{"GET", "/api/live?app=hello&shared=1", with(), 400}, // only the upgrade is missing
	} {
		if res := ask(c.method, c.path, c.header); res.StatusCode != c.want {
			t.Errorf("%s %s: %s, not %d", c.method, c.path, res.Status, c.want)
		}
	}
	delete(people, "Bearer shared") // it expired, or was taken back
	if res := ask("GET", "/api/session?shared=1", with()); res.StatusCode != 401 {
		t.Errorf("after its end: %s", res.Status)
	}
}
