package api_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"kurama/paas"
)

// Report gives two tenants files of their own.
func (f *fakes) Report(context.Context) (paas.DiskReport, error) {
	return paas.DiskReport{Tenants: []paas.DiskUse{{Tenant: "default", Releases: 7}, {Tenant: "other", Releases: 8}}, Shared: map[string]int64{"layers": 9}, Spare: 5}, nil
}

// Collect frees a MiB.
func (f *fakes) Collect(context.Context) (int64, error) { return 1 << 20, nil }

func TestDisk(t *testing.T) {
	w := newWorld(t)
	see := func(as, query string) string { return want(t, w.send(as, "GET", "/api/v1/disk"+query, nil), 200) }
	for as, tenant := range map[string]string{"viewer": "default", "stranger": "other"} {
		body := see(as, "")
		if !strings.Contains(body, `"tenant":"`+tenant+`"`) || strings.Count(body, `"tenant":`) != 1 || strings.Contains(body, `"layers":9`) || strings.Contains(body, "spare") {
			t.Errorf("%s sees %s", as, body)
		}
	}
	if body := see("operator", ""); strings.Count(body, `"tenant":`) != 2 || !strings.Contains(body, `"layers":9`) || !strings.Contains(body, `"spare":5`) {
		t.Errorf("an operator sees %s", body)
	}
	if body := see("operator", "?tenant=other"); strings.Count(body, `"tenant":`) != 1 || strings.Contains(body, `"layers":9`) || strings.Contains(body, "spare") {
		t.Errorf("an operator sees %s of one tenant", body)
	}
	want(t, w.send("owner", "POST", "/api/v1/disk/collect", nil), 403)
	if body := want(t, w.send("operator", "POST", "/api/v1/disk/collect", nil), 200); !strings.Contains(body, `"freed":1048576`) {
		t.Errorf("collected: %s", body)
	}
}

// Metrics gives the role persist one figure.
func (f *fakes) Metrics(_ context.Context, role string) (io.ReadCloser, error) {
	if role != "persist" {
		return nil, fmt.Errorf("role %s: %w", role, paas.ErrNotFound)
	}
	return io.NopCloser(strings.NewReader("kurama_persist_lag 0\n")), nil
}

func TestMetricsOfRoles(t *testing.T) {
	w := newWorld(t)
	want(t, w.send("owner", "GET", "/api/v1/metrics/persist", nil), 403)
	want(t, w.send("operator", "GET", "/api/v1/metrics/nobody", nil), 404)
	if body := want(t, w.send("operator", "GET", "/api/v1/metrics/persist", nil), 200); body != "kurama_persist_lag 0\n" {
		t.Errorf("got %q", body)
	}
}
