package api_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"kurama/logship/record"
	"kurama/paas"
	"kurama/paas/api"
)

const app = "/api/v1/apps/default-app"

func TestApps(t *testing.T) {
	w := newWorld(t)
	t.Run("an app is shown with its replicas, address and last release", func(t *testing.T) {
		view := read[api.AppView](t, w.send("viewer", "GET", app, nil), 200)
		if view.Name != "default-app" || view.Address != "http://default-app.localhost:8080" || view.Ready != 1 || len(view.Replicas) != 2 || view.LastRelease != nil {
			t.Errorf("got %+v", view)
		}
		must(t, first(w.store.NewRelease(t.Context(), paas.Release{Tenant: "default", App: "default-app", Env: map[string]string{"PASSWORD": "hush"}})))
		list := want(t, w.send("viewer", "GET", "/api/v1/apps", nil), 200)
		if !strings.Contains(list, `"last_release":{`) || strings.Contains(list, "hush") {
			t.Errorf("got %s", list)
		}
	})
	t.Run("scaling by hand moves the bounds of the policy", func(t *testing.T) {
		scale := func(n int) string {
			return read[struct{ Message string }](t, w.send("developer", "PUT", app+"/scale", map[string]int{"replicas": n}), 202).Message
		}
		if got := scale(6); got != "default-app goes to 6 replicas. The autoscaler now keeps at least 6 (it was 1) and at most 6 (it was 4)." {
			t.Error(got)
		}
		p, err := w.policies.Policy(t.Context(), "default", "default-app")
		a, _ := w.store.App(t.Context(), "default", "default-app")
		if err != nil || p.Min != 6 || p.Max != 6 || p.LoadUp != 85 || a.Desired != 6 {
			t.Errorf("policy %+v, %v, app %+v", p, err, a)
		}
		want(t, w.send("developer", "PUT", app+"/scaling", map[string]any{"name": "off"}), 200)
		if got := scale(1); got != "default-app goes to 1 replica." {
			t.Error(got)
		}
		for _, n := range []int{-1, 65} {
			want(t, w.send("developer", "PUT", app+"/scale", map[string]int{"replicas": n}), 422)
		}
	})
	t.Run("a policy keeps what is not named, and its bounds", func(t *testing.T) {
		got := read[paas.Policy](t, w.send("developer", "PUT", app+"/scaling", map[string]any{"name": "kurama", "min": 2, "max": 3, "load_up": 70}), 200)
		expected := paas.DefaultPolicy()
		expected.Min, expected.Max, expected.LoadUp = 2, 3, 70
		if got != expected {
			t.Errorf("got %+v", got)
		}
		if a, _ := w.store.App(t.Context(), "default", "default-app"); a.Desired != 2 {
			t.Errorf("desired %d", a.Desired)
		}
		for part, change := range map[string]map[string]any{"load_down is 80": {"load_down": 80}, "Min is 4": {"min": 4}, `step.up is 101 %: use 1 to 100 %`: {"step": map[string]float64{"up": 101}}, `no number called \"hpa.magic\"`: {"hpa": map[string]float64{"magic": 1}}, `\"magic\"`: {"name": "magic"}} {
			if body := want(t, w.send("developer", "PUT", app+"/scaling", change), 422); !strings.Contains(body, part) {
				t.Errorf("no %q in %s", part, body)
			}
		}
		got = read[paas.Policy](t, w.send("developer", "PUT", app+"/scaling", map[string]any{"name": "step", "step": map[string]float64{"up": 55}}), 200)
		if got.Name != "step" || got.Step.Up != 55 || got.LoadUp != 70 {
			t.Errorf("got %+v", got)
		}
		if list := want(t, w.send("viewer", "GET", "/api/v1/policies", nil), 200); !strings.Contains(list, `"name":"swift"`) || !strings.Contains(list, `"name":"down_for"`) {
			t.Errorf("got %s", list)
		}
		if list := want(t, w.send("viewer", "GET", app+"/decisions", nil), 200); !strings.Contains(list, `"decisions":[]`) {
			t.Errorf("got %s", list)
		}
	})
	t.Run("restart and delete reach the store and the deployer", func(t *testing.T) {
		want(t, w.send("developer", "POST", app+"/restart", nil), 202)
		if a, _ := w.store.App(t.Context(), "default", "default-app"); a.Restart != 1 {
			t.Errorf("got %+v", a)
		}
		want(t, w.send("developer", "DELETE", app, nil), 204)
		want(t, w.send("developer", "DELETE", app, nil), 404)
		if len(w.fakes.deleted) != 1 {
			t.Errorf("deleted %v", w.fakes.deleted)
		}
	})
}

