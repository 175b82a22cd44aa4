package sim

import (
	"fmt"
	"io"
	"strings"
)

const (
	plotWidth  = 900.0
	plotHeight = 150.0
	plotLeft   = 46.0
	plotGap    = 34.0
)

// Curve is the course of one run under a scaler.
type Curve struct {
	Scaler  string
	Outcome Outcome // of a run with Curve set
}

// Plot writes an SVG: the rate of requests, and below it for each run the
// replicas that were ready (filled), wanted (line) and needed (dashed).
func Plot(out io.Writer, title string, curves []Curve) error {
	b := &strings.Builder{}
	height := (plotHeight+plotGap)*float64(len(curves)+1) + 30
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="system-ui,sans-serif" font-size="12">`+"\n", plotWidth+plotLeft+20, height)
	fmt.Fprintf(b, `<rect width="100%%" height="100%%" fill="#fff"/><text x="%.0f" y="20" font-size="14">%s</text>`+"\n", plotLeft, escape(title))
	if len(curves) > 0 {
		top := 0.0
		for _, c := range curves[0].Outcome.Replicas {
			top = max(top, c.Rate)
		}
		panel(b, 0, "requests per second", top, curves[0].Outcome.Replicas, line{"#0072B2", "", "none", func(c Counts) float64 { return c.Rate }})
	}
	most := 1.0
	for _, curve := range curves {
		for _, c := range curve.Outcome.Replicas {
			most = max(most, float64(c.Wanted), float64(c.Ready), float64(c.Needed))
		}
	}
	for i, curve := range curves {
		o := curve.Outcome
		name := fmt.Sprintf("%s: replicas; %.2f %% late, %.0f replica-seconds", curve.Scaler, 100*o.Late, o.ReplicaSeconds)
		panel(b, i+1, name, most, o.Replicas,
			line{"#E69F00", "", "#E69F0033", func(c Counts) float64 { return float64(c.Ready) }},
			line{"#D55E00", "", "none", func(c Counts) float64 { return float64(c.Wanted) }},
			line{"#333333", "4 3", "none", func(c Counts) float64 { return float64(c.Needed) }})
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(out, b.String())
	return err
}

// line is one figure of a panel.
type line struct {
	colour, dash, fill string
	of                 func(Counts) float64
}

func panel(b *strings.Builder, index int, name string, top float64, counts []Counts, lines ...line) {
	y0 := 44 + (plotHeight+plotGap)*float64(index)
	x := func(i int) float64 { return plotLeft + plotWidth*float64(i)/float64(max(len(counts)-1, 1)) }
	y := func(v float64) float64 { return y0 + plotHeight - plotHeight*v/max(top, 1e-9) }
	fmt.Fprintf(b, `<text x="%.0f" y="%.0f">%s</text>`, plotLeft, y0-6, escape(name))
	for _, v := range []float64{0, top / 2, top} {
		fmt.Fprintf(b, `<path d="M%.1f %.1fH%.1f" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="end" fill="#666">%.4g</text>`, plotLeft, y(v), plotLeft+plotWidth, plotLeft-6, y(v)+4, v)
	}
	every := max(len(counts)/int(plotWidth), 1)
	for _, l := range lines {
		path := strings.Builder{}
		for i := 0; i < len(counts); i += every {
			cmd := "L"
			if i == 0 {
				cmd = "M"
			}
			fmt.Fprintf(&path, "%s%.1f %.1f", cmd, x(i), y(l.of(counts[i])))
		}
		d := path.String()
		if l.fill != "none" {
			fmt.Fprintf(b, `<path d="%sL%.1f %.1fL%.1f %.1fZ" fill="%s"/>`, d, x(len(counts)-1), y(0), x(0), y(0), l.fill)
		}
		fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-dasharray="%s" stroke-width="1.4"/>`, d, l.colour, l.dash)
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="end" fill="#666">%d s</text>`+"\n", plotLeft+plotWidth, y0+plotHeight+14, len(counts))
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
