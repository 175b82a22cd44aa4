package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// Report is what a comparison came to, with what is needed to run it again.
type Report struct {
	Objective float64   `json:"objective"` // s
	Seeds     int       `json:"seeds"`
	Results   []Result  `json:"results"`
	Verdicts  []Verdict `json:"verdicts,omitempty"` // of swift against the others
}

// JSON returns the report as one indented JSON document.
func (r Report) JSON() ([]byte, error) { return json.MarshalIndent(r, "", "  ") }

// Text writes a table per case: the mean over the seeds, and for the share of
// late requests and the cost half of its 95 % confidence interval.
func (r Report) Text(out io.Writer) {
	_, _ = fmt.Fprintf(out, "late: share of requests above %g ms or failed; cost: replica-seconds over the oracle's; ±: 95 %% confidence, %d seeds\n", r.Objective*1000, r.Seeds)
	last := ""
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, x := range r.Results {
		if key := x.Load + " on " + x.Plant; key != last {
			_ = w.Flush()
			last = key
			_, _ = fmt.Fprintf(out, "\n%s\n", key)
			_, _ = fmt.Fprintln(w, "policy\tlate\t±\tp95\tp99\terrors\tcost\t±\tunder\tover\tactions/h\treversals/h\trecovery\t")
		}
		f := x.Figure
		_, _ = fmt.Fprintf(w, "%s\t%.2f %%\t%.2f\t%s\t%s\t%.2f %%\t%.2f\t%.2f\t%.0f %%\t%.0f %%\t%.0f\t%.0f\t%.0f s\t\n", x.Scaler, 100*f["late"].Mean, 100*f["late"].Half,
			ms(f["p95"].Mean), ms(f["p99"].Mean), 100*f["errors"].Mean, f["cost"].Mean, f["cost"].Half, 100*f["under"].Mean, 100*f["over"].Mean,
			f["actions"].Mean, f["reversals"].Mean, f["recovery"].Mean)
	}
	_ = w.Flush()
	r.verdicts(out)
}

func (r Report) verdicts(out io.Writer) {
	if len(r.Verdicts) == 0 {
		return
	}
	_, _ = fmt.Fprint(out, "\nswift at least as good as … (in cases), within 95 % confidence\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "against\tcases\tin both\tin late\tin cost\treversals ≤ 1.2 ×\twhere it serves\tin both\toracle in both\toracle's reversals\t")
	for _, v := range r.Verdicts {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", v.Against, v.Cases, v.Both, v.Late, v.Cost, v.Reversals, v.Served, v.Fair, v.OracleBoth, v.OracleReversals)
	}
	_ = w.Flush()
	for _, v := range r.Verdicts {
		for _, l := range v.Losses {
			_, _ = fmt.Fprintf(out, "worse than %s: %s\n", v.Against, l)
		}
	}
}

func ms(s float64) string {
	if s >= 1 {
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.0f ms", math.Round(s*1000))
}
