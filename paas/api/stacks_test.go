package api_test

import (
	"strings"
	"testing"
	"time"

	"kurama/paas/api"
)

func TestStacks(t *testing.T) {
	w := newWorld(t)
	const path = "/api/v1/apps/default-app/profile/"
	began := read[api.SamplingView](t, w.send("developer", "POST", path+"sample", map[string]any{"seconds": 20}), 202)
	if lasts := time.Until(began.Until); lasts < 10*time.Second || lasts > 20*time.Second || began.Replicas != 2 || w.fakes.sampling.Hz != 50 ||
		!strings.Contains(began.Message, "default-app are sampled for 20 seconds, 50 times a second.") {
		t.Errorf("%+v, %+v", began, w.fakes.sampling)
	}
	want(t, w.send("viewer", "POST", path+"sample", map[string]any{}), 403) // it slows the app down, by little
	want(t, w.send("developer", "POST", path+"sample", map[string]any{"seconds": 601}), 422)
	view := read[api.StackView](t, w.send("viewer", "GET", path+"stacks?window=15m&route=/a", nil), 200)
	if view.Window != "15m" || view.To.Sub(view.From) != 15*time.Minute || len(view.Nodes) != 1 || view.Routes[0].Route != "/a" {
		t.Errorf("%+v", view)
	}
}
