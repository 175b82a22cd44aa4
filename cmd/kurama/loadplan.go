package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"kurama/paas"
	"kurama/paas/api"
	"kurama/sdk/reqsim"
)

// maxLoadTimeout bounds one request of a load test.
const maxLoadTimeout = time.Minute

// plan makes the simulator's plan of a load test, within the bounds of the
// configuration, and returns it also with what is left out filled in. It goes to
// the app alone, whatever a scenario says.
func (l *loadTester) plan(p api.LoadPlan) (plan, whole reqsim.Plan, err error) {
	host := paas.Hosts(p.Tenant, p.App, l.domain)[0]
	plan = reqsim.Plan{URL: "http://" + l.router, Shape: reqsim.Shape(p.Shape), Rate: p.Rate, Peak: cmp.Or(p.Peak, p.Rate), Duration: p.Lasting,
		MaxRate: l.bounds.ConsoleRate, MaxDuration: l.bounds.ConsoleTime}
	if p.Scenario != "" {
		if err := scenarioOf(p, &plan); err != nil {
			return plan, whole, err
		}
	} else {
		for _, path := range p.Paths {
			plan.Paths = append(plan.Paths, reqsim.Path{Path: path, Weight: 1})
		}
	}
	for _, text := range p.Ensure {
		e, err := reqsim.ParseEnsure(text)
		if err != nil {
			return plan, whole, err
		}
		plan.Ensure = append(plan.Ensure, e)
	}
	if p.Private && !setsHeader(&plan, "Authorization") {
		return plan, whole, fmt.Errorf("%s is private, and would answer each request with 401: give the scenario the header Authorization with its name and password, or open the app for the test", p.App)
	}
	if p.HTTPS || l.https {
		// As a TLS proxy on this machine says it: else the router would lead each
		// request to https, and the test measure that.
		if plan.Headers == nil {
			plan.Headers = http.Header{}
		}
		plan.Headers.Set("X-Forwarded-Proto", "https")
	}
	plan.Host = host
	plan.Timeout = min(cmp.Or(plan.Timeout, reqsim.DefaultTimeout), maxLoadTimeout)
	plan.MaxInFlight = min(cmp.Or(plan.MaxInFlight, l.bounds.ConsoleConnections), l.bounds.ConsoleConnections)
	if l.watch != nil {
		plan.Watch = l.watch(p.Tenant, p.App)
	}
	if whole, err = plan.Check(); err != nil {
		return plan, whole, err
	}
	if most := whole.Most(); most > l.bounds.ConsoleRate {
		return plan, whole, fmt.Errorf("visits of several steps make up to %.0f requests/s of this plan, and a load test here may send %g: lower its rates", most, l.bounds.ConsoleRate)
	}
	return plan, whole, nil
}

// scenarioOf puts a load test's scenario into the plan. What would lead
// elsewhere than to the app, or to files of this machine, is refused.
func scenarioOf(p api.LoadPlan, plan *reqsim.Plan) error {
	s, err := reqsim.ParseScenario([]byte(p.Scenario))
	if err != nil {
		return err
	}
	switch {
	case len(s.URLs) > 0 || s.Host != "":
		return errors.New("the scenario names a url or a host, and a load test goes to its app alone: take it out, or run the scenario with `kurama reqsim`")
	case s.App != "" && s.App != p.App:
		return fmt.Errorf("the scenario is for the app %s, and this load test for %s: take its app out", s.App, p.App)
	}
	if err := s.Apply(plan, func(string) (io.ReadCloser, error) {
		return nil, errors.New("a load test reads no files: take data out, or run the scenario with `kurama reqsim`")
	}); err != nil {
		return err
	}
	if setsHeader(plan, "Host") {
		return errors.New("the scenario sets the header Host, and a load test goes to its app alone: take it out")
	}
	return nil
}

// setsHeader reports whether requests of the plan, or some steps of it, carry
// the header; wanted is in the canonical form.
func setsHeader(plan *reqsim.Plan, wanted string) bool {
	is := func(name string) bool { return http.CanonicalHeaderKey(name) == wanted }
	for name := range plan.Headers {
		if is(name) {
			return true
		}
	}
	for _, v := range plan.Visits {
		for _, step := range v.Steps {
			for name := range step.Headers {
				if is(name) {
					return true
				}
			}
		}
	}
	return false
}
