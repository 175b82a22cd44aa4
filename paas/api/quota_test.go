package api_test

import (
	"strings"
	"testing"

	"kurama/paas"
	"kurama/paas/api"
)

func TestQuota(t *testing.T) {
	w := newWorld(t)
	const path = "/api/v1/quota"
	got := read[api.QuotaView](t, w.send("viewer", "GET", path, nil), 200)
	if got.Own || got.Quota != (paas.Quota{}) || got.Use.Apps != 1 || got.Use.Replicas != 1 || got.Use.LogBytes != 1<<20 || got.LogDropped != 3 {
		t.Errorf("at first: %+v", got)
	}
	want(t, w.send("owner", "PUT", path, paas.Quota{Apps: 99}), 403) // nobody gives themselves more
	want(t, w.send("operator", "PUT", path+"?tenant=default", map[string]any{"apps": -1, "replicas": 0, "cpu": 0, "memory": 0}), 422)
	got = read[api.QuotaView](t, w.send("operator", "PUT", path+"?tenant=default", paas.Quota{Apps: 1, Replicas: 2}), 200)
	if !got.Own || got.Quota.Apps != 1 {
		t.Errorf("set: %+v", got)
	}
	body := want(t, w.send("developer", "POST", "/api/v1/apps/second/releases", strings.NewReader("PK\x03\x04"), "Content-Type", "application/zip"), 422)
	if !strings.Contains(body, "Tenant default has 1 of 1 apps. Delete one that is not needed, or ask the platform's operator for more.") {
		t.Errorf("an app beyond the quota: %s", body)
	}
	body = want(t, w.send("developer", "PUT", "/api/v1/apps/default-app/scale", map[string]any{"replicas": 3}), 422)
	if !strings.Contains(body, "Tenant default would have 3 replicas, and its quota is 2.") {
		t.Errorf("replicas beyond the quota: %s", body)
	}
	if left := w.uploads(); len(left) > 0 {
		t.Errorf("uploads left: %v", left)
	}
	want(t, w.send("operator", "DELETE", path+"?tenant=default", nil), 204)
	if got = read[api.QuotaView](t, w.send("owner", "GET", path, nil), 200); got.Own {
		t.Errorf("after the reset: %+v", got)
	}
}
