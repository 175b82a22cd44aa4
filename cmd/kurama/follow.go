package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kurama/internal/client"
	"kurama/paas"
)

// Bounds of following a release.
const (
	retryEvery = 500 * time.Millisecond
	retryFor   = 30 * time.Second // how long the API may be away meanwhile
	shownLines = 30               // lines of a failed step that are shown
)

// releaseEnd is how a release ended: the last line of its log, and what
// --json prints.
type releaseEnd struct {
	End     bool              `json:"-"`
	App     string            `json:"app"`
	Release int               `json:"release"`
	State   paas.ReleaseState `json:"state"`
	Reason  string            `json:"reason,omitempty"`
	Address string            `json:"address"`
	Seconds float64           `json:"seconds"`
}

// buildLine is one line of a release's log as the API sends it.
type buildLine struct {
	paas.BuildLine
	End     bool              `json:"end"`
	State   paas.ReleaseState `json:"state"`
	Reason  string            `json:"reason"`
	Address string            `json:"address"`
}

// follow shows the steps of a release until it is live or has failed. The last
// line of a release that is live is the app's address.
func (s *session) follow(r paas.Release, verbose bool) error {
	began, shown := time.Now(), &steps{s: s, verbose: verbose, before: r.CreatedAt}
	end, err := s.releaseEnd(r, shown)
	if err != nil {
		if s.cmd.Context().Err() != nil {
			return s.interrupted(r)
		}
		return err
	}
	shown.finish(end.State == paas.ReleaseFailed)
	end.Seconds = time.Since(began).Seconds()
	if end.State == paas.ReleaseFailed {
		if s.json {
			return errors.Join(s.print(end, nil), exitError{1})
		}
		reason := end.Reason
		if strings.Contains(strings.Join(shown.lines, "\n"), reason) {
			reason = firstLine(reason) // the rest stands above
		}
		return fmt.Errorf("release %d of %s failed: %s", r.Number, r.App, reason)
	}
	return s.print(end, func() {
		s.done("release %d is %s  %s", r.Number, end.State, spoken(time.Since(began)))
		_, _ = fmt.Fprintln(s.out, end.Address)
	})
}

// releaseEnd waits for the end of a release, also over a restart of the API.
func (s *session) releaseEnd(r paas.Release, shown *steps) (end releaseEnd, err error) {
	ctx, seen, lost := s.cmd.Context(), 0, time.Time{}
	path := appPath(r.App, "releases", strconv.Itoa(r.Number), "log")
	for {
		err := s.Lines(ctx, "GET", path, url.Values{"follow": {"true"}}, nil, func(text []byte) error {
			var l buildLine
			if err := json.Unmarshal(text, &l); err != nil {
				return fmt.Errorf("the build log holds a line that is none: %w", err)
			}
			lost = time.Time{}
			if l.End {
				end = releaseEnd{End: true, App: r.App, Release: r.Number, State: l.State, Reason: l.Reason, Address: l.Address}
			} else if l.N > seen {
				seen = l.N
				shown.line(l.BuildLine)
			}
			return nil
		})
		if end.End {
			return end, nil
		}
		var refused *client.Problem
		if errors.As(err, &refused) && refused.Status < 500 || ctx.Err() != nil {
			return end, err
		}
		if lost.IsZero() {
			lost = time.Now()
		}
		if time.Since(lost) > retryFor {
			return end, fmt.Errorf("the build log of release %d of %s broke off: %w", r.Number, r.App, err)
		}
		select {
		case <-ctx.Done():
			return end, ctx.Err()
		case <-time.After(retryEvery):
		}
	}
}

// steps shows a build log as one line a step. A step tells what it has done,
// so it lasted from the last line of the step before to its own last line.
type steps struct {
	s       *session
	verbose bool
	before  time.Time // last line of the step before
	name    string
	last    time.Time
	lines   []string
}

// line takes the next line of the log in.
func (t *steps) line(l paas.BuildLine) {
	if l.Step != t.name {
		// A step that is named failed or done closes the one before, and says
		// itself what came of it.
		t.finish(l.Step == "failed")
		t.name, t.lines = l.Step, nil
	}
	t.last, t.lines = l.At, append(t.lines, l.Line)
	if t.verbose {
		t.s.say("  %s", t.s.colour(grey, l.Line))
	}
}

// finish shows the step that has ended.
func (t *steps) finish(failed bool) {
	if t.name == "" {
		return // the first line is yet to come
	}
	name, took := t.name, max(0, t.last.Sub(t.before))
	t.name, t.before = "", t.last
	if name == "done" {
		return
	}
	last := firstLine(t.lines[len(t.lines)-1])
	switch {
	case name == "failed":
		t.tail()
	case failed:
		t.s.say("%s %s  %s  %s", t.s.colour(red, "✗"), name, last, t.s.colour(grey, spoken(took)))
		t.tail()
	default:
		t.s.done("%s  %s  %s", name, last, t.s.colour(grey, spoken(took)))
	}
}

// tail shows the last lines of a step that failed.
func (t *steps) tail() {
	if t.verbose || len(t.lines) < 2 && !strings.Contains(t.lines[0], "\n") {
		return
	}
	for _, line := range t.lines[max(0, len(t.lines)-shownLines):] {
		t.s.say("  %s", line)
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSuffix(line, " It wrote last:") // what follows is left out
}
