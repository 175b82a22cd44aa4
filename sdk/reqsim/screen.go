package reqsim

import (
	"fmt"
	"strings"
	"time"
)

// Screen returns a snapshot as lines for a terminal that is so many columns
// wide: progress, rates, percentiles, and the p95 of each second as a plot.
func (s Snapshot) Screen(width int) []string {
	width = max(width, 20)
	done := min(s.Elapsed.Seconds()/max(s.Duration.Seconds(), 1e-9), 1)
	bar := max(width-30, 10)
	full := int(done * float64(bar))
	left := max(s.Duration-s.Elapsed, 0).Round(time.Second)
	lines := []string{
		fmt.Sprintf("%3.0f %% %s%s %s left  %s", 100*done, strings.Repeat("█", full), strings.Repeat("░", bar-full), left, s.Phase),
		fmt.Sprintf("%.0f/s (plan %.0f/s)  %d answered, %d failed", s.Rate, s.Wanted, s.Answered, s.Failed),
		fmt.Sprintf("p50 %s  p95 %s  p99 %s", Duration(s.P50), Duration(s.P95), Duration(s.P99)),
	}
	return append(lines, plot(s.Points, width)...)
}

const (
	plotRows  = 6
	plotScale = 10 // columns for the figures at its left
)

// plot draws the p95 of the last seconds, one column each.
func plot(points []Point, width int) []string {
	columns := max(width-plotScale-1, 1)
	points = points[max(len(points)-columns, 0):]
	top := 0.0
	for _, p := range points {
		if p.P95 != nil {
			top = max(top, *p.P95)
		}
	}
	if top == 0 {
		return nil
	}
	levels := []rune(" ▁▂▃▄▅▆▇█")
	lines := []string{"p95 of each second"}
	for row := plotRows - 1; row >= 0; row-- {
		label := ""
		switch row {
		case plotRows - 1:
			label = Duration(top)
		case 0:
			label = "0"
		}
		b := strings.Builder{}
		fmt.Fprintf(&b, "%*s ", plotScale-1, label)
		for _, p := range points {
			eighths := 0
			if p.P95 != nil {
				eighths = int(*p.P95/top*plotRows*8+0.5) - row*8
			}
			b.WriteRune(levels[min(max(eighths, 0), 8)])
		}
		lines = append(lines, b.String())
	}
	return lines
}
