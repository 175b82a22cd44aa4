package alert

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"
)

// notice is what a message is made from.
type notice struct {
	rule       Rule
	condition  *Condition
	figures    Figures
	from, to   time.Time // when the condition began to hold, and, where it is over, when it held last
	now        time.Time
	records    []line
	points     []point
	held       int // messages about the app that were held back before this one
	perHour    int
	consoleURL string
}

// message is a message before it has a row.
type message struct {
	kind, subject, text, html string
}

const (
	dayTime   = "15:04:05 MST on 2 Jan 2006"
	clockTime = "15:04:05"
	chartCID  = "chart.png" // in body_html the picture itself stands in its place
)

// firingMessage tells that the condition has come to hold.
func firingMessage(n notice) message {
	first := fmt.Sprintf("The condition %s of the app %s has held since %s", n.bare(), n.rule.App, n.from.UTC().Format(dayTime))
	if d := n.now.Sub(n.from); d >= time.Second {
		first += fmt.Sprintf(" (%s)", spell(d))
	}
	return n.message(kindFiring, n.rule.App+": "+n.condition.Phrase(n.figures), first+".", "Now: "+n.condition.Now(n.figures)+".")
}

// resolvedMessage tells that it holds no more.
func resolvedMessage(n notice) message {
	first := fmt.Sprintf("The condition %s of the app %s has not held since %s. It held for %s.",
		n.bare(), n.rule.App, n.to.UTC().Format(dayTime), spell(n.to.Sub(n.from)))
	return n.message(kindResolved, fmt.Sprintf("%s: over: %s (now %s)", n.rule.App, n.condition.Phrase(nil), n.condition.Now(n.figures)),
		first, "Now: "+n.condition.Now(n.figures)+".")
}

// testMessage shows that a message arrives.
func testMessage(n notice) message {
	return n.message(kindTest, n.rule.App+": test of "+n.condition.Phrase(nil),
		fmt.Sprintf("This is a test, sent at %s: messages about the condition %s of the app %s reach you here.", n.now.UTC().Format(dayTime), n.bare(), n.rule.App),
		"The condition itself was not looked at.")
}

// bare returns the condition without values and without its for-duration.
func (n notice) bare() string { return phrase(n.condition.tree, n.condition.units, nil) }

// message writes both forms of the body around the first two sentences.
func (n notice) message(kind, subject, first, second string) message {
	m := message{kind: kind, subject: cut(strings.Join(strings.Fields(subject), " "), 200)}
	n.sortPoints()
	view := view{First: first, Second: second, Link: n.link(), App: n.rule.App, Why: n.why(), Held: n.heldBack(), Color: statusColor[kind]}
	for _, l := range n.records {
		view.Records = append(view.Records, viewLine{l.at.UTC().Format(clockTime), l.level, l.text})
	}
	var png []byte
	if kind != kindTest && len(n.points) > 1 && n.condition.subject != "" {
		png = chart(n.points, n.condition.limit, seriesColor(n.condition.subject))
		view.Caption = n.caption()
	}
	var html bytes.Buffer
	if err := htmlBody.Execute(&html, view); err != nil { // the template and its data are ours: this is a bug
		panic(fmt.Sprintf("alert: writing a message: %v", err))
	}
	m.html = strings.Replace(html.String(), "cid:"+chartCID, "data:image/png;base64,"+base64.StdEncoding.EncodeToString(png), 1)
	m.text = view.text()
	return m
}

// sortPoints cuts off points after now, which can exist after the clock was
// set back.
func (n *notice) sortPoints() {
	for len(n.points) > 0 && n.points[len(n.points)-1].at.After(n.now) {
		n.points = n.points[:len(n.points)-1]
	}
}

func (n notice) caption() string {
	u := n.condition.unitOf(n.condition.subject)
	span := n.points[len(n.points)-1].at.Sub(n.points[0].at)
	return fmt.Sprintf("%s, last %s, from 0 to %s; dashed: the limit of %s", n.condition.subject, spell(span),
		format(u, top(n.points, n.condition.limit)), format(u, n.condition.limit))
}

func (n notice) link() string {
	return strings.TrimRight(n.consoleURL, "/") + "/#/apps/" + url.PathEscape(n.rule.App)
}

func (n notice) why() string {
	return fmt.Sprintf("You get this because an alert of the app %s (tenant %s) names %s as its receiver.", n.rule.App, n.rule.Tenant, n.rule.Receiver)
}

func (n notice) heldBack() string {
	switch n.held {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("One message about %s was held back before this one: at most %d an hour are sent.", n.rule.App, n.perHour)
	}
	return fmt.Sprintf("%d messages about %s were held back before this one: at most %d an hour are sent.", n.held, n.rule.App, n.perHour)
}

// view is what the bodies show.
type view struct {
	First, Second, Caption, Link, App, Why, Held, Color string
	Records                                             []viewLine
}

type viewLine struct{ Time, Level, Text string }

// text writes the plain form.
func (v view) text() string {
	var b strings.Builder
	b.WriteString(v.First + "\n" + v.Second + "\n")
	if v.Held != "" {
		b.WriteString(v.Held + "\n")
	}
	if len(v.Records) > 0 {
		b.WriteString("\nLast warnings and errors (UTC):\n")
		for _, l := range v.Records {
			fmt.Fprintf(&b, "  %s  %-8s  %s\n", l.Time, l.Level, l.Text)
		}
	}
	b.WriteString("\nOpen the app: " + v.Link + "\n\n-- \n" + v.Why + "\n")
	return b.String()
}

var statusColor = map[string]string{kindFiring: "#C92A2A", kindResolved: "#2F9E44", kindTest: "#1971C2"}

var htmlBody = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"></head>
<body style="margin:0;padding:16px;background:#faf9f7;color:#2b2a28;font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif">
<div style="max-width:600px;margin:0 auto;padding:24px;background:#ffffff;border-top:4px solid {{.Color}}">
<p style="margin:0 0 8px"><strong>{{.First}}</strong></p>
<p style="margin:0 0 16px">{{.Second}}</p>
{{- if .Held}}<p style="margin:0 0 16px">{{.Held}}</p>{{end}}
{{- if .Caption}}
<img src="cid:chart.png" width="552" height="120" alt="{{.Caption}}" style="width:100%;max-width:552px;height:auto;display:block">
<p style="margin:4px 0 16px;font-size:13px;color:#6b6862">{{.Caption}}</p>
{{- end}}
{{- if .Records}}
<p style="margin:0 0 4px">Last warnings and errors (UTC):</p>
<table style="border-collapse:collapse;font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;margin:0 0 16px">
{{- range .Records}}
<tr style="vertical-align:top"><td style="padding-right:12px;white-space:nowrap">{{.Time}}</td><td style="padding-right:12px">{{.Level}}</td><td style="word-break:break-word">{{.Text}}</td></tr>
{{- end}}
</table>
{{- end}}
<p style="margin:0 0 16px"><a href="{{.Link}}" style="display:inline-block;padding:8px 16px;background:#E8590C;color:#ffffff;text-decoration:none;border-radius:4px">Open {{.App}}</a></p>
<p style="margin:0;font-size:13px;color:#6b6862">{{.Why}}</p>
</div></body></html>
`))
