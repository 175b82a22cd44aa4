package alert

import "time"

// The states of a rule, as in the table alert_rules.
const (
	stateOK      = "ok"
	statePending = "pending" // the condition holds, but not yet for its for-duration
	stateFiring  = "firing"
)

// change is what a step of a rule's state calls for.
type change uint8

const (
	unchanged change = iota
	moved            // another state that nobody is told of
	fired
	resolved
)

// status is where a rule stands.
type status struct {
	state string
	since time.Time // when state began
	quiet time.Time // firing: since when the condition has not held; zero while it holds
}

// next returns the status at now and what it calls for. The condition must
// hold at every step for wait before the rule fires; it is over when it has
// held at no step for the time calm. A clock that was set back starts the
// waits anew.
func (s status) next(now time.Time, holds bool, wait, calm time.Duration) (status, change) {
	switch s.state {
	case statePending:
		switch {
		case !holds:
			return status{state: stateOK, since: now}, moved
		case now.Before(s.since):
			return status{state: statePending, since: now}, moved
		case now.Sub(s.since) >= wait:
			return status{state: stateFiring, since: now}, fired
		}
		return s, unchanged
	case stateFiring:
		switch {
		case holds:
			s.quiet = time.Time{}
			return s, unchanged
		case s.quiet.IsZero() || now.Before(s.quiet):
			s.quiet = now
			return s, unchanged
		case now.Sub(s.quiet) >= calm:
			return status{state: stateOK, since: now}, resolved
		}
		return s, unchanged
	}
	switch {
	case holds && wait == 0:
		return status{state: stateFiring, since: now}, fired
	case holds:
		return status{state: statePending, since: now}, moved
	}
	return s, unchanged
}

// unwatched takes a span in which nobody looked out of the wait: only time in
// which the condition was seen to hold counts.
func (s status) unwatched(gap time.Duration) status {
	if s.state == statePending {
		s.since = s.since.Add(gap)
	}
	s.quiet = time.Time{}
	return s
}
