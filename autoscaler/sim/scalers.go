package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kurama/autoscaler/watch"
	"kurama/paas"
)

// The baselines that are no policies.
const (
	Oracle = "oracle"
	Peak   = "peak"
	Heroku = "heroku"
	// HPASlots is the policy hpa on requests in flight in place of CPU, at 70 %.
	HPASlots = "hpa-slots"
)

// Scalers returns the names of all that an experiment may run: the policies
// and the baselines.
func Scalers() []string {
	names := slices.DeleteFunc(paas.PolicyNames(), func(n string) bool { return n == paas.PolicyOff })
	return append(names, HPASlots, Heroku, Peak, Oracle)
}

func scalerNamed(name string) (func(Experiment, []int) scaler, error) {
	switch name {
	case Oracle:
		return newOracle, nil
	case Peak:
		return newPeak, nil
	case Heroku:
		return newHeroku, nil
	}
	if !slices.Contains(Scalers(), name) {
		return nil, fmt.Errorf("there is no policy called %q: use one of %s", name, strings.Join(Scalers(), ", "))
	}
	return func(e Experiment, _ []int) scaler {
		p := paas.DefaultPolicy()
		if e.Policy != nil {
			p = *e.Policy
		}
		if p.Name = name; name == HPASlots {
			p.Name, p.HPA.CPU, p.HPA.Utilization = paas.PolicyHPA, 0, 70
		}
		if !e.Exact {
			p.Min, p.Max = 1, min(e.Plant.Most, paas.MaxReplicas)
			p.TimeUp, p.Swift.TimeUp = e.Objective*1000, e.Objective*1000
		}
		return &policyScaler{app: paas.ScaledApp{Tenant: "sim", App: "sim", Release: 1, Concurrency: e.Plant.Slots, Policy: p}, said: e.Said}
	}, nil
}

// policyScaler runs one of the policies, as the role does.
type policyScaler struct {
	app   paas.ScaledApp
	watch *watch.App
	said  func(paas.Decision)
}

func (s *policyScaler) decide(l look) int {
	now := l.figure.At
	s.app.Desired, s.app.Asleep = l.wanted, l.wanted == 0
	if s.watch == nil {
		s.watch = watch.New(s.app, now.Add(-time.Second))
	}
	s.watch.Follow(now, s.app)
	for _, ms := range l.took {
		s.watch.Took(now, ms)
	}
	s.watch.Add(l.figure)
	d := s.watch.Decide(now)
	s.watch.Carried(d)
	if s.said != nil && d.Reason != "" {
		s.said(d)
	}
	return d.To
}
