package paas

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxReplicas is the largest number of replicas of one app: one host does not
// hold more.
const MaxReplicas = 64

// The names of the policies. PolicyOff leaves the number of replicas to people.
const (
	PolicyKurama = "kurama"
	PolicyStep   = "step"
	PolicyTarget = "target"
	PolicyHPA    = "hpa"
	PolicySwift  = "swift"
	PolicyOff    = "off"
)

// Policy is an app's autoscaling settings: the name of the policy in force,
// bounds, and the numbers of every policy, so that an app that tries another
// one finds its own again when it returns. Numbers describes them; policies
// are made from a default by changing it, so that none is ever incomplete.
type Policy struct {
	Name        string  `json:"name"`
	Min         int     `json:"min"`         // replicas; 0 lets the policy swift take the last one of an idle app, elsewhere it is as 1
	Max         int     `json:"max"`         // replicas
	Concurrency float64 `json:"concurrency"` // requests that one replica works on at once; 0: as its start command says

	Schedule string `json:"schedule"` // smallest numbers of replicas at set times; see Floor

	// The numbers of the policy kurama stand without a name of their own.
	LoadWindow float64 `json:"load_window"` // s
	LoadUp     float64 `json:"load_up"`     // percent
	LoadDown   float64 `json:"load_down"`   // percent
	TimeWindow float64 `json:"time_window"` // s
	TimeUp     float64 `json:"time_up"`     // ms
	Cooldown   float64 `json:"cooldown"`    // s between two decisions

	Step   StepNumbers   `json:"step"`
	Target TargetNumbers `json:"target"`
	HPA    HPANumbers    `json:"hpa"`
	Swift  SwiftNumbers  `json:"swift"`
}

// StepNumbers are the numbers of the policy step.
type StepNumbers struct {
	Up       float64 `json:"up"`       // percent of CPU
	UpFor    float64 `json:"up_for"`   // s
	Down     float64 `json:"down"`     // percent of CPU
	DownFor  float64 `json:"down_for"` // s
	Cooldown float64 `json:"cooldown"` // s
}

// TargetNumbers are the numbers of the policy target.
type TargetNumbers struct {
	Utilization    float64 `json:"utilization"`     // percent of a replica's concurrency
	StableWindow   float64 `json:"stable_window"`   // s
	PanicWindow    float64 `json:"panic_window"`    // percent of the stable window
	PanicThreshold float64 `json:"panic_threshold"` // percent of what is ready
	UpRate         float64 `json:"up_rate"`         // times
	DownRate       float64 `json:"down_rate"`       // times
	DownDelay      float64 `json:"down_delay"`      // s
}

// HPANumbers are the numbers of the policy hpa.
type HPANumbers struct {
	CPU         float64 `json:"cpu"`         // percent; 0: not looked at
	Utilization float64 `json:"utilization"` // percent of a replica's concurrency; 0: not looked at
	Tolerance   float64 `json:"tolerance"`   // percent
	DownWindow  float64 `json:"down_window"` // s
	UpPercent   float64 `json:"up_percent"`  // percent in 15 s
	UpReplicas  float64 `json:"up_replicas"` // replicas in 15 s
	DownPercent float64 `json:"down_percent"`
}

// SwiftNumbers are the numbers of the policy swift.
type SwiftNumbers struct {
	Late       float64 `json:"late"`        // percent
	CPU        float64 `json:"cpu"`         // percent
	Drain      float64 `json:"drain"`       // s
	DownWindow float64 `json:"down_window"` // s
	TimeUp     float64 `json:"time_up"`     // ms
	Hold       float64 `json:"hold"`        // s
	Idle       float64 `json:"idle"`        // s
}

// DefaultPolicy returns the policy with the numbers that Numbers lists, 1 to 4
// replicas and the name kurama.
func DefaultPolicy() Policy {
	p := Policy{Name: PolicyKurama, Min: 1, Max: 4}
	for _, n := range numbers {
		*n.of(&p) = n.Default
	}
	return p
}

// Check reports in a sentence why p cannot be an app's policy, as an *Invalid.
func (p Policy) Check() error {
	if found := p.Problems(); len(found) > 0 {
		return &Invalid{Reason: found[0].Says}
	}
	return nil
}

// Problem is a value out of its bounds: the name of the field in JSON, with
// the policy before it where it has one, and a sentence about it.
type Problem struct{ Field, Says string }

// Problems returns all that p cannot be.
func (p Policy) Problems() []Problem {
	var found []Problem
	add := func(field, format string, args ...any) {
		found = append(found, Problem{field, fmt.Sprintf(format, args...)})
	}
	if !slices.Contains(PolicyNames(), p.Name) {
		add("name", "There is no policy called %q. Use one of %s.", p.Name, strings.Join(PolicyNames(), ", "))
	}
	if err := CheckReplicas(p.Max); err != nil || p.Max < 1 {
		add("max", "max is %d: an app can have 1 to %d replicas.", p.Max, MaxReplicas)
	}
	if p.Min < 0 || p.Min > p.Max {
		add("min", "min is %d and max is %d: min must be 0 or more, and not above max.", p.Min, p.Max)
	}
	for _, n := range numbers {
		if v := *n.of(&p); !(v >= n.Low && v <= n.High) { // so that not-a-number is refused too
			add(n.Field(), "%s is %s: use %g to %s (%s).", n.Field(), n.say(v), n.Low, n.say(n.High), n.What)
		}
	}
	for _, r := range []struct {
		field     string
		low, high float64
		of        string
	}{{"load_down", p.LoadDown, p.LoadUp, "load_up"}, {"step.down", p.Step.Down, p.Step.Up, "step.up"}} {
		if r.low >= r.high {
			add(r.field, "%s is %g %% and %s is %g %%: the first must be lower, or replicas would come and go.", r.field, r.low, r.of, r.high)
		}
	}
	if _, err := parseSchedule(p.Schedule); err != nil {
		add("schedule", "schedule: %s.", err)
	}
	if p.HPA.CPU == 0 && p.HPA.Utilization == 0 {
		add("hpa.cpu", "hpa.cpu and hpa.utilization are both 0: the policy hpa needs one of them.")
	}
	return found
}

// CheckReplicas reports in a sentence why an app cannot have n replicas, as an
// *Invalid.
func CheckReplicas(n int) error {
	if n < 0 || n > MaxReplicas {
		return &Invalid{Reason: fmt.Sprintf("%d is not a number of replicas: use 0 to %d.", n, MaxReplicas)}
	}
	return nil
}

// Sleeps reports whether an app that nobody asks for may have no replica.
func (p Policy) Sleeps() bool { return p.Name == PolicySwift && p.Min == 0 }

// Bound returns the number of replicas that is closest to n within the bounds
// of p at a time; at least 1.
func (p Policy) Bound(n int, at time.Time) int { return min(max(n, p.Floor(at), 1), max(p.Max, 1)) }