func TestEnvAndRollback(t *testing.T) {
	w := newWorld(t)
	env := func(vars map[string]string, status int) string {
		return want(t, w.send("developer", "PUT", app+"/env", map[string]any{"vars": vars}), status)
	}
	if got := env(map[string]string{"A": "1"}, 204); got != "" {
		t.Errorf("an app without a release: %s", got)
	}
	env(map[string]string{"PORT": "1"}, 422)
	want(t, w.send("developer", "POST", app+"/rollback", map[string]int{"release": 0}), 404)
	for n := 1; n <= 2; n++ {
		must(t, first(w.store.NewRelease(t.Context(), paas.Release{Tenant: "default", App: "default-app"})))
		must(t, w.store.SetLive(t.Context(), "default", "default-app", n))
	}
	if got := env(map[string]string{"A": "2"}, 202); !strings.Contains(got, `"number":3`) {
		t.Errorf("settings make a release: %s", got)
	}
	if got := want(t, w.send("developer", "GET", app+"/env", nil), 200); !strings.Contains(got, `{"vars":{"A":"2"}}`) {
		t.Errorf("got %s", got)
	}
	want(t, w.send("developer", "POST", app+"/rollback", map[string]int{"release": 1}), 202)
	if w.fakes.rollback != 1 {
		t.Errorf("rolled back to %d", w.fakes.rollback)
	}
	want(t, w.send("developer", "POST", app+"/rollback", map[string]int{"release": 77}), 404)
	want(t, w.send("developer", "POST", app+"/rollback", map[string]int{"release": -1}), 422)
}

