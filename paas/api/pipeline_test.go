package api_test

import (
	"strings"
	"testing"

	"kurama/paas"
	"kurama/paas/api"
)

func TestPipelineRoutes(t *testing.T) {
	w := newWorld(t)
	must(t, first(w.store.CreateApp(t.Context(), "default", "shop")))
	put := func(query string, body paas.Pipeline, status int) string {
		t.Helper()
		return want(t, w.send("developer", "PUT", "/api/v1/apps/shop/pipeline"+query, body), status)
	}
	off := paas.Pipeline{Profile: paas.Stage{Off: true}}
	if body := put("?dry_run=true", off, 200); !strings.Contains(body, `profile: off`) {
		t.Errorf("a trial reads as %s", body)
	}
	put("?dry_run=true", paas.Pipeline{Alert: paas.Stage{RetentionDays: 3}}, 422)
	deeds := func() string {
		return want(t, w.send("owner", "GET", "/api/v1/audit?limit=200", nil), 200)
	}
	if view := read[api.PipelineView](t, w.send("viewer", "GET", "/api/v1/apps/shop/pipeline", nil), 200); view.Pipeline.Profile.Off || strings.Contains(deeds(), "set-pipeline") {
		t.Errorf("a trial left %+v, or a deed", view)
	}
	put("", off, 200)
	if view := read[api.PipelineView](t, w.send("viewer", "GET", "/api/v1/apps/shop/pipeline", nil), 200); !view.Pipeline.Profile.Off || view.Declared || !strings.Contains(deeds(), "set-pipeline") {
		t.Errorf("a change left %+v, or no deed", view)
	}
	put("", paas.Pipeline{Persist: paas.Stage{Take: []paas.Branch{{Level: "LOUD"}}}}, 422)
	short := func(days int) paas.Pipeline { return paas.Pipeline{Archive: paas.Stage{RetentionDays: days}} }
	if body := put("", short(1), 403); !strings.Contains(body, "for 1 days, shorter than the 90 days") {
		t.Errorf("a developer who shortens the archive is told %s", body)
	}
	put("", short(365), 200)
	want(t, w.send("owner", "PUT", "/api/v1/apps/shop/pipeline", short(30)), 200)
	put("", short(29), 403)
	put("", short(30), 200)
	want(t, w.send("developer", "GET", "/api/v1/apps/nothing/pipeline/flow", nil), 404)
}
