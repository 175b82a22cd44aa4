package paas

import (
	"fmt"
	"strings"
)

// PolicyInfo describes a policy to people.
type PolicyInfo struct {
	Name   string `json:"name"`
	What   string `json:"what"`   // what it does, in a sentence
	Source string `json:"source"` // whose rules they are
}

// policies are all there are, in the order in which people see them.
var policies = []PolicyInfo{
	{PolicyKurama, "Adds replicas when the 95th percentile of load or of response time is above its limit, and takes one away when that of load is below another.", "Kurama's own"},
	{PolicySwift, "Works out how many replicas the requests need from their rate and from what one costs, within seconds; looks ahead by the time a replica takes to start.", "Kurama's own"},
	{PolicyTarget, "Keeps the requests in flight per replica at a target, over a stable window and, in a rush, a short one.", "Knative's pod autoscaler"},
	{PolicyHPA, "Keeps CPU, or requests in flight, at a target in proportion, and is slow to go down.", "Kubernetes' horizontal pod autoscaler"},
	{PolicyStep, "Adds one replica when CPU was high for minutes, and takes one away when it was low for longer.", "AWS' alarms with step scaling"},
	{PolicyOff, "Leaves the number of replicas to you.", ""},
}

// Policies returns a description of every policy.
func Policies() []PolicyInfo { return append([]PolicyInfo(nil), policies...) }

// PolicyNames returns the names of all policies.
func PolicyNames() []string {
	names := make([]string, len(policies))
	for i, p := range policies {
		names[i] = p.Name
	}
	return names
}

// Number describes one number of a policy: where it stands, its unit, bounds
// and default.
type Number struct {
	Policy  string  `json:"policy"` // whose it is; empty: of several
	Name    string  `json:"name"`
	Unit    string  `json:"unit"` // %, s, ms, × or nothing
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Default float64 `json:"default"`
	What    string  `json:"what"`

	of func(*Policy) *float64
}

// longest is the longest window, in seconds: figures are kept in memory.
const longest = 3600

// numbers are all numbers of all policies.
var numbers = []Number{
	{"", "concurrency", "", 0, 1000, 0, "requests that one replica works on at once, 0 for what its start command says", func(p *Policy) *float64 { return &p.Concurrency }},

	{PolicyKurama, "load_window", "s", 10, longest, 300, "over which the load is looked at", func(p *Policy) *float64 { return &p.LoadWindow }},
	{PolicyKurama, "load_up", "%", 1, 100, 85, "of load, above which replicas are added", func(p *Policy) *float64 { return &p.LoadUp }},
	{PolicyKurama, "load_down", "%", 0, 100, 50, "of load, below which a replica is taken away", func(p *Policy) *float64 { return &p.LoadDown }},
	{PolicyKurama, "time_window", "s", 10, longest, 600, "over which response times are looked at", func(p *Policy) *float64 { return &p.TimeWindow }},
	{PolicyKurama, "time_up", "ms", 1, 600_000, 200, "of response time, above which replicas are added", func(p *Policy) *float64 { return &p.TimeUp }},
	{PolicyKurama, "cooldown", "s", 0, longest, 60, "between two decisions", func(p *Policy) *float64 { return &p.Cooldown }},

	{PolicySwift, "late", "%", 0.01, 50, 1, "of requests may wait longer than half of what time_up leaves them", func(p *Policy) *float64 { return &p.Swift.Late }},
	{PolicySwift, "cpu", "%", 10, 100, 80, "of CPU that a replica is planned for", func(p *Policy) *float64 { return &p.Swift.CPU }},
	{PolicySwift, "drain", "s", 0.1, 60, 0.5, "within which waiting requests are to be worked off", func(p *Policy) *float64 { return &p.Swift.Drain }},
	{PolicySwift, "down_window", "s", 5, longest, 30, "in which the highest demand says what must stay", func(p *Policy) *float64 { return &p.Swift.DownWindow }},
	{PolicySwift, "time_up", "ms", 1, 600_000, 200, "of response time that is aimed at; with a p95 above it no replica is taken away", func(p *Policy) *float64 { return &p.Swift.TimeUp }},
	{PolicySwift, "hold", "s", 0, longest, 300, "for which nothing is added after a step that did not help", func(p *Policy) *float64 { return &p.Swift.Hold }},
	{PolicySwift, "idle", "s", 10, longest, 600, "without a request after which the last replica goes, where the smallest number is 0", func(p *Policy) *float64 { return &p.Swift.Idle }},

	{PolicyTarget, "utilization", "%", 1, 100, 70, "of a replica's concurrency that is aimed at", func(p *Policy) *float64 { return &p.Target.Utilization }},
	{PolicyTarget, "stable_window", "s", 6, longest, 60, "over which concurrency is averaged", func(p *Policy) *float64 { return &p.Target.StableWindow }},
	{PolicyTarget, "panic_window", "%", 1, 100, 10, "of the stable window, over which a rush is seen", func(p *Policy) *float64 { return &p.Target.PanicWindow }},
	{PolicyTarget, "panic_threshold", "%", 110, 1000, 200, "of the ready replicas, from which a need is a rush", func(p *Policy) *float64 { return &p.Target.PanicThreshold }},
	{PolicyTarget, "up_rate", "×", 1.1, 1000, 1000, "the ready replicas at most, in one step up", func(p *Policy) *float64 { return &p.Target.UpRate }},
	{PolicyTarget, "down_rate", "×", 1.1, 1000, 2, "fewer than the ready replicas at most, in one step down", func(p *Policy) *float64 { return &p.Target.DownRate }},
	{PolicyTarget, "down_delay", "s", 0, longest, 0, "for which a lower need must last", func(p *Policy) *float64 { return &p.Target.DownDelay }},

	{PolicyHPA, "cpu", "%", 0, 100, 60, "of CPU that is aimed at, 0 to leave it out", func(p *Policy) *float64 { return &p.HPA.CPU }},
	{PolicyHPA, "utilization", "%", 0, 100, 0, "of a replica's concurrency that is aimed at, 0 to leave it out", func(p *Policy) *float64 { return &p.HPA.Utilization }},
	{PolicyHPA, "tolerance", "%", 0, 100, 10, "off the aim that change nothing", func(p *Policy) *float64 { return &p.HPA.Tolerance }},
	{PolicyHPA, "down_window", "s", 0, longest, 300, "in which the highest need says what must stay", func(p *Policy) *float64 { return &p.HPA.DownWindow }},
	{PolicyHPA, "up_percent", "%", 0, 1000, 100, "more replicas at most in 15 s, or up_replicas where that is more", func(p *Policy) *float64 { return &p.HPA.UpPercent }},
	{PolicyHPA, "up_replicas", "", 1, MaxReplicas, 4, "more replicas at most in 15 s, or up_percent where that is more", func(p *Policy) *float64 { return &p.HPA.UpReplicas }},
	{PolicyHPA, "down_percent", "%", 1, 100, 100, "fewer replicas at most in 15 s", func(p *Policy) *float64 { return &p.HPA.DownPercent }},

	{PolicyStep, "up", "%", 1, 100, 60, "of CPU, above which a replica is added", func(p *Policy) *float64 { return &p.Step.Up }},
	{PolicyStep, "up_for", "s", 60, longest, 180, "for which CPU must be that high, in whole minutes", func(p *Policy) *float64 { return &p.Step.UpFor }},
	{PolicyStep, "down", "%", 0, 100, 42, "of CPU, below which a replica is taken away", func(p *Policy) *float64 { return &p.Step.Down }},
	{PolicyStep, "down_for", "s", 60, longest, 900, "for which CPU must be that low, in whole minutes", func(p *Policy) *float64 { return &p.Step.DownFor }},
	{PolicyStep, "cooldown", "s", 0, longest, 60, "between two decisions", func(p *Policy) *float64 { return &p.Step.Cooldown }},
}

