package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

// figure is one thing that was measured, beside what it is measured against.
type figure struct {
	Section   string    `json:"section"`
	Name      string    `json:"name"`
	Value     float64   `json:"value"` // median of Runs
	Unit      string    `json:"unit"`
	Runs      []float64 `json:"runs,omitempty"`
	Peer      string    `json:"peer"` // what the figure is compared with
	PeerValue float64   `json:"peer_value"`
	PeerRuns  []float64 `json:"peer_runs,omitempty"`
	Ratio     float64   `json:"ratio"` // value : peer's, the median over the rounds
	Aim       *aim      `json:"aim,omitempty"`
	Met       *bool     `json:"met,omitempty"`
}

// aim is a bound that a figure or its ratio should keep.
type aim struct {
	Of    string  `json:"of"` // "ratio" or "value"
	Least bool    `json:"at_least"`
	Bound float64 `json:"bound"`
}

func ratioAtMost(bound float64) *aim  { return &aim{Of: "ratio", Bound: bound} }
func ratioAtLeast(bound float64) *aim { return &aim{Of: "ratio", Bound: bound, Least: true} }
func valueAtLeast(bound float64) *aim { return &aim{Of: "value", Bound: bound, Least: true} }
func valueAtMost(bound float64) *aim  { return &aim{Of: "value", Bound: bound} }

// met reports whether the figure keeps the aim.
func (a *aim) met(f *figure) bool {
	v := f.Value
	if a.Of == "ratio" {
		v = f.Ratio
	}
	if a.Least {
		return v >= a.Bound
	}
	return v <= a.Bound
}

func (a *aim) String() string {
	sign := "≤"
	if a.Least {
		sign = "≥"
	}
	return fmt.Sprintf("%s %s %s", a.Of, sign, number(a.Bound))
}

// report gathers the figures of a run.
type report struct {
	At      time.Time `json:"at"`
	Machine machine   `json:"machine"`
	Figures []*figure `json:"figures"`
}

// add completes f from its rounds and takes it in. Rounds of the figure and of
// its peer were made in turns, so the ratio is taken round by round. A figure
// without a peer's rounds is compared with PeerValue.
func (r *report) add(f figure) {
	if len(f.Runs) > 0 {
		f.Value = median(f.Runs)
	}
	if len(f.PeerRuns) > 0 {
		f.PeerValue = median(f.PeerRuns)
	}
	switch {
	case len(f.Runs) > 0 && len(f.Runs) == len(f.PeerRuns):
		ratios := make([]float64, len(f.Runs))
		for i := range f.Runs {
			ratios[i] = f.Runs[i] / f.PeerRuns[i]
		}
		f.Ratio = median(ratios)
	case f.PeerValue != 0:
		f.Ratio = f.Value / f.PeerValue
	}
	if f.Aim != nil {
		met := f.Aim.met(&f)
		f.Met = &met
	}
	r.Figures = append(r.Figures, &f)
}

// print writes the figures of a section as a table.
func (r *report) print(w io.Writer, section string) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range r.Figures {
		if f.Section != section {
			continue
		}
		verdict := ""
		if f.Aim != nil {
			verdict = "missed: " + f.Aim.String()
			if *f.Met {
				verdict = "met: " + f.Aim.String()
			}
		}
		fmt.Fprintf(table, "  %s\t%s %s%s\t%s\t%s %s%s\tratio %s\t%s\n", f.Name, number(f.Value), f.Unit, spread(f.Runs),
			f.Peer, number(f.PeerValue), f.Unit, spread(f.PeerRuns), number(f.Ratio), verdict)
	}
	_ = table.Flush() // to the terminal
}

// save writes the report as JSON.
func (r *report) save(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	return nil
}

// number writes v with three digits that matter, thousands apart.
func number(v float64) string {
	switch {
	case v >= 1000 || v <= -1000:
		return thousands(fmt.Sprintf("%.0f", v))
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10 || v <= -10:
		return trimmed(fmt.Sprintf("%.1f", v))
	case v >= 0.1 || v <= -0.1:
		return trimmed(fmt.Sprintf("%.2f", v))
	}
	return fmt.Sprintf("%.2g", v)
}

func trimmed(text string) string { return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") }

func thousands(digits string) string {
	sign := ""
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		sign, digits = "-", rest
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return sign + digits
}

// spread shows the least and the largest of several rounds.
func spread(runs []float64) string {
	if len(runs) < 2 {
		return ""
	}
	least, most := runs[0], runs[0]
	for _, v := range runs {
		least, most = min(least, v), max(most, v)
	}
	return fmt.Sprintf(" (%s–%s)", number(least), number(most))
}
