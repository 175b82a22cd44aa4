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

// Latency sums up durations in milliseconds, from when a request was due until
// its whole answer or its failure. Quantiles are right within half a percent.
type Latency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99_9"`
	Max  float64 `json:"max"`
}

// PhaseReport is what came of one phase.
type PhaseReport struct {
	Phase    string   `json:"phase"`
	Seconds  float64  `json:"seconds"` // as planned
	Requests int      `json:"requests"`
	Failed   int      `json:"failed"`
	Latency  *Latency `json:"latency"`
}

// Point is one second of a run: the requests that were due in it, and how the
// app was. What is not known is null.
type Point struct {
	Second   int      `json:"second"`
	Wanted   float64  `json:"wanted"` // rate of the plan in its middle
	Requests int      `json:"requests"`
	Failed   int      `json:"failed"`
	P50      *float64 `json:"p50"` // ms
	P95      *float64 `json:"p95"`
	P99      *float64 `json:"p99"`
	App      Look     `json:"app"`
}

// PathReport is what one path, or one named step of a visit, answered.
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
	WarmUp   int            `json:"warm_up"` // sent before, and left out of all figures but the seconds
	Bytes    int64          `json:"bytes"`   // of the answers' bodies
	Rate     float64        `json:"rate"`    // requests per second while they were sent
	Success  *float64       `json:"success"` // share, 0 to 1
	Status   map[string]int `json:"status"`
	Errors   map[string]int `json:"errors"`
	Latency  *Latency       `json:"latency"`
	Late     *Latency       `json:"late"` // ms from when a request was due until it was sent
	Paths    []PathReport   `json:"paths"`
	Phases   []PhaseReport  `json:"phases,omitempty"` // where there are several
	Series   []Point        `json:"series"`

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
	planned := int(t.pacer.course.total)
	r := Report{Target: t.plan.URL, Shape: t.plan.Shape, Began: t.began.UTC(), Seconds: round(t.ended.Sub(t.began).Seconds()),
		Planned: planned, Requests: t.answered, Failed: t.answered - t.good, Stopped: t.stopped, WarmUp: t.warmUp, Bytes: t.bytes,
		Unsent: max(planned-int(t.pacer.sent.Load()), 0),
		Status: map[string]int{}, Errors: t.kinds, Latency: t.all.latency(), Late: t.late.latency(), Series: t.series(0)}
	for code, n := range t.status {
		r.Status[strconv.Itoa(code)] = n
	}
	if t.answered > 0 {
		share := float64(t.good) / float64(t.answered)
		r.Success = &share
		r.Rate = round(float64(t.answered) / max(t.sending-t.plan.WarmUp, time.Millisecond).Seconds())
	}
	for name, g := range t.steps {
		r.Paths = append(r.Paths, PathReport{Path: cmp.Or(name, pathOf(t.plan.URL)), Requests: g.requests, Failed: g.failed, Latency: g.durations.latency()})
	}
	slices.SortFunc(r.Paths, func(a, b PathReport) int {
		return cmp.Or(b.Requests-a.Requests, strings.Compare(a.Path, b.Path))
	})
	if names := t.pacer.course.names(); len(names) > 1 {
		for _, name := range names {
			r.Phases = append(r.Phases, t.phase(name))
		}
	}
	r.Apdex = t.apdexes.report(t.answered)
	for _, e := range t.plan.Ensure {
		r.Ensure = append(r.Ensure, e.Check(r))
	}
	return r
}

func (t *tally) phase(name string) PhaseReport {
	p := PhaseReport{Phase: name}
	for _, part := range t.pacer.course.parts {
		if part.name == name {
			p.Seconds += round(part.duration)
		}
	}
	if g := t.phases[name]; g != nil {
		p.Requests, p.Failed, p.Latency = g.requests, g.failed, g.durations.latency()
	}
	return p
}

// series returns the seconds of the run from one on.
func (t *tally) series(from int) []Point {
	list := make([]Point, 0, len(t.points)-from)
	for i := from; i < len(t.points); i++ {
		s := t.points[i]
		p := Point{Second: i, Wanted: round(t.pacer.course.at(float64(i) + 0.5)), Requests: s.requests, Failed: s.failed, App: s.look}
		if float64(i) >= t.pacer.course.end {
			p.Wanted = 0
		}
		if l := s.durations.latency(); l != nil {
			p.P50, p.P95, p.P99 = &l.P50, &l.P95, &l.P99
		}
		list = append(list, p)
	}
	return list
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
