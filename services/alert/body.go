package alert

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// message is a message before it has a row.
type message struct {
	kind, subject, text, html string
	views                     []view
}

// view is what a message shows of one alert. It is kept as JSON while the
// message waits, so that several can leave as one.
type view struct {
	Kind, Subject, App           string
	First, Second, Held, Caption string
	Chart                        string `json:",omitempty"` // PNG in base64
	Records                      []viewLine
	Link, Why                    string
}

type viewLine struct{ Time, Level, Text string }

var statusColor = map[string]string{kindFiring: "#C92A2A", kindResolved: "#2F9E44", kindTest: "#1971C2"}

// messageOf writes both forms of the body of a message about one alert or
// several, the newest of which is last.
func messageOf(views ...view) message {
	m := message{kind: views[0].Kind, subject: views[0].Subject, views: views}
	if len(views) > 1 {
		m.subject = groupSubject(views)
	}
	if slices.ContainsFunc(views, func(v view) bool { return v.Kind == kindFiring }) {
		m.kind = kindFiring
	}
	var html, text strings.Builder
	page := struct {
		Color        string
		Views, Links []view
		Why          []string
	}{statusColor[m.kind], views, eachApp(views), reasons(views)}
	if err := htmlBody.Execute(&html, page); err != nil { // the template and its data are ours: this is a bug
		panic(fmt.Sprintf("alert: writing a message: %v", err))
	}
	m.html = html.String()
	for i, v := range views {
		if v.Chart != "" {
			m.html = strings.Replace(m.html, "cid:"+chartName, "data:image/png;base64,"+v.Chart, 1)
		}
		if i > 0 {
			text.WriteString("\n")
		}
		v.text(&text)
	}
	text.WriteString("\n")
	for _, v := range page.Links {
		text.WriteString("Open " + v.linked(len(page.Links)) + ": " + v.Link + "\n")
	}
	m.text = text.String() + "\n-- \n" + strings.Join(page.Why, "\n") + "\n"
	return m
}

// groupSubject says how many alerts a message is about, and which.
func groupSubject(views []view) string {
	apps := eachApp(views)
	head, parts := views[0].App, make([]string, len(views))
	if len(apps) > 1 {
		head = fmt.Sprintf("%d apps", len(apps))
	}
	for i, v := range views {
		if parts[i] = v.Subject; len(apps) == 1 {
			parts[i] = strings.TrimPrefix(v.Subject, v.App+": ")
		}
	}
	return cut(fmt.Sprintf("%s: %d alerts: %s", head, len(views), strings.Join(parts, "; ")), 200)
}

// eachApp returns the first view of each app.
func eachApp(views []view) []view {
	var list []view
	for _, v := range views {
		if !slices.ContainsFunc(list, func(o view) bool { return o.App == v.App }) {
			list = append(list, v)
		}
	}
	return list
}

func reasons(views []view) []string {
	var list []string
	for _, v := range views {
		if !slices.Contains(list, v.Why) {
			list = append(list, v.Why)
		}
	}
	return list
}

// linked names what the link of a text leads to.
func (v view) linked(apps int) string {
	if apps == 1 {
		return "the app"
	}
	return v.App
}

// text writes the plain form.
func (v view) text(b *strings.Builder) {
	b.WriteString(v.First + "\n" + v.Second + "\n")
	if v.Held != "" {
		b.WriteString(v.Held + "\n")
	}
	if len(v.Records) > 0 {
		b.WriteString("\nLast warnings and errors (UTC):\n")
		for _, l := range v.Records {
			fmt.Fprintf(b, "  %s  %-8s  %s\n", l.Time, l.Level, l.Text)
		}
	}
}

// chartName is the picture of a message; in body_html the picture itself stands
// in its place.
const chartName = "chart.png"

var htmlBody = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"></head>
<body style="margin:0;padding:16px;background:#faf9f7;color:#2b2a28;font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif">
<div style="max-width:600px;margin:0 auto;padding:24px;background:#ffffff;border-top:4px solid {{.Color}}">
{{- range $i, $v := .Views}}
{{- if $i}}<hr style="border:0;border-top:1px solid #dedad3;margin:16px 0">{{end}}
<p style="margin:0 0 8px"><strong>{{.First}}</strong></p>
<p style="margin:0 0 16px">{{.Second}}</p>
{{- if .Held}}<p style="margin:0 0 16px">{{.Held}}</p>{{end}}
{{- if .Chart}}
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
{{- end}}
{{- range .Links}}
<p style="margin:0 0 16px"><a href="{{.Link}}" style="display:inline-block;padding:8px 16px;background:#E8590C;color:#ffffff;text-decoration:none;border-radius:4px">Open {{.App}}</a></p>
{{- end}}
{{- range .Why}}
<p style="margin:0;font-size:13px;color:#6b6862">{{.}}</p>
{{- end}}
</div></body></html>
`))
