// Package reqsim is the request simulator: it sends requests to an app at a
// rate that follows a shape, whatever the app answers (an open loop), and
// reports what came back. It can also send synthetic records to the agent.
package reqsim

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
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
)

// Shapes returns the names of all shapes.
func Shapes() []Shape { return []Shape{Constant, Ramp, Spike, Sine} }

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
	URL         string        // scheme, host and port; a path in it is put before each of Paths
	Paths       []Path        // none: the path of URL, or /
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
	if p.Shape == Constant {
		p.Peak = p.Rate
	}
	if len(p.Paths) == 0 {
		p.Paths = []Path{{Weight: 1}}
	}
	for _, check := range []func() error{p.checkTarget, p.checkRate, p.checkTime} {
		if err := check(); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (p *Plan) checkTarget() error {
	u, err := url.Parse(p.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("%q is not an address to send requests to: write it as http://hello.localhost:8080", p.URL)
	}
	if p.MaxInFlight < 1 {
		return fmt.Errorf("the requests at a time are %d: give at least 1", p.MaxInFlight)
	}
	for _, path := range p.Paths {
		if path.Path != "" && !strings.HasPrefix(path.Path, "/") {
			return fmt.Errorf("the path %q does not start with /", path.Path)
		}
		if path.Weight < 1 {
			return fmt.Errorf("the path %q has the weight %d: give at least 1", path.Path, path.Weight)
		}
	}
	return nil
}

func (p *Plan) checkRate() error {
	switch p.Shape {
	case Constant, Ramp, Spike, Sine:
	default:
		return fmt.Errorf("there is no shape %q: use constant, ramp, spike or sine", p.Shape)
	}
	for name, rate := range map[string]float64{"rate": p.Rate, "peak": p.Peak} {
		// Written so that not-a-number is refused too.
		if !(rate >= 0 && rate <= p.MaxRate) {
			return fmt.Errorf("the %s is %g requests/s: give 0 to %g, or raise the bound", name, rate, p.MaxRate)
		}
	}
	if p.Rate == 0 && p.Peak == 0 {
		return fmt.Errorf("the rate is 0: give the requests per second")
	}
	return nil
}

func (p *Plan) checkTime() error {
	if p.Duration <= 0 || p.Duration > p.MaxDuration {
		return fmt.Errorf("the duration is %s: give more than 0 and at most %s, or raise the bound", p.Duration, p.MaxDuration)
	}
	if p.Period <= 0 || p.Timeout <= 0 {
		return fmt.Errorf("the period is %s and the time-out %s: both must be above 0", p.Period, p.Timeout)
	}
	return nil
}