// Numbers returns the numbers that a policy goes by, or all for "".
func Numbers(policy string) []Number {
	var list []Number
	for _, n := range numbers {
		if policy == "" || n.Policy == policy || n.Policy == "" && usesConcurrency(policy) {
			list = append(list, n)
		}
	}
	return list
}

func usesConcurrency(policy string) bool {
	return policy == PolicySwift || policy == PolicyTarget || policy == PolicyHPA
}

// Field returns the name by which the number is known in JSON: kurama's stand
// alone, others behind the name of their policy and a dot.
func (n Number) Field() string {
	if n.Policy == "" || n.Policy == PolicyKurama {
		return n.Name
	}
	return n.Policy + "." + n.Name
}

// Of returns the number's value in p.
func (n Number) Of(p Policy) float64 { return *n.of(&p) }

func (n Number) say(v float64) string {
	if n.Unit == "" {
		return fmt.Sprintf("%g", v)
	}
	return fmt.Sprintf("%g %s", v, n.Unit)
}

// Number returns one number: by its field, or by its name alone where it is
// one of the policy p.Name. It returns an *Invalid that lists what there is.
func (p Policy) Number(name string) (Number, error) {
	policy, short, dotted := strings.Cut(name, ".")
	if !dotted {
		policy, short = p.Name, name
	}
	var names []string
	for _, n := range numbers {
		if n.Policy == policy && n.Name == short {
			return n, nil
		}
		if n.Policy == policy {
			names = append(names, n.Field())
		}
	}
	for _, n := range numbers {
		if n.Field() == name {
			return n, nil
		}
	}
	if len(names) == 0 {
		return Number{}, &Invalid{Reason: fmt.Sprintf("There is no number called %q: the policy %s has none.", name, policy)}
	}
	return Number{}, &Invalid{Reason: fmt.Sprintf("There is no number called %q. The policy %s has %s.", name, policy, strings.Join(names, ", "))}
}

// Set changes the number that Number finds.
func (p *Policy) Set(name string, v float64) error {
	n, err := p.Number(name)
	if err == nil {
		*n.of(p) = v
	}
	return err
}
