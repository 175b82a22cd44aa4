package api_test

import (
	"encoding/json"
	"testing"

	"kurama/paas"
	"kurama/paas/api"
)

func TestWhatIf(t *testing.T) {
	w := newWorld(t)
	ask := func(who string, body map[string]any, status int) string {
		t.Helper()
		return want(t, w.send(who, "POST", app+"/what-if", body), status)
	}
	change := map[string]any{"policy": map[string]any{"name": "swift", "max": 9, "swift": map[string]any{"drain": 2}}, "hours": 2}
	ask("viewer", change, 422) // no release yet
	must(t, first(w.store.NewRelease(t.Context(), paas.Release{Tenant: "default", App: "default-app"})))
	must(t, w.store.SetLive(t.Context(), "default", "default-app", 1))
	var got api.WhatIf
	must(t, json.Unmarshal([]byte(ask("viewer", change, 200)), &got))
	if len(got.Results) != 2 || got.Results[0].Policy.Name != "kurama" || got.Results[1].Policy.Name != "swift" || got.Results[1].Policy.Max != 9 ||
		got.Results[1].Policy.Swift.Drain != 2 || got.Objective != 200 || got.Says != "2h0m0s" {
		t.Errorf("%+v", got)
	}
	ask("stranger", change, 404)
	ask("viewer", map[string]any{"policy": map[string]any{"name": "magic"}}, 422)
	ask("viewer", map[string]any{"policy": map[string]any{}, "hours": 25}, 422)
	if p, err := w.policies.Policy(t.Context(), "default", "default-app"); err != nil || p.Name != "kurama" {
		t.Errorf("asking has changed the policy: %+v, %v", p, err)
	}
}
