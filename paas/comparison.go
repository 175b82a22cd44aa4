package paas

import "time"

// RouteFigures is how one route of a release did.
type RouteFigures struct {
	Method, Route    string
	Requests, Errors int64                   // errors: answered with 500 and above
	Timed            int64                   // requests that Quantile is about
	Quantile         func(q float64) float64 // ms, q from 0 to 1; nil where Timed is 0
}

// MemoryFigures is how full the memory of a release's replicas was, in percent
// of their limit.
type MemoryFigures struct {
	Samples    int64
	Mean, Peak float64
}

// ReleaseFigures is how a release did from From to To.
type ReleaseFigures struct {
	Release  int
	From, To time.Time
	Routes   []RouteFigures
	Memory   MemoryFigures
}

// RouteSide is one release's side of a comparison; what too few requests say
// nothing about is null.
type RouteSide struct {
	Requests int64    `json:"requests"`
	Errors   *float64 `json:"errors" doc:"Percent answered with 500 and above"`
	P95      *float64 `json:"p95" doc:"ms; null below 72 requests"`
	P95Low   *float64 `json:"p95_low" doc:"With a certainty of 95 % the true p95 is from here"`
	P95High  *float64 `json:"p95_high" doc:"to here"`
}

// RouteComparison is one route in both releases.
type RouteComparison struct {
	Method string    `json:"method"`
	Route  string    `json:"route"`
	Now    RouteSide `json:"now"`
	Before RouteSide `json:"before"`
	Worse  bool      `json:"worse"`
	Says   string    `json:"says"`
}

// MemoryComparison is the replicas' memory in both releases, in percent of the
// limit; null where it is not known.
type MemoryComparison struct {
	Mean       *float64 `json:"mean"`
	Peak       *float64 `json:"peak"`
	BeforeMean *float64 `json:"before_mean"`
	BeforePeak *float64 `json:"before_peak"`
	Worse      bool     `json:"worse"`
	Says       string   `json:"says"`
}

// Verdict is what a comparison comes to.
type Verdict string

// The verdicts.
const (
	VerdictWorse Verdict = "worse" // clearly
	VerdictFine  Verdict = "fine"  // nothing is clearly worse
	VerdictFew   Verdict = "few"   // too few requests to tell
)

// Comparison is how a release does against another.
type Comparison struct {
	Release int               `json:"release"`
	Against int               `json:"against" doc:"0: no other was live"`
	From    time.Time         `json:"from" doc:"Begin of the requests of the release that are looked at"`
	To      time.Time         `json:"to"`
	Routes  []RouteComparison `json:"routes" doc:"What is worse first, then by requests"`
	Memory  MemoryComparison  `json:"memory"`
	Verdict Verdict           `json:"verdict" enum:"worse,fine,few"`
	Says    string            `json:"says"`
}