func TestBuildLog(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	must(t, first(w.store.NewRelease(ctx, paas.Release{Tenant: "default", App: "default-app"})))
	must(t, w.store.AppendBuildLog(ctx, "default", "default-app", 1, "unpack", "3 files"))
	if got := want(t, w.send("viewer", "GET", app+"/releases/1/log", nil), 200); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"line":"3 files"`) {
		t.Errorf("got %s", got)
	}
	want(t, w.send("viewer", "GET", app+"/releases/9/log", nil), 404)

	resp := w.send("viewer", "GET", app+"/releases/1/log?follow=true", nil)
	lines := bufio.NewScanner(resp.Body)
	next := func() (line struct {
		N                            int
		End                          bool
		Line, State, Reason, Address string
	}) {
		if !lines.Scan() {
			t.Fatal("the log ended: ", lines.Err())
		}
		must(t, json.Unmarshal(lines.Bytes(), &line))
		return line
	}
	if l := next(); l.N != 1 {
		t.Errorf("got %+v", l)
	}
	must(t, w.store.AppendBuildLog(ctx, "default", "default-app", 1, "start", "gunicorn"))
	if l := next(); l.N != 2 || l.Line != "gunicorn" {
		t.Errorf("got %+v", l)
	}
	must(t, w.store.AppendBuildLog(ctx, "default", "default-app", 1, "done", "live"))
	must(t, w.store.SetLive(ctx, "default", "default-app", 1))
	if l := next(); l.N != 3 {
		t.Errorf("the end overtook a line: %+v", l)
	}
	if l := next(); !l.End || l.State != "live" || l.Address != "http://default-app.localhost:8080" {
		t.Errorf("got %+v", l)
	}
	if lines.Scan() {
		t.Errorf("after the end: %s", lines.Text())
	}
}

func TestLogs(t *testing.T) {
	w := newWorld(t)
	t.Run("records come in their canonical form", func(t *testing.T) {
		got := read[struct {
			Records []record.Record
			Cursor  string
		}](t, w.send("viewer", "GET", app+"/logs?from=2026-11-20T10:00:00Z&level=warning&kind=log,request&q=a%26b&status=5xx&limit=7", nil), 200)
		f := w.fakes.filter
		if len(got.Records) != 2 || got.Records[0].Msg != "line 2" || got.Cursor != "older" {
			t.Errorf("got %+v", got)
		}
		if f.Tenant != "default" || f.App != "default-app" || f.From.Hour() != 10 || f.Level != record.LevelWarning || len(f.Kinds) != 2 ||
			f.Text != "a&b" || f.Status != "5xx" || f.Limit != 7 {
			t.Errorf("filter %+v", f)
		}
	})
	t.Run("what cannot be read is refused with a sentence", func(t *testing.T) {
		for _, query := range []string{"level=loud", "kind=x", "status=9xx", "status=42", "from=yesterday", "limit=0", "limit=5000"} {
			want(t, w.send("viewer", "GET", app+"/logs?"+query, nil), 422)
		}
	})
	t.Run("a log that is followed comes line by line", func(t *testing.T) {
		resp := w.send("viewer", "GET", app+"/logs?follow=true", nil)
		if got := resp.Header.Get("Content-Type"); got != "application/x-ndjson" {
			t.Errorf("content type %s", got)
		}
		lines := bufio.NewScanner(resp.Body)
		for n := range 2 {
			var r record.Record
			if !lines.Scan() || json.Unmarshal(lines.Bytes(), &r) != nil || !strings.HasSuffix(r.Msg, string(rune('0'+n))) {
				t.Fatalf("line %d: %s, %v", n, lines.Text(), lines.Err())
			}
		}
		// The follower is still there when the API stops: the clean-up of the
		// world waits for it.
	})
}

func TestRunAndDownload(t *testing.T) {
	w := newWorld(t)
	run := func() string {
		resp := w.send("developer", "POST", app+"/run", map[string]any{"command": []string{"echo", "<hi>"}})
		if resp.StatusCode != 200 {
			return want(t, resp, 422)
		}
		return want(t, resp, 200)
	}
	if got := run(); !strings.Contains(got, "Deploy it first") {
		t.Errorf("got %s", got)
	}
	must(t, first(w.store.NewRelease(t.Context(), paas.Release{Tenant: "default", App: "default-app"})))
	must(t, w.store.SetLive(t.Context(), "default", "default-app", 1))
	if got := run(); got != "{\"stream\":\"stdout\",\"line\":\"echo <hi>\"}\n{\"end\":true,\"exit\":3}\n" {
		t.Errorf("got %s", got)
	}
	w.fakes.fail = errors.New("engine gone")
	if got := run(); !strings.Contains(got, `"exit":126,"error":"Something failed inside Kurama.`) || strings.Contains(got, "engine") {
		t.Errorf("got %s", got)
	}
	want(t, w.send("viewer", "GET", app+"/archive/download", nil), 500)
	w.fakes.fail = nil

	resp := w.send("viewer", "GET", app+"/archive/download?from=2026-11-20T00:00:00Z&format=jsonl.gz", nil)
	body, _ := io.ReadAll(resp.Body)
	if string(body) != "records of default-app as jsonl.gz\n" || resp.Header.Get("Content-Type") != "application/gzip" ||
		resp.Header.Get("Content-Disposition") != `attachment; filename="default-app-20261120T000000Z.jsonl.gz"` {
		t.Errorf("got %s %v", body, resp.Header)
	}
	for _, c := range []struct {
		asked, tag, says, body string
		status                 int
	}{
		{"bytes=8-10", "", "bytes 8-10/31", "of ", 206},
		{"bytes=26-", `"now"`, "bytes 26-30/31", "json\n", 206},
		{"bytes=-4", "", "bytes 27-30/31", "son\n", 206},
		{"bytes=30-", `"before"`, "", "records of default-app as json\n", 200},
		{"bytes=31-", "", "bytes */31", "", 416},
		{"bytes=1-2,5-6", "", "", "records of default-app as json\n", 200},
	} {
		resp := w.send("viewer", "GET", app+"/archive/download?format=json", nil, "Range", c.asked, "If-Range", c.tag)
		if body, _ := io.ReadAll(resp.Body); resp.StatusCode != c.status || resp.Header.Get("Content-Range") != c.says || string(body) != c.body {
			t.Errorf("%s: %d %q %q", c.asked, resp.StatusCode, resp.Header.Get("Content-Range"), body)
		}
	}
	if got := want(t, w.send("viewer", "GET", app+"/archive/verify", nil), 200); !strings.HasSuffix(got, `{"end":true,"ok":true,"files":1,"records":3,"bytes":9}`+"\n") {
		t.Errorf("got %s", got)
	}
	want(t, w.send("owner", "PUT", "/api/v1/archive", map[string]any{"retention": 86400, "max_bytes": 5}), 403)
	if s := read[api.ArchiveState](t, w.send("operator", "PUT", "/api/v1/archive", map[string]any{"retention": 86400, "max_bytes": 5}), 200); s.Limits.MaxBytes != 5 {
		t.Errorf("got %+v", s)
	}
	want(t, w.send("viewer", "GET", app+"/archive/download?from=2026-11-20T00:00:00Z&to=2026-11-19T00:00:00Z", nil), 422)
	want(t, w.send("viewer", "GET", app+"/archive/download?format=xml", nil), 422)
}

