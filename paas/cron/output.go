package cron

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"kurama/logship/record"
	"kurama/paas"
)

// The events that a Cron tells of.
const (
	eventFailed = "cron_failed"
	eventMissed = "cron_missed"
)

// Bounds of what a run may say.
const (
	maxLines = 5000 // that become records
	maxLine  = 8 << 10
	tailKept = 10 // lines that are remembered with the run
	tailLine = 300
)

// output makes records of what a run writes: log records of its app, from the
// replica `cron-JOB`.
type output struct {
	c     *Cron
	run   paas.CronRun
	lines int
	last  []string
}

func (o *output) line(stream, text string) {
	if o.lines++; o.lines <= maxLines {
		o.c.log(o.run, stream, text[:min(len(text), maxLine)])
	}
	if strings.TrimSpace(text) == "" {
		return
	}
	if len(text) > tailLine {
		text = strings.ToValidUTF8(text[:tailLine], "") + "…"
	}
	if o.last = append(o.last, text); len(o.last) > tailKept {
		o.last = o.last[1:]
	}
}

// flush says how much was left out.
func (o *output) flush() {
	if left := o.lines - maxLines; left > 0 {
		o.c.log(o.run, "stderr", fmt.Sprintf("%d more lines of this run are left out.", left))
	}
}

func (o *output) tail() string { return strings.Join(o.last, "\n") }

func (c *Cron) log(r paas.CronRun, stream, text string) {
	c.send(r, record.KindLog, record.LevelInfo, strings.ToValidUTF8(text, "\uFFFD"), map[string]any{"cron": r.Job, "run": r.ID, "stream": stream})
}

// tell sends an event about a job.
func (c *Cron) tell(r paas.CronRun, event, msg string) {
	level := record.LevelError
	if event == eventMissed {
		level = record.LevelWarning
	}
	c.send(r, record.KindEvent, level, msg, map[string]any{"event": event, "cron": r.Job})
}

func (c *Cron) send(r paas.CronRun, kind record.Kind, level record.Level, msg string, extra map[string]any) {
	text, _ := json.Marshal(extra) // strings and numbers cannot fail
	now := time.Now().UTC()
	c.Events.Send(&record.Record{Time: now, ID: record.NewID(now), Kind: kind, Level: level,
		Tenant: r.Tenant, App: r.App, Release: r.Release, Replica: "cron-" + r.Job, Msg: msg, Extra: text})
}
