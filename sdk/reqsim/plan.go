// Package reqsim is the request simulator: it sends requests to an app at a
// rate that follows a shape, whatever the app answers (an open loop), and
// reports what came back. It can also send synthetic records to the agent.
package reqsim

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Shape is the course of the rate over time.
type Shape string

// The shapes. Rate is where each begins.
const (
	Constant Shape = "constant" // Rate all the time
	Ramp     Shape = "ramp"     // from Rate to Peak, in a straight line over Duration
	Spike    Shape = "spike"    // Rate, and Peak in the middle fifth of each Period
	Sine     Shape = "sine"     // a wave from Rate up to Peak and back in each Period
	Poisson  Shape = "poisson"  // Rate on average, as independent people come
	Pause    Shape = "pause"    // nothing
	Phased   Shape = "phases"   // of a plan that is made of phases
)

// Shapes returns the names of all shapes that a run or a phase may have.
func Shapes() []Shape { return []Shape{Constant, Ramp, Spike, Sine, Poisson, Pause} }

// The bounds of a plan that does not set its own: enough to drive a machine
// to its limits, and not enough to hurt a network by a slip of the hand.
const (
	DefaultMaxRate     = 2000      // requests per second
	DefaultMaxDuration = time.Hour // of a run
	DefaultMaxInFlight = 1000      // requests at a time
	DefaultTimeout     = 30 * time.Second
)

// Path is one of the paths that are asked, in proportion to its weight.
type Path struct {
	Path   string // with query, starting with /
	Weight int    // at least 1
}

// Plan says what to send. Rates are requests per second.
type Plan struct {
	URL         string   // scheme, host and port; a path in it is put before each of Paths
	Also        []string // further addresses, which visits take in turns
	Paths       []Path   // none: the path of URL, or /
	Visits      []Visit  // what is sent beside Paths, in proportion to their weights
	Data        map[string]Data
	Phases      []Phase       // in place of Shape to Period below
	Replay      []Hit         // in place of all of them: requests at their times, within Duration
	WarmUp      time.Duration // requests due before it are sent, and left out of the report
	Seed        uint64        // of Poisson
	Method      string        // empty: GET
	Headers     http.Header   // sent with each request
	Host        string        // Host header; empty: that of URL
	Body        []byte        // sent with each request
	Shape       Shape         // empty: Constant
	Rate        float64       // above 0, and at most MaxRate
	Peak        float64       // of every shape but Constant; at most MaxRate
	Duration    time.Duration // above 0, and at most MaxDuration
	Period      time.Duration // of Spike and Sine; 0: Duration
	Timeout     time.Duration // of one request; 0: DefaultTimeout
	MaxInFlight int           // requests at a time; what is due beyond waits; 0: DefaultMaxInFlight
	MaxRate     float64       // bound of Rate and Peak; 0: DefaultMaxRate
	MaxDuration time.Duration // bound of Duration; 0: DefaultMaxDuration
	Ensure      []Ensure      // conditions that the report says the truth of
	Watch       Watch         // tells once a second how the app is; nil: nobody
}

// Check returns the plan with what was left out filled in, as it would run, or
// what is wrong with it, a sentence for the person who made it.
func (p Plan) Check() (Plan, error) { return p.complete() }

// Most returns the highest rate of requests (1/s) that a checked plan may reach:
// where all visits are of the kind with the most steps.
func (p Plan) Most() float64 {
	steps, rate := 0, 0.0
	for _, v := range p.Visits {
		steps = max(steps, len(v.Steps))
	}
	for _, f := range p.Phases {
		rate = max(rate, f.Rate, f.Peak)
	}
	return rate * float64(steps)
}

// complete fills in what was left out and checks the rest. Its errors are for
// the person who made the plan.
func (p Plan) complete() (Plan, error) {
	p.Method = strings.ToUpper(cmp.Or(p.Method, http.MethodGet))
	p.Shape = cmp.Or(p.Shape, Constant)
	p.Timeout = cmp.Or(p.Timeout, DefaultTimeout)
	p.MaxInFlight = cmp.Or(p.MaxInFlight, DefaultMaxInFlight)
	p.MaxRate = cmp.Or(p.MaxRate, DefaultMaxRate)
	p.MaxDuration = cmp.Or(p.MaxDuration, DefaultMaxDuration)
	p.Period = cmp.Or(p.Period, p.Duration)
	if p.Shape == Constant || p.Shape == Poisson {
		p.Peak = p.Rate
	}
	p.completePhases()
	p.completeVisits()
	for _, check := range []func() error{p.checkTarget, p.checkVisits, p.checkCaptures, p.checkRate, p.checkTime} {
		if err := check(); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (p *Plan) checkTarget() error {
	for _, address := range append([]string{p.URL}, p.Also...) {
		u, err := url.Parse(address)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return fmt.Errorf("%q is not an address to send requests to: write it as http://hello.localhost:8080", address)
		}
	}
	if p.MaxInFlight < 1 {
		return fmt.Errorf("the requests at a time are %d: give at least 1", p.MaxInFlight)
	}
	return nil
}

func (p *Plan) checkCaptures() error {
	for i := range p.Visits {
		for k := range p.Visits[i].Steps {
			captures := map[string]Capture{}
			for name, c := range p.Visits[i].Steps[k].Capture {
				if err := c.complete(name); err != nil {
					return err
				}
				captures[name] = c
			}
			p.Visits[i].Steps[k].Capture = captures
		}
	}
	return nil
}

func (p *Plan) checkRate() error {
	if len(p.Replay) > 0 {
		return nil
	}
	most := 0.0
	for _, f := range p.Phases {
		if !slices.Contains(Shapes(), f.Shape) {
			return fmt.Errorf("there is no shape %q: use constant, ramp, spike, sine, poisson or pause", f.Shape)
		}
		for name, rate := range map[string]float64{"rate": f.Rate, "peak": f.Peak} {
			// Written so that not-a-number is refused too.
			if !(rate >= 0 && rate <= p.MaxRate) {
				return fmt.Errorf("the %s is %g requests/s: give 0 to %g, or raise the bound", name, rate, p.MaxRate)
			}
		}
		most = max(most, f.Rate, f.Peak)
	}
	if most == 0 {
		return fmt.Errorf("the rate is 0: give the requests per second")
	}
	return nil
}

func (p *Plan) checkTime() error {
	if p.Duration <= 0 || p.Duration > p.MaxDuration {
		return fmt.Errorf("the duration is %s: give more than 0 and at most %s, or raise the bound", p.Duration, p.MaxDuration)
	}
	for _, f := range p.Phases {
		if len(p.Replay) == 0 && (f.Duration <= 0 || f.Period <= 0) {
			return fmt.Errorf("the phase %q lasts %s with a period of %s: both must be above 0", f.Name, f.Duration, f.Period)
		}
	}
	if p.Timeout <= 0 || p.WarmUp < 0 || p.WarmUp >= p.Duration {
		return fmt.Errorf("the time-out is %s and the warm-up %s: the first must be above 0, the second shorter than the run (%s)", p.Timeout, p.WarmUp, p.Duration)
	}
	return nil
}
