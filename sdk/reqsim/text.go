package reqsim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// tooLate is the lateness at which a report says that its figures are not
// those of the plan. ms.
const tooLate = 100

// Text returns the report for reading.
func (r Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s in %s, %.1f/s (%s)\n", r.Target, count(r.Requests, "request"), seconds(r.Seconds), r.Rate, r.Shape)
	if r.Success == nil {
		fmt.Fprintf(&b, "No request was answered.\n")
		r.ensured(&b)
		return b.String()
	}
	fmt.Fprintf(&b, "%.2f %% succeeded, %d failed\n\n", *r.Success*100, r.Failed)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "requests\tfailed\tp50\tp90\tp95\tp99\tp99.9\tmax\tmean\t  path")
	line := func(requests, failed int, l *Latency, path string) {
		fmt.Fprintf(w, "%d\t%d", requests, failed)
		for _, v := range []float64{l.P50, l.P90, l.P95, l.P99, l.P999, l.Max, l.Mean} {
			fmt.Fprintf(w, "\t%s", Duration(v))
		}
		fmt.Fprintf(w, "\t  %s\n", path)
	}
	for _, p := range r.Paths {
		line(p.Requests, p.Failed, p.Latency, p.Path)
	}
	if len(r.Paths) != 1 {
		line(r.Requests, r.Failed, r.Latency, "all")
	}
	for _, p := range r.Phases {
		if p.Latency != nil {
			line(p.Requests, p.Failed, p.Latency, "phase "+p.Phase)
		}
	}
	_ = w.Flush() // into memory: it cannot fail
	r.counts(&b)
	r.ensured(&b)
	return b.String()
}

// counts writes the statuses, the errors and what the plan did not get.
func (r Report) counts(b *strings.Builder) {
	b.WriteString("\n")
	if len(r.Status) > 0 {
		b.WriteString("status")
		for _, code := range slices.Sorted(maps.Keys(r.Status)) {
			fmt.Fprintf(b, "  %s: %d", code, r.Status[code])
		}
		b.WriteString("\n")
	}
	kinds := slices.SortedFunc(maps.Keys(r.Errors), func(x, y string) int {
		return cmp.Or(r.Errors[y]-r.Errors[x], strings.Compare(x, y))
	})
	for _, kind := range kinds {
		fmt.Fprintf(b, "error   %d × %s\n", r.Errors[kind], kind)
	}
	if r.WarmUp > 0 {
		fmt.Fprintf(b, "Before that, %s for warming up.\n", count(r.WarmUp, "request"))
	}
	if r.Unsent+r.Stopped > 0 {
		fmt.Fprintf(b, "Of %d planned requests %d were not sent and %d cut short.\n", r.Planned, r.Unsent, r.Stopped)
	}
	if r.Late.P99 > tooLate {
		fmt.Fprintf(b, "The simulator fell behind its plan: one in a hundred requests went out more than %s late, since too many were under way or this machine is busy. "+
			"The durations above count from when each was due.\n", Duration(r.Late.P99))
	}
}

// ensured writes what the conditions came to.
func (r Report) ensured(b *strings.Builder) {
	for _, v := range r.Ensure {
		fmt.Fprintln(b, v.Text())
	}
}

// Line returns a snapshot on one line, for a terminal.
func (s Snapshot) Line() string {
	left := max(s.Duration-s.Elapsed, 0).Round(time.Second)
	return fmt.Sprintf("%3.0f %%  %d/%d requests  %.0f/s (plan %.0f/s)  p50 %s  p95 %s  %d failed  %s left",
		100*min(s.Elapsed.Seconds()/s.Duration.Seconds(), 1), s.Answered, s.Planned, s.Rate, s.Wanted, Duration(s.P50), Duration(s.P95), s.Failed, left)
}

// Duration writes milliseconds in the unit that a person would say.
func Duration(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	case ms < 60_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	}
	return fmt.Sprintf("%.1f min", ms/60_000)
}

func seconds(s float64) string { return Duration(s * 1000) }

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
