package policy

import (
	"testing"
	"time"

	"kurama/paas"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func kurama() paas.Policy { return paas.DefaultPolicy() }

// full is a reading over a whole window of the default policy.
func loadOf(p95 float64) Reading { return Reading{P95: p95, Count: 300, Span: 5 * time.Minute} }
func timeOf(p95 float64) Reading { return Reading{P95: p95, Count: 5000, Span: 10 * time.Minute} }

func TestKurama(t *testing.T) {
	tests := []struct {
		name   string
		state  State
		load   Reading
		time   Reading
		policy func(*paas.Policy)
		want   string // reason of a valid decision; "-" and the reason of one that is not
	}{
		{name: "load above its limit adds replicas", state: State{Desired: 2}, load: loadOf(91),
			want: "2 → 4 replicas: p95 of load over 5 minutes is 91 % (limit 85 %)."},
		{name: "one replica is at most doubled", state: State{Desired: 1}, load: loadOf(100),
			want: "1 → 2 replicas: p95 of load over 5 minutes is 100 % (limit 85 %)."},
		{name: "the policy's maximum bounds a step", state: State{Desired: 3}, load: loadOf(100),
			want: "3 → 4 replicas: p95 of load over 5 minutes is 100 % (limit 85 %)."},
		{name: "load at its limit changes nothing", state: State{Desired: 2}, load: loadOf(85), want: "-"},
		{name: "load between the limits changes nothing", state: State{Desired: 2}, load: loadOf(60), want: "-"},
		{name: "load below its lower limit takes one replica away", state: State{Desired: 4}, load: loadOf(31.25),
			want: "4 → 3 replicas: p95 of load over 5 minutes is 31.3 % (below 50 %)."},
		{name: "the last replica stays", state: State{Desired: 1}, load: loadOf(0), want: "-"},
		{name: "the policy's minimum stays", state: State{Desired: 2}, load: loadOf(0), policy: func(p *paas.Policy) { p.Min = 2 }, want: "-"},
		{name: "slow responses add replicas", state: State{Desired: 2}, load: loadOf(20), time: timeOf(350),
			want: "2 → 4 replicas: p95 of response time over 10 minutes is 350 ms (limit 200 ms)."},
		{name: "a very slow app is still only doubled", state: State{Desired: 2}, load: loadOf(60), time: timeOf(9000), policy: func(p *paas.Policy) { p.Max = 20 },
			want: "2 → 4 replicas: p95 of response time over 10 minutes is 9000 ms (limit 200 ms)."},
		{name: "both figures are told", state: State{Desired: 1}, load: loadOf(99), time: timeOf(210),
			want: "1 → 2 replicas: p95 of load over 5 minutes is 99 % (limit 85 %), and p95 of response time over 10 minutes is 210 ms (limit 200 ms)."},
		{name: "no sample is not a load of 0", state: State{Desired: 3}, want: "-"},
		{name: "a fifth of a window may scale up, and says how long it is", state: State{Desired: 1}, load: Reading{P95: 97, Count: 60, Span: 65 * time.Second},
			want: "1 → 2 replicas: p95 of load over 65 s is 97 % (limit 85 %)."},
		{name: "less than a fifth may not", state: State{Desired: 1}, load: Reading{P95: 97, Count: 59, Span: 59 * time.Second}, want: "-"},
		{name: "a window that is not full may not scale down", state: State{Desired: 3}, load: Reading{P95: 3, Count: 299, Span: 299 * time.Second}, want: "-"},
		{name: "a window full of gaps may not scale down", state: State{Desired: 3}, load: Reading{P95: 3, Count: 200, Span: 5 * time.Minute}, want: "-"},
		{name: "a handful of slow requests is no reason", state: State{Desired: 1}, time: Reading{P95: 900, Count: 19, Span: 10 * time.Minute}, want: "-"},
		{name: "nothing happens within the cooldown", state: State{Desired: 1, Changed: noon.Add(-59 * time.Second)}, load: loadOf(100), want: "-"},
		{name: "it may happen after it", state: State{Desired: 1, Changed: noon.Add(-60 * time.Second)}, load: loadOf(100),
			want: "1 → 2 replicas: p95 of load over 5 minutes is 100 % (limit 85 %)."},
		{name: "nothing happens during a deploy", state: State{Desired: 1, Deploying: true}, load: loadOf(100), want: "-"},
		{name: "nothing happens when the clock went back", state: State{Desired: 1, Last: noon.Add(time.Second)}, load: loadOf(100), want: "-"},
		{name: "nothing happens when the last change lies in the future", state: State{Desired: 1, Changed: noon.Add(time.Hour)}, load: loadOf(100), want: "-"},
		{name: "at the maximum it says so", state: State{Desired: 4}, load: loadOf(92),
			want: "-p95 of load over 5 minutes is 92 % (limit 85 %), but the policy's largest number of replicas, 4, is reached."},
		{name: "a slow app at the maximum keeps its replicas though its load is low", state: State{Desired: 4}, load: loadOf(10), time: timeOf(400),
			want: "-p95 of response time over 10 minutes is 400 ms (limit 200 ms), but the policy's largest number of replicas, 4, is reached."},
		{name: "a policy raised above the app moves it inside at once", state: State{Desired: 1, Changed: noon}, policy: func(p *paas.Policy) { p.Min = 3 },
			want: "1 → 3 replicas: the policy's smallest number is 3."},
		{name: "a policy lowered below the app too", state: State{Desired: 6, Changed: noon}, load: loadOf(99),
			want: "6 → 4 replicas: the policy's largest number is 4."},
		{name: "a policy switched off does nothing", state: State{Desired: 9}, load: loadOf(99), policy: func(p *paas.Policy) { p.Name = paas.PolicyOff }, want: "-"},
		{name: "a stopped app is not started", state: State{Desired: 0}, load: loadOf(99), want: "-"},
		{name: "replicas that did not help are not followed by more", state: State{Desired: 2, Kurama: KuramaState{400}}, load: loadOf(60), time: timeOf(390),
			want: "-p95 of response time over 10 minutes is 390 ms (limit 200 ms), and it was 400 ms before replicas were added for it: more would not help."},
		{name: "replicas that did not help may go again", state: State{Desired: 2, Kurama: KuramaState{400}}, load: loadOf(10), time: timeOf(390),
			want: "2 → 1 replica: p95 of load over 5 minutes is 10 % (below 50 %)."},
		{name: "replicas that helped are followed by more", state: State{Desired: 2, Kurama: KuramaState{400}}, load: loadOf(60), time: timeOf(300),
			want: "2 → 4 replicas: p95 of response time over 10 minutes is 300 ms (limit 200 ms)."},
		{name: "load counts though response time does not", state: State{Desired: 2, Kurama: KuramaState{400}}, load: loadOf(90), time: timeOf(390),
			want: "2 → 4 replicas: p95 of load over 5 minutes is 90 % (limit 85 %)."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := kurama()
			if tt.policy != nil {
				tt.policy(&p)
			}
			d, _ := Decide(noon, p, tt.state, Samples{Load: tt.load, Time: tt.time})
			got := d.Reason
			if !d.Valid {
				got = "-" + got
			}
			if got != tt.want || d.From != tt.state.Desired || !d.Valid && d.To != d.From {
				t.Errorf("%q (%d → %d), want %q", got, d.From, d.To, tt.want)
			}
		})
	}
}
