package paas

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What Judge asks for beside the limits of AutoRollback.
const (
	// FalseAlarm is how likely it is at most that a release which is as good as
	// the former is called clearly worse while it is watched.
	FalseAlarm = 0.01
	// minRequests of a route, in each release, for a word about its errors.
	minRequests = 30
	// minSlower is by how many ms a p95 has to rise, however small it was.
	minSlower = 10.0
	// minMemory samples of a release, one a second and replica, for a word about its memory.
	minMemory = 60
	// certain is the risk, on each side, of the bounds that are shown.
	certain = 0.025
)

// Judge compares how a release does with how the former did. It calls a route
// clearly worse where both hold:
//
//   - it is certain: the lower bound of what the release does lies above the upper
//     bound of what the former did. Bounds of a share of k in n requests are those of
//     Chernoff's inequality in the form of Hoeffding (1963, "Probability inequalities
//     for sums of bounded random variables", theorem 1): P(share ≥ x) ≤ exp(-n·KL(x‖p)).
//     The p95 is bounded by order statistics (Conover, "Practical Nonparametric
//     Statistics", section 3.2): how many requests stay below the true p95 is binomial,
//     whatever the times are distributed like. Both hold for any n.
//   - it matters: more errors by r.Errors percentage points, or a p95 that is r.P95
//     times the former and 10 ms above it.
//
// risk is the chance of a false alarm in this one look, shared out (Bonferroni) to
// all tests of all routes and to both bounds of each. Routes that only one release
// has are compared with nothing; but all requests to routes that did not fail
// before, known or new, are also judged together by their errors.
// Memory is no sample of independent draws: it is clearly higher where its mean
// lies above all that the former ever held, and by r.Memory percent of the limit.
func Judge(now, before ReleaseFigures, r AutoRollback, risk float64) Comparison {
	c := Comparison{Release: now.Release, Against: before.Release, From: now.From, To: now.To, Routes: []RouteComparison{}, Verdict: VerdictFew}
	j := judge{r: r.Full(), was: map[[2]string]RouteFigures{}}
	for _, f := range before.Routes {
		j.was[[2]string{f.Method, f.Route}] = f
	}
	tests := 1
	for _, f := range now.Routes {
		if was := j.of(f); f.Requests >= minRequests && was.Requests >= minRequests {
			tests += 2
		}
	}
	j.risk = risk / float64(2*tests)
	var all int64
	for _, f := range now.Routes {
		all += f.Requests
		c.Routes = append(c.Routes, j.route(f, j.of(f)))
	}
	together := j.together(now.Routes)
	c.Memory = j.memory(now.Memory, before.Memory)
	slices.SortStableFunc(c.Routes, func(a, b RouteComparison) int {
		if a.Worse != b.Worse {
			return map[bool]int{true: -1, false: 1}[a.Worse]
		}
		return cmp.Or(cmp.Compare(b.Now.Requests, a.Now.Requests), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Method, b.Method))
	})
	c.Verdict, c.Says = j.sum(c, together, all)
	return c
}

type judge struct {
	r      AutoRollback
	risk   float64
	was    map[[2]string]RouteFigures
	judged bool // something had enough requests for a word
}

func (j *judge) of(f RouteFigures) RouteFigures { return j.was[[2]string{f.Method, f.Route}] }

func (j *judge) route(now, was RouteFigures) RouteComparison {
	c := RouteComparison{Method: now.Method, Route: now.Route, Now: side(now), Before: side(was)}
	name := strings.TrimSpace(now.Method + " " + now.Route)
	switch {
	case was.Requests == 0:
		c.Says = "New: the former release answered no such request."
		return c
	case now.Requests < minRequests || was.Requests < minRequests:
		c.Says = fmt.Sprintf("Too few requests to tell: %d of the %d that are needed.", min(now.Requests, was.Requests), minRequests)
		return c
	}
	j.judged = true
	var said []string
	if j.fails(now.Errors, now.Requests, was.Errors, was.Requests) {
		said = append(said, fmt.Sprintf("%s clearly fails more often: %s → %s %% of %s requests.", name, figure(*c.Before.Errors), figure(*c.Now.Errors), thousands(now.Requests)))
	}
	if c.Now.P95 != nil && c.Before.P95 != nil && j.slower(now, was) {
		said = append(said, fmt.Sprintf("%s is clearly slower: p95 %s → %s over %s requests.", name, spoken(*c.Before.P95), spoken(*c.Now.P95), thousands(now.Timed)))
	}
	c.Worse, c.Says = len(said) > 0, strings.Join(said, " ")
	switch {
	case c.Worse:
	case c.Now.P95 == nil || c.Before.P95 == nil:
		c.Says = "Not clearly more errors; too few requests to tell of its p95."
	default:
		c.Says = "Not clearly worse."
	}
	return c
}

