package reqsim

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
)

// HTML writes the report as one page that needs nothing else: the figures and
// charts of the run over time.
func (r Report) HTML(w io.Writer) error {
	return reportPage.Execute(w, map[string]any{"R": r, "Began": r.Began.Format("2 January 2006, 15:04:05 MST"),
		"Seconds": seconds(r.Seconds), "Charts": r.charts(), "Rows": r.rows(), "Rest": r.rest()})
}

// row is one line of the page's table.
type row struct {
	Name             string
	Requests, Failed int
	Times            []string
}

func (r Report) rows() (list []row) {
	add := func(name string, requests, failed int, l *Latency) {
		x := row{Name: name, Requests: requests, Failed: failed}
		if l != nil {
			for _, v := range []float64{l.P50, l.P90, l.P95, l.P99, l.P999, l.Max, l.Mean} {
				x.Times = append(x.Times, Duration(v))
			}
		}
		list = append(list, x)
	}
	for _, p := range r.Paths {
		add(p.Path, p.Requests, p.Failed, p.Latency)
	}
	for _, p := range r.Phases {
		add("phase "+p.Phase, p.Requests, p.Failed, p.Latency)
	}
	if len(r.Paths) != 1 {
		add("all", r.Requests, r.Failed, r.Latency)
	}
	return list
}

// rest is what the text report says below its table.
func (r Report) rest() []string {
	b := strings.Builder{}
	r.counts(&b)
	r.ensured(&b)
	return strings.Split(strings.TrimSpace(b.String()), "\n")
}

// chart is one figure over time, or several of one unit.
type chart struct {
	title string
	lines []line
}

type line struct {
	name, colour string
	of           func(Point) *float64
}

// charts draws what is known of the run, one chart per unit. The colours are
// those of Okabe and Ito, which colour-blind eyes tell apart.
func (r Report) charts() (list []template.HTML) {
	count := func(of func(Point) int) func(Point) *float64 {
		return func(p Point) *float64 { v := float64(of(p)); return &v }
	}
	for _, c := range []chart{
		{"Requests due per second", []line{{"plan", "#999999", func(p Point) *float64 { return &p.Wanted }},
			{"sent", "#0072B2", count(func(p Point) int { return p.Requests })}, {"failed", "#C92A2A", count(func(p Point) int { return p.Failed })}}},
		{"Response time, ms", []line{{"p50", "#F5C37D", func(p Point) *float64 { return p.P50 }}, {"p95", "#E69F00", func(p Point) *float64 { return p.P95 }},
			{"p99", "#8F5B00", func(p Point) *float64 { return p.P99 }}}},
		{"Replicas", []line{{"wanted", "#999999", func(p Point) *float64 { return p.App.Wanted }}, {"ready", "#009E73", func(p Point) *float64 { return p.App.Ready }}}},
		{"Busiest replica, % of its limit", []line{{"CPU", "#0072B2", func(p Point) *float64 { return p.App.CPU }}, {"memory", "#CC79A7", func(p Point) *float64 { return p.App.Mem }}}},
	} {
		if svg := c.svg(r.Series); svg != "" {
			list = append(list, template.HTML(svg)) // made of numbers and the constants above
		}
	}
	return list
}

const (
	chartWidth, chartHeight = 860.0, 160.0
	chartLeft               = 56.0
)

// svg draws the chart; "" where nothing of it is known. What is not known is a gap.
func (c chart) svg(points []Point) string {
	top, known := 0.0, false
	for _, p := range points {
		for _, l := range c.lines {
			if v := l.of(p); v != nil {
				top, known = max(top, *v), true
			}
		}
	}
	if !known {
		return ""
	}
	top = max(top, 1e-9)
	b := strings.Builder{}
	fmt.Fprintf(&b, `<figure><figcaption>%s`, c.title)
	for _, l := range c.lines {
		fmt.Fprintf(&b, ` <span style="color:%s">━ %s</span>`, l.colour, l.name)
	}
	fmt.Fprintf(&b, `</figcaption><svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, chartLeft+chartWidth+8, chartHeight+28, c.title)
	y := func(v float64) float64 { return 6 + chartHeight*(1-v/top) }
	x := func(i int) float64 { return chartLeft + chartWidth*float64(i)/float64(max(len(points)-1, 1)) }
	for _, v := range []float64{0, top / 2, top} {
		fmt.Fprintf(&b, `<path d="M%g %.1fh%g" class="grid"/><text x="%g" y="%.1f" text-anchor="end">%.4g</text>`, chartLeft, y(v), chartWidth, chartLeft-6, y(v)+4, v)
	}
	for _, l := range c.lines {
		fmt.Fprintf(&b, `<path d="%s" stroke="%s" class="line"/>`, l.path(points, x, y), l.colour)
	}
	fmt.Fprintf(&b, `<text x="%g" y="%g">0 s</text><text x="%g" y="%g" text-anchor="end">%d s</text></svg></figure>`,
		chartLeft, chartHeight+24, chartLeft+chartWidth, chartHeight+24, max(len(points)-1, 0))
	return b.String()
}

func (l line) path(points []Point, x func(int) float64, y func(float64) float64) string {
	b := strings.Builder{}
	pen := "M"
	every := int(math.Ceil(float64(len(points)) / chartWidth))
	for i := 0; i < len(points); i += max(every, 1) {
		v := l.of(points[i])
		if v == nil {
			pen = "M"
			continue
		}
		fmt.Fprintf(&b, "%s%.1f %.1f", pen, x(i), y(*v))
		if pen == "M" { // so that a single second is seen too
			b.WriteString("h0.01")
		}
		pen = "L"
	}
	return b.String()
}

var reportPage = template.Must(template.New("report").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Simulated requests to {{.R.Target}}</title>
<style>:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:32px auto;padding:0 16px}h1{font-size:20px;margin:0}
p{margin:8px 0 24px}table{border-collapse:collapse;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}th,td{padding:4px 12px 4px 0;text-align:right;white-space:nowrap}th:first-child,td:first-child{text-align:left}
th{font-weight:600;border-bottom:1px solid #8886}figure{margin:24px 0}figcaption{font-weight:600}figcaption span{font-weight:400;margin-left:8px}svg{width:100%;height:auto}
svg text{font-size:11px;fill:currentColor;opacity:.7}.grid{stroke:currentColor;opacity:.15}.line{fill:none;stroke-width:1.5;stroke-linejoin:round}ul{list-style:none;padding:0}</style>
<h1>{{.R.Target}}</h1>
<p>{{.Began}}: {{.R.Requests}} requests in {{.Seconds}}, {{printf "%.1f" .R.Rate}}/s ({{.R.Shape}}), {{.R.Failed}} failed.</p>
<table><tr><th>path<th>requests<th>failed<th>p50<th>p90<th>p95<th>p99<th>p99.9<th>max<th>mean</tr>
{{range .Rows}}<tr><td>{{.Name}}<td>{{.Requests}}<td>{{.Failed}}{{range .Times}}<td>{{.}}{{end}}</tr>
{{end}}</table>
<ul>{{range .Rest}}<li>{{.}}</li>{{end}}</ul>
{{range .Charts}}{{.}}
{{end}}</html>
`))
