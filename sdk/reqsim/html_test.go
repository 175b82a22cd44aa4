package reqsim

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// steady is an app with two replicas, of which something is unknown at first.
type steady struct{ asked int }

func (s *steady) Look(context.Context) (Look, error) {
	if s.asked++; s.asked == 1 {
		return Look{}, errors.New("not yet")
	}
	two, cpu := 2.0, 12.5
	return Look{Wanted: &two, Ready: &two, CPU: &cpu}, nil
}

func TestAReportHasItsCourseInEveryForm(t *testing.T) {
	a := newApp(t)
	r := run(t, Plan{URL: a.URL, Rate: 50, Duration: 2500 * time.Millisecond, Paths: []Path{{"/", 3}, {"/<b>", 1}}, Watch: &steady{}})
	if len(r.Series) != 3 || r.Series[0].Requests != 50 || r.Series[2].Requests != 25 || r.Series[0].P95 == nil || r.Series[0].App.CPU != nil {
		t.Fatalf("%+v", r.Series)
	}
	if cpu := r.Series[1].App.CPU; cpu == nil || *cpu != 12.5 {
		t.Errorf("%+v", r.Series[1])
	}
	var page bytes.Buffer
	if err := r.HTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"<!doctype html>", "Response time, ms", "Replicas", "Busiest replica", "/&lt;b&gt;", "status  200: 125"} {
		if !strings.Contains(page.String(), part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	if strings.Contains(page.String(), "/<b>") {
		t.Error("a path is taken for HTML")
	}
	lines := strings.Split(strings.TrimSpace(r.CSV()), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "second,wanted,requests,") || !strings.HasPrefix(lines[1], "0,50,50,0,") || !strings.HasSuffix(lines[1], ",,,,") ||
		!strings.HasSuffix(lines[2], ",2,2,12.5,") {
		t.Errorf("%q", lines)
	}
}

func TestTheScreenShowsTheCourse(t *testing.T) {
	low, high := 10.0, 80.0
	s := Snapshot{Elapsed: 30 * time.Second, Duration: time.Minute, Answered: 300, Failed: 2, Rate: 10, Wanted: 10.2, Phase: "calm", P50: 5, P95: 80, P99: 90,
		Points: []Point{{P95: &low}, {}, {P95: &high}}}
	got := strings.Join(s.Screen(50), "\n")
	want := ` 50 % ██████████░░░░░░░░░░ 30s left  calm
10/s (plan 10/s)  300 answered, 2 failed
p50 5.0 ms  p95 80 ms  p99 90 ms
p95 of each second
    80 ms   █
            █
            █
            █
            █
        0 ▆ █`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
