package main

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kurama/paas"
)

// compare reads how a release does against another.
func (s *session) compare(app string, number, against int) (c paas.Comparison, err error) {
	err = s.get(appPath(app, "releases", strconv.Itoa(number), "figures"), url.Values{"against": {strconv.Itoa(against)}}, &c)
	return c, err
}

// showComparison shows each route of both releases, and the verdict.
func (s *session) showComparison(c paas.Comparison) {
	if len(c.Routes) > 0 {
		rows := make([][]string, len(c.Routes))
		for i, r := range c.Routes {
			verdict := ""
			if r.Worse {
				verdict = "clearly worse"
			}
			rows[i] = []string{orDash(r.Method), r.Route, fmt.Sprintf("%d → %d", r.Before.Requests, r.Now.Requests),
				figure(r.Before.Errors, "") + " → " + figure(r.Now.Errors, " %"), p95Of(r.Before) + " → " + p95Of(r.Now), verdict}
		}
		s.table("METHOD ROUTE REQUESTS ERRORS P95 VERDICT", rows)
	}
	if m := c.Memory; m.Mean != nil {
		_, _ = fmt.Fprintf(s.out, "memory of a replica, of its limit: mean %s → %s, peak %s → %s\n", figure(m.BeforeMean, ""), figure(m.Mean, " %"), figure(m.BeforePeak, ""), figure(m.Peak, " %"))
	}
	_, _ = fmt.Fprintln(s.out, c.Says)
}

// p95Of writes a p95 with the bounds that it is certain within.
func p95Of(side paas.RouteSide) string {
	if side.P95 == nil {
		return "too few"
	}
	return fmt.Sprintf("%.1f ms (%.1f–%.1f)", *side.P95, *side.P95Low, *side.P95High)
}

// watchReleases shows or changes whether an app goes back by itself:
// `releases APP watch [on|off] [FIELD=VALUE…]`.
func (s *session) watchReleases(app string, words []string) error {
	var policy paas.AutoRollback
	path := appPath(app, "auto-rollback")
	if len(words) == 0 {
		if err := s.get(path, nil, &policy); err != nil {
			return err
		}
		return s.print(policy, func() { s.showWatch(app, policy) })
	}
	change, err := watchChange(words)
	if err != nil {
		return err
	}
	if err := s.send("PUT", path, change, &policy); err != nil {
		return err
	}
	return s.print(policy, func() { s.showWatch(app, policy) })
}

// watchChange reads on, off, and FIELD=VALUE such as within=10m.
func watchChange(words []string) (change paas.AutoRollbackChange, err error) {
	for _, word := range words {
		field, value, given := strings.Cut(word, "=")
		if !given {
			field, value = "auto", word
		}
		if err := change.Set(field, value); err != nil {
			return change, err
		}
	}
	return change, nil
}

func (s *session) showWatch(app string, p paas.AutoRollback) {
	if !p.Auto {
		s.say("%s stays with a release that is clearly worse. `kurama releases %s watch on` lets it go back by itself.", app, app)
		return
	}
	s.done("%s goes back by itself within %s of a release, or ends a canary, where a route clearly has %g %% more errors or %g times the p95, or replicas hold %g %% more of their memory",
		app, time.Duration(p.Within*float64(time.Second)), p.Errors, p.P95, p.Memory)
}
