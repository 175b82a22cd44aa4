package dashboard

import (
	"encoding/json"
	"slices"
	"strconv"
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

// figures writes what replicas used, oldest first for each; a snapshot holds
// their history. The view of all apps has the busiest of each app in its list.
func (f *frame) figures(dst []byte, s *series) []byte {
	if s.app == "" {
		return dst
	}
	replicas := make([]string, 0, len(s.figures))
	for replica := range s.figures {
		replicas = append(replicas, replica)
	}
	slices.Sort(replicas)
	l := list{name: "figures"}
	for _, replica := range replicas {
		run := s.figures[replica].since(f.since, f.now.Unix()-f.history)
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
		dst = strconv.AppendUint(append(dst, `,"logs":`...), s.logs, 10)
		dst = append(strconv.AppendInt(append(dst, `,"since":`...), s.begun, 10), '}')
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

// apps writes the list of the view of all apps.
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
	list := []byte{'['}
	for i, a := range apps {
		if i > 0 {
			list = append(list, ',')
		}
		list = a.summary(list, a.lastMinute(second), second)
	}
	s.appsPart.set(append(list, ']'), rev)
}

// summary writes the app's line in the view of all apps. last are the requests
// of the second that is over; cpu and mem those of the busiest replica.
func (s *series) summary(dst []byte, w window, second int64) []byte {
	dst = appendString(append(dst, `{"app":`...), s.app)
	dst = appendFigure(append(dst, `,"rate":`...), w.rate())
	dst = appendFigure(append(dst, `,"p95":`...), w.p95)
	dst = appendCount(dst, `,"errors":`, w.errors)
	dst = appendFigure(append(dst, `,"replicas":`...), w.replicas)
	dst = appendCount(dst, `,"last":`, s.points.requests(second-1))
	cpu, mem := s.busiest(second)
	dst = appendFigure(append(dst, `,"cpu":`...), cpu)
	dst = appendFigure(append(dst, `,"mem":`...), mem)
	return append(dst, '}')
}

// maxRates bounds the apps whose last minute a snapshot of all apps tells.
const maxRates = 200

// rates writes, for a snapshot of all apps, the requests of each of the last 60
// seconds by app, so that a page that opens has a course to show.
func (f *frame) rates(dst []byte, apps []*series) []byte {
	end, n := f.now.Unix()-1, 0
	for _, a := range apps {
		if a.points.newest <= end-60 || n == maxRates {
			continue
		}
		opening := []byte(`,"rates":{`)
		if n > 0 {
			opening = []byte(`,`)
		}
		n++
		dst = append(appendString(append(dst, opening...), a.app), `:[`...)
		for s := end - 59; s <= end; s++ {
			dst = strconv.AppendInt(dst, int64(a.points.requests(s)), 10)
			dst = append(dst, ',')
		}
		dst[len(dst)-1] = ']'
	}
	if n > 0 {
		dst = append(dst, '}')
	}
	return dst
}
