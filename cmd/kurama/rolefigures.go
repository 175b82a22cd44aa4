package main

import (
	"bufio"
	"io"
	"math"
	"strconv"
	"strings"

	"kurama/paas/api"
)

// readFigures takes from a role's metrics what all roles that handle records
// have in common. Metrics with labels (requests by app) are added up.
func readFigures(metrics io.Reader, r *api.RoleStatus) {
	wanted := map[string]**float64{
		"records_total": &r.Records, "lag": &r.Lag, "errors_total": &r.Errors,
		// Roles that name it after what they do.
		"requests_total": &r.Records, "spool_batches": &r.Lag, "publish_failures_total": &r.Errors, "records_dropped_total": &r.Errors,
	}
	prefix := "kurama_" + r.Name + "_"
	lines := bufio.NewScanner(metrics)
	for lines.Scan() {
		series, value, ok := strings.Cut(strings.TrimPrefix(lines.Text(), prefix), " ")
		if cut := strings.IndexByte(series, '{'); cut >= 0 {
			end := strings.LastIndex(lines.Text(), "} ")
			if end < 0 {
				continue
			}
			series, value = series[:cut], lines.Text()[end+2:]
		}
		into := wanted[series]
		n, err := strconv.ParseFloat(value, 64)
		if !ok || into == nil || err != nil || math.IsNaN(n) {
			continue
		}
		if *into != nil {
			n += **into
		}
		*into = &n
	}
}