// fails reports whether k of n is clearly more than wasK of wasN.
func (j *judge) fails(k, n, wasK, wasN int64) bool {
	share, was := float64(k)/float64(n), float64(wasK)/float64(wasN)
	if 100*(share-was) < j.r.Errors {
		return false
	}
	low, _ := shareBounds(k, n, j.risk)
	_, high := shareBounds(wasK, wasN, j.risk)
	return low > high
}

func (j *judge) slower(now, was RouteFigures) bool {
	p95, before := now.Quantile(0.95), was.Quantile(0.95)
	low, _, _ := p95Bounds(now, j.risk)
	_, high, ok := p95Bounds(was, j.risk)
	return ok && p95 >= j.r.P95*before && p95-before >= minSlower && low > high
}

// steady is the share of errors up to which a route counts as one that did not fail.
const steady = 0.01

// together judges the errors of all requests but those to routes that failed before.
func (j *judge) together(routes []RouteFigures) string {
	var errors, requests, wasErrors, wasRequests int64
	for _, f := range routes {
		if was := j.of(f); float64(was.Errors) <= steady*float64(was.Requests) {
			errors, requests = errors+f.Errors, requests+f.Requests
		}
	}
	for _, was := range j.was {
		if float64(was.Errors) <= steady*float64(was.Requests) {
			wasErrors, wasRequests = wasErrors+was.Errors, wasRequests+was.Requests
		}
	}
	if requests < minRequests || wasRequests < minRequests {
		return ""
	}
	j.judged = true
	if !j.fails(errors, requests, wasErrors, wasRequests) {
		return ""
	}
	return fmt.Sprintf("All together, requests clearly fail more often: %s → %s %% of %s, on routes that did not fail before.",
		figure(percent(wasErrors, wasRequests)), figure(percent(errors, requests)), thousands(requests))
}

func (j *judge) memory(now, was MemoryFigures) MemoryComparison {
	var c MemoryComparison
	if now.Samples > 0 {
		c.Mean, c.Peak = &now.Mean, &now.Peak
	}
	if was.Samples > 0 {
		c.BeforeMean, c.BeforePeak = &was.Mean, &was.Peak
	}
	switch {
	case now.Samples < minMemory || was.Samples < minMemory:
		c.Says = "Too few samples of the replicas' memory to tell."
	case now.Mean > was.Peak && now.Mean-was.Mean >= j.r.Memory:
		c.Worse = true
		c.Says = fmt.Sprintf("Replicas clearly hold more memory: %s → %s %% of their limit on average, and at most %s before.", figure(was.Mean), figure(now.Mean), figure(was.Peak)+" %")
	default:
		c.Says = "Not clearly more memory."
	}
	return c
}

// sum says what it all comes to, the worst first.
func (j *judge) sum(c Comparison, together string, all int64) (Verdict, string) {
	var said []string
	for _, r := range c.Routes {
		if r.Worse && len(said) < 3 {
			said = append(said, r.Says)
		}
	}
	if together != "" && len(said) == 0 {
		said = append(said, together)
	}
	if c.Memory.Worse {
		said = append(said, c.Memory.Says)
	}
	switch {
	case len(said) > 0:
		return VerdictWorse, strings.Join(said, " ")
	case c.Against == 0:
		return VerdictFew, "There is no former release to compare with."
	case !j.judged:
		return VerdictFew, fmt.Sprintf("Too few requests to tell: release %d answered %s, and a route needs %d in both releases.", c.Release, thousands(all), minRequests)
	}
	return VerdictFine, fmt.Sprintf("Nothing is clearly worse than in release %d, over %s requests.", c.Against, thousands(all))
}

func side(f RouteFigures) RouteSide {
	s := RouteSide{Requests: f.Requests}
	if f.Requests > 0 {
		share := percent(f.Errors, f.Requests)
		s.Errors = &share
	}
	if low, high, ok := p95Bounds(f, certain); ok {
		p95 := f.Quantile(0.95)
		s.P95, s.P95Low, s.P95High = &p95, &low, &high
	}
	return s
}

// figure writes a number with at most one decimal.
func figure(v float64) string {
	text := strconv.FormatFloat(v, 'f', 1, 64)
	return strings.TrimSuffix(text, ".0")
}

// spoken writes a time in ms as a person would say it.
func spoken(ms float64) string {
	switch {
	case ms >= 1000:
		return strings.TrimSuffix(strconv.FormatFloat(ms/1000, 'f', 1, 64), ".0") + " s"
	case ms >= 10:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	}
	return figure(ms) + " ms"
}

// thousands writes 1204 as 1,204.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
