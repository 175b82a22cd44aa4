package reqsim

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Latency sums up durations in milliseconds, from sending a request until its
// whole answer or its failure. Quantiles are right within half a percent.
type Latency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99_9"`
	Max  float64 `json:"max"`
}

// PathReport is what one path answered.
type PathReport struct {
	Path     string   `json:"path"`
	Requests int      `json:"requests"`
	Failed   int      `json:"failed"`
	Latency  *Latency `json:"latency"`
}

// Report is the outcome of a run. Failed are requests without an answer and
// answers from 400 on. What is not known, since nothing was answered, is null.
type Report struct {
	Target   string         `json:"target"`
	Shape    Shape          `json:"shape"`
	Began    time.Time      `json:"began"`
	Seconds  float64        `json:"seconds"`  // from the first request until the last answer
	Planned  int            `json:"planned"`  // requests of the plan
	Requests int            `json:"requests"` // sent and ended, well or not
	Failed   int            `json:"failed"`
	Unsent   int            `json:"unsent"`  // due, but not sent: the run was stopped, or too many were under way
	Stopped  int            `json:"stopped"` // under way when the run was stopped
	Rate     float64        `json:"rate"`    // requests per second while they were sent
	Success  *float64       `json:"success"` // share, 0 to 1
	Status   map[string]int `json:"status"`
	Errors   map[string]int `json:"errors"`
	Latency  *Latency       `json:"latency"`
	Late     *Latency       `json:"late"` // ms from when a request was due until it was sent
	Paths    []PathReport   `json:"paths"`

	Apdex  map[string]float64 `json:"apdex,omitempty"`  // by threshold, of those that conditions ask about
	Ensure []Verdict          `json:"ensure,omitempty"` // in the order of the plan
}

// Holds reports whether all conditions of the plan hold.
func (r Report) Holds() bool {
	return !slices.ContainsFunc(r.Ensure, func(v Verdict) bool { return !v.Holds })
}

// JSON returns the report as one indented JSON document.
func (r Report) JSON() ([]byte, error) { return json.MarshalIndent(r, "", "  ") }

func (t *tally) report() Report {
	r := Report{Target: t.plan.URL, Shape: t.plan.Shape, Began: t.began.UTC(), Seconds: round(t.ended.Sub(t.began).Seconds()),
		Planned: int(t.pacer.total), Requests: t.answered, Failed: t.answered - t.good, Stopped: t.stopped,
		Unsent: int(t.pacer.total) - t.answered - t.stopped,
		Status: map[string]int{}, Errors: t.kinds, Latency: t.all.latency(), Late: t.late.latency()}
	for code, n := range t.status {
		r.Status[strconv.Itoa(code)] = n
	}
	if t.answered > 0 {
		share := float64(t.good) / float64(t.answered)
		r.Success = &share
		r.Rate = round(float64(t.answered) / t.sending.Seconds())
	}
	for url, p := range t.paths {
		r.Paths = append(r.Paths, PathReport{Path: pathOf(url), Requests: p.requests, Failed: p.failed, Latency: p.durations.latency()})
	}
	slices.SortFunc(r.Paths, func(a, b PathReport) int {
		return cmp.Or(b.Requests-a.Requests, strings.Compare(a.Path, b.Path))
	})
	r.Apdex = t.apdexes.report(t.answered)
	for _, e := range t.plan.Ensure {
		r.Ensure = append(r.Ensure, e.Check(r))
	}
	return r
}

func (d *durations) latency() *Latency {
	if d.n == 0 {
		return nil
	}
	return &Latency{Mean: round(milliseconds(d.sum) / float64(d.n)), P50: round(d.quantile(0.50)), P90: round(d.quantile(0.90)),
		P95: round(d.quantile(0.95)), P99: round(d.quantile(0.99)), P999: round(d.quantile(0.999)), Max: round(milliseconds(d.max))}
}

func round(v float64) float64 { return math.Round(v*1000) / 1000 }

// pathOf takes scheme and host off an address.
func pathOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	if at := strings.IndexByte(rest, '/'); at >= 0 {
		return rest[at:]
	}
	return "/"
}
