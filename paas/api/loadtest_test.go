package api_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"kurama/paas"
)

func TestLoadTests(t *testing.T) {
	w := newWorld(t)
	if got := want(t, w.send("developer", "POST", app+"/loadtests", map[string]any{}), 422); !strings.Contains(got, "Deploy it first") {
		t.Errorf("an app without a release: %s", got)
	}
	must(t, first(w.store.NewRelease(t.Context(), paas.Release{Tenant: "default", App: "default-app"})))
	must(t, w.store.SetLive(t.Context(), "default", "default-app", 1))
	must(t, w.store.SetRouting(t.Context(), "default", "default-app", paas.Routing{HTTPS: true, User: "ann"}))

	want(t, w.send("viewer", "POST", app+"/loadtests", map[string]any{}), 403)
	want(t, w.send("stranger", "POST", app+"/loadtests", map[string]any{}), 404)
	for _, body := range []map[string]any{{"rate": 0.01}, {"shape": "zigzag"}, {"seconds": 0.5}, {"paths": []string{"http://elsewhere/"}}, {"paths": []string{"/a b"}}, {"scenario": strings.Repeat("#", 65537)}} {
		want(t, w.send("developer", "POST", app+"/loadtests", body), 422)
	}
	begun := read[paas.LoadTest](t, w.send("developer", "POST", app+"/loadtests", map[string]any{"paths": []string{"/", "/user/ann"}, "scenario": "seed: 1"}), 202)
	if got := w.fakes.load; len(got) != 1 || got[0].Rate != 10 || got[0].Lasting != time.Minute || len(got[0].Paths) != 2 || got[0].Tenant != "default" || got[0].By == "" || !got[0].HTTPS || !got[0].Private {
		t.Errorf("sent %+v", got)
	}
	want(t, w.send("developer", "POST", app+"/loadtests", map[string]any{}), 409)

	one := app + "/loadtests/" + strconv.FormatInt(begun.ID, 10)
	if live := read[paas.LoadTest](t, w.send("viewer", "GET", one, nil), 200); live.Answered != 7 || string(live.Series) != "[]" {
		t.Errorf("under way it is %+v", live)
	}
	want(t, w.send("viewer", "GET", one+"/report", nil), 422)
	want(t, w.send("viewer", "DELETE", one, nil), 403)
	want(t, w.send("stranger", "DELETE", one, nil), 404)
	want(t, w.send("developer", "DELETE", one, nil), 204)
	want(t, w.send("developer", "DELETE", one, nil), 409)

	begun.State, begun.Report = paas.LoadTestDone, json.RawMessage(`{"requests":5}`)
	must(t, w.store.EndLoadTest(t.Context(), "default", "default-app", begun))
	if list := want(t, w.send("viewer", "GET", app+"/loadtests", nil), 200); !strings.Contains(list, `"state":"done"`) || strings.Contains(list, "requests") || strings.Contains(list, "seed") {
		t.Errorf("the list is %s", list)
	}
	if whole := read[paas.LoadTest](t, w.send("viewer", "GET", one, nil), 200); string(whole.Report) != `{"requests":5}` || whole.Scenario != "seed: 1" {
		t.Errorf("over it is %+v", whole)
	}
	got := w.send("viewer", "GET", one+"/report?format=csv", nil)
	if name := got.Header.Get("Content-Disposition"); !strings.Contains(name, "default-app-load-test-") || !strings.HasSuffix(name, `.csv"`) {
		t.Errorf("the file is %s", name)
	}
	if text := want(t, got, 200); text != `csv of {"requests":5}` {
		t.Errorf("the report is %s", text)
	}
	want(t, w.send("stranger", "GET", one+"/report", nil), 404)
	want(t, w.send("stranger", "GET", app+"/loadtests", nil), 404)
}
