package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kurama/logship/record"
	"kurama/paas"
)

// story plays seconds to a policy: figures is asked once a second for what
// came, given the replicas wanted, and each decision is carried out at once.
type story struct {
	policy  paas.Policy
	state   State
	seconds []Second
	times   Reading // of response time
	usual   record.Number
	now     time.Time
	told    []string // of what was not done
}

func newStory(name string, replicas int, edit func(*paas.Policy)) *story {
	p := paas.DefaultPolicy()
	p.Name, p.Max = name, 20
	if edit != nil {
		edit(&p)
	}
	return &story{policy: p, state: State{Desired: replicas, Release: 1, Concurrency: 4}, now: noon}
}

// play goes on for so many seconds and returns the decisions as "second: to".
func (s *story) play(length int, figures func(second, replicas int) Second) string {
	var out []string
	began := s.now
	for i := range length {
		sec := figures(i, s.state.Desired)
		sec.At = s.now
		s.seconds = append(s.seconds, sec)
		d, next := Decide(s.now, s.policy, s.state, Samples{Seconds: s.seconds, Time: s.times, Usual: s.usual})
		s.state = next
		if d.Valid {
			out = append(out, fmt.Sprintf("%d: %d", s.now.Sub(began)/time.Second, d.To))
		} else if d.Reason != "" {
			s.told = append(s.told, d.Reason)
		}
		s.now = s.now.Add(time.Second)
	}
	return strings.Join(out, ", ")
}

func (s *story) last(figures func(second, replicas int) Second) paas.Decision {
	sec := figures(0, s.state.Desired)
	sec.At = s.now
	d, _ := Decide(s.now, s.policy, s.state, Samples{Seconds: append(s.seconds, sec), Time: s.times, Usual: s.usual})
	return d
}

func cpu(v float64) func(int, int) Second {
	return func(_, replicas int) Second {
		return Second{CPU: record.Num(v), Ready: record.Num(float64(replicas))}
	}
}

// shared is work that is spread evenly: so many replicas' worth of CPU.
func shared(load float64) func(int, int) Second {
	return func(_, replicas int) Second {
		return Second{CPU: record.Num(min(100, 100*load/float64(replicas))), Ready: record.Num(float64(replicas))}
	}
}

func inFlight(v float64) func(int, int) Second {
	return func(_, replicas int) Second {
		return Second{Concurrency: record.Num(v), Ready: record.Num(float64(replicas))}
	}
}

func nothing(int, int) Second { return Second{} }

func want(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
