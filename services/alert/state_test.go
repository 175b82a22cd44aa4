package alert

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// story runs one step a second. In line each character is one second: # the
// condition holds, . it does not. It returns one letter a second: the state
// o(k), p(ending), f(iring), in capitals where a mail is due.
func story(line string, wait, calm time.Duration) string {
	s, out := status{state: stateOK, since: noon}, ""
	for i, c := range line {
		var ch change
		s, ch = s.next(noon.Add(time.Duration(i)*time.Second), c == '#', wait, calm)
		letter := s.state[0]
		if ch == fired || ch == resolved {
			letter -= 'a' - 'A'
		}
		out += string(letter)
	}
	return out
}

func TestRuleStates(t *testing.T) {
	tests := []struct {
		name       string
		wait, calm time.Duration
		line, want string
	}{
		{"without a for-duration a rule fires at once", 0, 2 * time.Second,
			"..##", "ooFf"},
		{"a condition must hold for its whole duration", 3 * time.Second, 2 * time.Second,
			".######", "opppFff"},
		{"a gap in the wait starts it anew", 3 * time.Second, 2 * time.Second,
			"###.####", "pppopppF"},
		{"it is over only after the calm", 0, 3 * time.Second,
			"##......", "FffffOoo"},
		{"flapping within the calm tells nobody", 0, 3 * time.Second,
			"#.#..#.#..#", "Fffffffffff"},
		{"after the end it can fire again", 0, time.Second,
			"#...#..", "FfOoFfO"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := story(tt.line, tt.wait, tt.calm); got != tt.want {
				t.Errorf("%s\n%s, want\n%s", tt.line, got, tt.want)
			}
		})
	}
	t.Run("a clock set back starts the wait anew", func(t *testing.T) {
		s := status{state: statePending, since: noon}
		s, ch := s.next(noon.Add(-time.Hour), true, time.Minute, 0)
		if ch != moved || s.state != statePending || !s.since.Equal(noon.Add(-time.Hour)) {
			t.Errorf("%+v, %v", s, ch)
		}
	})
	t.Run("time that nobody watched does not count as held", func(t *testing.T) {
		s := status{state: statePending, since: noon}.unwatched(time.Hour)
		if s, _ = s.next(noon.Add(time.Hour), true, time.Minute, 0); s.state != statePending {
			t.Errorf("%+v", s)
		}
	})
}
