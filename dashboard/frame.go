package dashboard

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// frame says what to put into one: everything that changed after Since, or all
// that is kept where Since is 0.
type frame struct {
	now     time.Time
	since   uint64
	history int64 // seconds kept
}

func (f *frame) snapshot() bool { return f.since == 0 }

// appendString writes s as a JSON string.
func appendString(dst []byte, s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return append(dst, `""`...) // cannot be: every string can be written
	}
	return append(dst, b...)
}

// list writes `,"name":[` before the first item and `]` after the last; with
// no item it writes nothing.
type list struct {
	name string
	n    int
}

func (l *list) next(dst []byte) []byte {
	l.n++
	if l.n == 1 {
		return append(append(append(dst, `,"`...), l.name...), `":[`...)
	}
	return append(dst, ',')
}

func (l *list) end(dst []byte) []byte {
	if l.n == 0 {
		return dst
	}
	return append(dst, ']')
}

// header opens the frame's object.
func (f *frame) header(dst []byte, s *series) []byte {
	dst = strconv.AppendInt(append(dst, `{"t":`...), f.now.UnixMilli(), 10)
	dst = appendString(append(dst, `,"app":`...), s.app)
	dst = appendString(append(dst, `,"tenant":`...), s.tenant)
	return strconv.AppendBool(append(dst, `,"snapshot":`...), f.snapshot())
}

// points writes the seconds that changed.
func (f *frame) points(dst []byte, s *series) []byte {
	l := list{name: "points"}
	s.points.each(f.now.Unix()-f.history, f.now.Unix()+ahead, func(p *point) {
		if p.rev > f.since {
			dst = p.append(l.next(dst))
		}
	})
	return l.end(dst)
}

// figures writes what replicas used, oldest first for each. A snapshot of one
// app holds their history; the view of all apps holds the latest of each.
func (f *frame) figures(dst []byte, s *series) []byte {
	replicas := make([]string, 0, len(s.figures))
	for replica := range s.figures {
		replicas = append(replicas, replica)
	}
	slices.Sort(replicas)
	l := list{name: "figures"}
	for _, replica := range replicas {
		run := s.figures[replica].since(f.since, f.now.Unix()-f.history)
		if s.app == "" && len(run) > 1 {
			run = run[len(run)-1:]
		}
		for i := range run {
			dst = run[i].append(l.next(dst), replica)
		}
	}
	return l.end(dst)
}

func (f *frame) host(dst []byte, host *figures) []byte {
	l := list{name: "host"}
	run := host.since(f.since, f.now.Unix()-f.history)
	for i := range run {
		dst = run[i].append(l.next(dst), "")
	}
	return l.end(dst)
}

// parts writes what is made once a second: routes, window, totals.
func (f *frame) parts(dst []byte, s *series) []byte {
	if s.routesPart.rev > f.since {
		dst = append(append(dst, `,"routes":`...), s.routesPart.json...)
	}
	if s.windowPart.rev > f.since {
		dst = append(append(dst, `,"window":`...), s.windowPart.json...)
	}
	if s.totalRev > f.since || f.snapshot() {
		dst = strconv.AppendUint(append(dst, `,"total":{"requests":`...), s.requests, 10)
		dst = append(strconv.AppendUint(append(dst, `,"logs":`...), s.logs, 10), '}')
	}
	return dst
}

// logs writes the picked records and how many more there were.
func (f *frame) logs(dst []byte, picked []*line, dropped uint64) []byte {
	if len(picked) == 0 && dropped == 0 {
		return dst
	}
	l := list{name: "logs"}
	for _, item := range picked {
		dst = append(l.next(dst), item.json...)
	}
	dst = l.end(dst)
	return strconv.AppendUint(append(dst, `,"dropped":`...), dropped, 10)
}

func (f *frame) events(dst []byte, s *series) []byte {
	l := list{name: "events"}
	for i := max(len(s.events)-maxEvents, 0); i < len(s.events); i++ {
		e := &s.events[i]
		if e.rev <= f.since {
			continue
		}
		dst = strconv.AppendInt(append(l.next(dst), `{"t":`...), e.t, 10)
		if e.app != "" {
			dst = appendString(append(dst, `,"app":`...), e.app)
		}
		dst = appendString(append(dst, `,"event":`...), e.name)
		dst = append(appendString(append(dst, `,"msg":`...), e.msg), '}')
	}
	return l.end(dst)
}

func (f *frame) apps(dst []byte, s *series) []byte {
	if s.app == "" && s.appsPart.rev > f.since {
		return append(append(dst, `,"apps":`...), s.appsPart.json...)
	}
	return dst
}

// refresh makes the parts of s that are made once a second. apps are the
// series of the tenant's apps in the view of all, else nil.
func (s *series) refresh(now time.Time, apps []*series, rev uint64) {
	second := now.Unix()
	s.windowPart.set(s.lastMinute(second).append(nil), rev)
	rows := []byte{'['}
	for i, row := range s.routes.rows(float64(now.UnixMilli()) / 1000) {
		if i > 0 {
			rows = append(rows, ',')
		}
		rows = row.append(rows)
	}
	s.routesPart.set(append(rows, ']'), rev)
	if s.app != "" {
		return
	}
	slices.SortFunc(apps, func(a, b *series) int { return strings.Compare(a.app, b.app) })
	list := []byte{'['}
	for i, a := range apps {
		if i > 0 {
			list = append(list, ',')
		}
		list = a.summary(list, a.lastMinute(second))
	}
	s.appsPart.set(append(list, ']'), rev)
}

// summary writes the app's line in the view of all apps.
func (s *series) summary(dst []byte, w window) []byte {
	dst = appendString(append(dst, `{"app":`...), s.app)
	dst = appendFigure(append(dst, `,"rate":`...), w.rate())
	dst = appendFigure(append(dst, `,"p95":`...), w.p95)
	dst = appendCount(dst, `,"errors":`, w.errors)
	dst = appendFigure(append(dst, `,"replicas":`...), w.replicas)
	return append(dst, '}')
}