func TestOtherResources(t *testing.T) {
	w := newWorld(t)
	for path, part := range map[string]string{
		app + "/archive": `"files":[]`, app + "/alerts": `"alerts":[]`, app + "/notifications": `"notifications":[]`,
		app + "/profile?window=15m": `"window":"15m"`, app + "/profile/slowest": `"route":"/slow"`, app + "/releases": `"releases":[]`, "/api/v1/outbox/m1": "Subject: hello",
	} {
		if got := want(t, w.send("viewer", "GET", path, nil), 200); !strings.Contains(got, part) {
			t.Errorf("%s: no %s in %s", path, part, got)
		}
	}
	want(t, w.send("stranger", "GET", "/api/v1/outbox/m1", nil), 404)
	want(t, w.send("viewer", "GET", app+"/profile?window=1s", nil), 422)
	rule := map[string]any{"condition": "cpu > 90", "for": 60, "receiver": "ann@example.org"}
	if r := read[api.Rule](t, w.send("developer", "POST", app+"/alerts", rule), 201); r.For != 60 || r.State != "ok" {
		t.Errorf("got %+v", r)
	}
	if p := read[api.RulePreview](t, w.send("viewer", "POST", app+"/alerts/preview", map[string]any{"condition": "cpu > 90"}), 200); p.Subject != "cpu" {
		t.Errorf("got %+v", p)
	}
	if got := want(t, w.send("viewer", "POST", app+"/alerts/preview", map[string]any{"condition": "cpuu < 90"}), 422); !strings.Contains(got, `"at":1`) {
		t.Errorf("got %s", got)
	}
	rule["condition"] = "cpu >"
	want(t, w.send("developer", "POST", app+"/alerts", rule), 422)
	want(t, w.send("developer", "POST", app+"/alerts/r1/test", nil), 202)
	if got := want(t, w.send("developer", "DELETE", app+"/alerts/r9", nil), 404); !strings.Contains(got, "There is no alert r9.") {
		t.Errorf("got %s", got)
	}
}
