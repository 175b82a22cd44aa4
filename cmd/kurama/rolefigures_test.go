package main

import (
	"strings"
	"testing"

	"kurama/paas/api"
)

func TestTheFiguresOfARoleComeFromItsMetrics(t *testing.T) {
	f := func(role, metrics string, records, lag, errors float64) {
		t.Helper()
		r := api.RoleStatus{Name: role}
		readFigures(strings.NewReader(metrics), &r)
		for what, c := range map[string]struct {
			got  *float64
			want float64
		}{"records": {r.Records, records}, "lag": {r.Lag, lag}, "errors": {r.Errors, errors}} {
			if (c.got == nil) != (c.want < 0) || c.got != nil && *c.got != c.want {
				t.Errorf("%s of %s: %v, want %g", what, role, c.got, c.want)
			}
		}
	}
	f("persist", "# HELP kurama_persist_lag Batches.\nkurama_persist_lag 3\nkurama_persist_records_total 1.2e+06\nkurama_persist_errors_total 0\n", 1.2e6, 3, 0)
	f("router", `kurama_router_requests_total{app="a b",class="2xx"} 5`+"\n"+`kurama_router_requests_total{app="c",class="5xx"} 2`+"\nkurama_router_records_dropped_total 1\n", 7, -1, 1)
	f("archive", "kurama_archive_lag NaN\nkurama_persist_records_total 9\n", -1, -1, -1)
}
