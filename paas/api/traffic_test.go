package api_test

import (
	"strings"
	"testing"
	"time"

	"kurama/paas"
)

func TestTraffic(t *testing.T) {
	w := newWorld(t)
	if got := want(t, w.send("developer", "POST", app+"/traffic", map[string]any{}), 422); !strings.Contains(got, "Deploy it first") {
		t.Errorf("an app without a release: %s", got)
	}
	must(t, first(w.store.NewRelease(t.Context(), paas.Release{Tenant: "default", App: "default-app"})))
	must(t, w.store.SetLive(t.Context(), "default", "default-app", 1))

	want(t, w.send("viewer", "POST", app+"/traffic", map[string]any{}), 403)
	want(t, w.send("stranger", "POST", app+"/traffic", map[string]any{}), 404)
	for _, body := range []map[string]any{{"rate": 51}, {"rate": 0.5}, {"seconds": 301}, {"paths": []string{"http://elsewhere/"}}, {"paths": []string{"/a b"}}} {
		want(t, w.send("developer", "POST", app+"/traffic", body), 422)
	}
	said := want(t, w.send("developer", "POST", app+"/traffic", map[string]any{"paths": []string{"/", "/user/ann"}}), 202)
	if !strings.Contains(said, "default-app is sent 10 requests a second for 60 seconds.") {
		t.Errorf("said %s", said)
	}
	if got := w.fakes.traffic; len(got) != 1 || got[0].Rate != 10 || got[0].Lasting != time.Minute || len(got[0].Paths) != 2 || got[0].Tenant != "default" {
		t.Errorf("sent %+v", got)
	}
	want(t, w.send("developer", "POST", app+"/traffic", map[string]any{}), 409)
	if runs := want(t, w.send("viewer", "GET", app+"/traffic", nil), 200); !strings.Contains(runs, `"state":""`) {
		t.Errorf("the runs are %s", runs)
	}
	want(t, w.send("viewer", "DELETE", app+"/traffic", nil), 403)
	want(t, w.send("developer", "DELETE", app+"/traffic", nil), 204)
	want(t, w.send("stranger", "GET", app+"/traffic", nil), 404)
}
