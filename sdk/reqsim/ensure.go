package reqsim

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Ensure is a condition on a report, such as `p95 < 75ms`, `error_rate < 1%`
// or `apdex(100ms) > 0.95`.
type Ensure struct {
	Text   string
	figure string
	apdex  time.Duration // of apdex(…)
	op     string
	limit  float64 // ms, a share, or a number as the figure has it
}

// Verdict is what a report says of a condition. Value is null where the report
// does not know the figure, since nothing was answered; then it does not hold.
type Verdict struct {
	Ensure string   `json:"ensure"`
	Value  *float64 `json:"value"` // in the condition's unit: ms, a share of 1, or a number
	Holds  bool     `json:"holds"`
}

// Text says a verdict in a line.
func (v Verdict) Text() string {
	switch {
	case v.Value == nil:
		return fmt.Sprintf("✗ %s: nothing was answered, so it is not known", v.Ensure)
	case v.Holds:
		return fmt.Sprintf("✓ %s (%.6g)", v.Ensure, *v.Value)
	}
	return fmt.Sprintf("✗ %s: it is %.6g", v.Ensure, *v.Value)
}

// figureKinds are the figures that a condition may be about, and their unit.
var figureKinds = map[string]string{
	"p50": "ms", "p90": "ms", "p95": "ms", "p99": "ms", "p99.9": "ms", "mean": "ms", "max": "ms", "late_p99": "ms",
	"error_rate": "%", "success": "%", "apdex": "", "rate": "/s", "requests": "", "failed": "", "unsent": "",
}

var ensurePattern = regexp.MustCompile(`^([a-z_]+[0-9.]*|p[0-9.]+)(?:\(([^)]+)\))?\s*(<=|>=|==|<|>)\s*([0-9.]+)\s*(ms|s|%|/s)?$`)

// ParseEnsure reads a condition. Its errors are for the person who wrote it.
func ParseEnsure(text string) (Ensure, error) {
	text = strings.TrimSpace(text)
	m := ensurePattern.FindStringSubmatch(text)
	if m == nil {
		return Ensure{}, fmt.Errorf("%q is not a condition: write it as p95 < 75ms, error_rate < 1%% or apdex(100ms) > 0.95", text)
	}
	e := Ensure{Text: text, figure: m[1], op: m[3]}
	unit, known := figureKinds[e.figure]
	if !known {
		names := make([]string, 0, len(figureKinds))
		for name := range figureKinds {
			names = append(names, name)
		}
		slices.Sort(names)
		return e, fmt.Errorf("%q: there is no figure %s. There are %s", text, e.figure, strings.Join(names, ", "))
	}
	var err error
	if e.limit, err = strconv.ParseFloat(m[4], 64); err != nil {
		return e, fmt.Errorf("%q: %s is not a number", text, m[4])
	}
	switch given := m[5]; {
	case unit == "ms" && given == "s":
		e.limit *= 1000
	case unit == "ms" && given != "ms":
		return e, fmt.Errorf("%q: %s needs ms or s behind its limit", text, e.figure)
	case unit == "%" && given == "%":
		e.limit /= 100
	case given != "" && given != unit:
		return e, fmt.Errorf("%q: %s is not in %s", text, e.figure, given)
	}
	return e, e.parseApdex(m[2])
}

func (e *Ensure) parseApdex(inside string) error {
	if (e.figure == "apdex") != (inside != "") {
		return fmt.Errorf("%q: apdex, and nothing else, needs a time in brackets: apdex(100ms) > 0.95", e.Text)
	}
	if inside == "" {
		return nil
	}
	d, err := time.ParseDuration(inside)
	if err != nil || d <= 0 {
		return fmt.Errorf("%q: %q is not a time such as 100ms", e.Text, inside)
	}
	e.apdex = d
	return nil
}

// Check holds a report against the condition.
func (e Ensure) Check(r Report) Verdict {
	v := Verdict{Ensure: e.Text}
	value, known := e.value(r)
	if !known {
		return v
	}
	v.Value = &value
	switch e.op {
	case "<":
		v.Holds = value < e.limit
	case "<=":
		v.Holds = value <= e.limit
	case ">":
		v.Holds = value > e.limit
	case ">=":
		v.Holds = value >= e.limit
	default:
		v.Holds = value == e.limit
	}
	return v
}

// value returns the figure of a report; false where nothing was answered.
func (e Ensure) value(r Report) (v float64, known bool) {
	switch e.figure {
	case "requests":
		return float64(r.Requests), true
	case "failed":
		return float64(r.Failed), true
	case "unsent":
		return float64(r.Unsent), true
	case "rate":
		return r.Rate, true
	}
	if r.Success == nil || r.Latency == nil {
		return 0, false
	}
	switch e.figure {
	case "error_rate":
		return 1 - *r.Success, true
	case "success":
		return *r.Success, true
	case "apdex":
		v, known = r.Apdex[e.apdex.String()]
		return v, known
	case "late_p99":
		return r.Late.P99, true
	}
	l := r.Latency
	return map[string]float64{"p50": l.P50, "p90": l.P90, "p95": l.P95, "p99": l.P99, "p99.9": l.P999, "mean": l.Mean, "max": l.Max}[e.figure], true
}

// apdexes counts, for each threshold that a condition asks about, who was
// satisfied (at most the threshold) and who tolerated it (at most four times).
type apdexes []apdexCount

type apdexCount struct {
	threshold           time.Duration
	satisfied, tolerate int
}

func newApdexes(list []Ensure) (a apdexes) {
	for _, e := range list {
		if e.apdex > 0 && !slices.ContainsFunc(a, func(c apdexCount) bool { return c.threshold == e.apdex }) {
			a = append(a, apdexCount{threshold: e.apdex})
		}
	}
	return a
}

// add counts a request that succeeded.
func (a apdexes) add(took time.Duration) {
	for i := range a {
		switch {
		case took <= a[i].threshold:
			a[i].satisfied++
		case took <= 4*a[i].threshold:
			a[i].tolerate++
		}
	}
}

// report returns the apdex of each threshold over n requests: the satisfied and
// half of those who tolerate, as the Apdex Alliance defines it.
func (a apdexes) report(n int) map[string]float64 {
	if n == 0 || len(a) == 0 {
		return nil
	}
	list := map[string]float64{}
	for _, c := range a {
		list[c.threshold.String()] = round((float64(c.satisfied) + float64(c.tolerate)/2) / float64(n))
	}
	return list
}
