package reqsim

import (
	"encoding/csv"
	"strconv"
	"strings"
)

// CSV returns the seconds of the run as comma-separated values, an empty field
// where a figure is not known. Times are in ms.
func (r Report) CSV() string {
	b := strings.Builder{}
	w := csv.NewWriter(&b)
	rows := [][]string{{"second", "wanted", "requests", "failed", "p50", "p95", "p99", "replicas_wanted", "replicas_ready", "cpu", "mem"}}
	for _, p := range r.Series {
		rows = append(rows, []string{strconv.Itoa(p.Second), number(&p.Wanted), strconv.Itoa(p.Requests), strconv.Itoa(p.Failed),
			number(p.P50), number(p.P95), number(p.P99), number(p.App.Wanted), number(p.App.Ready), number(p.App.CPU), number(p.App.Mem)})
	}
	_ = w.WriteAll(rows) // into memory: it cannot fail
	return b.String()
}

func number(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}
