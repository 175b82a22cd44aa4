package dashboard

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"kurama/logship/record"
)

// key names what a client watches: one app, or with App empty all apps of the tenant.
type key struct{ tenant, app string }

// maxEvents bounds the events kept per app.
const maxEvents = 100

// lateSample is how many seconds a sample may be old when it arrives, and
// ahead how many seconds any record may lie in the future: clocks of hosts
// differ a little, and what differs more would make points where none belong.
const (
	lateSample = 5
	ahead      = 2
)

// event is what the platform did to an app.
type event struct {
	t              int64 // Unix milliseconds
	app, name, msg string
	rev            uint64
}

// part is a piece of a frame that is made once a second and sent where it changed.
type part struct {
	json []byte
	rev  uint64
}

func (p *part) set(json []byte, rev uint64) {
	if !bytes.Equal(p.json, json) {
		p.json, p.rev = json, rev
	}
}

// series is all that is kept about one key. The hub's goroutine owns it.
type series struct {
	key
	points   *points
	figures  map[string]*figures // by replica
	gauges   map[string]gauge    // by app
	routes   routes
	lines    lines
	events   []event
	requests uint64
	logs     uint64
	begun    int64 // Unix milliseconds of the first record counted
	totalRev uint64
	last     window
	lastAt   int64 // second in which last was made
	seen     time.Time

	windowPart, routesPart, appsPart part
}

func newSeries(k key, seconds, perFrame int) *series {
	return &series{
		key:    key{strings.Clone(k.tenant), strings.Clone(k.app)},
		points: newPoints(seconds), figures: map[string]*figures{}, gauges: map[string]gauge{},
		routes: routes{}, lines: newLines(perFrame),
	}
}

// request counts a request record; false where its time is too far from now.
func (s *series) request(r *record.Record, text []byte, now int64, rev uint64) bool {
	s.requests++
	s.totalRev = rev
	s.lines.add(r, text, rev)
	if r.Time.Unix() > now+ahead {
		return false
	}
	app := ""
	if s.app == "" {
		app = r.App
	}
	s.routes.add(app, r)
	return s.points.request(r, rev)
}

// log counts a log record.
func (s *series) log(r *record.Record, text []byte, rev uint64) {
	s.logs++
	s.totalRev = rev
	s.lines.add(r, text, rev)
}

// sample takes a sample of a replica, or of the router about an app's queue;
// false where it is too old or lies in the future.
func (s *series) sample(r *record.Record, now int64, rev uint64) bool {
	second := r.Time.Unix()
	if second < now-lateSample || second > now+ahead {
		return false
	}
	p := s.points.at(second)
	if p == nil {
		return false
	}
	if r.Replica == "router" {
		return s.queue(p, r, rev)
	}
	if !s.replica(r.Replica).add(figureOf(r, rev)) {
		return false
	}
	p.replicas, p.rev = s.ready(second), rev
	return true
}

// replica returns the figures of a replica, making room for a new one where
// the longest silent one was. The view of all apps shows the latest alone.
func (s *series) replica(name string) *figures {
	f := s.figures[name]
	if f != nil {
		return f
	}
	limit, room := len(s.points.slots), maxReplicas
	if s.app == "" {
		limit, room = 1, 10*maxReplicas
	}
	if len(s.figures) >= room {
		oldest := ""
		for other, g := range s.figures {
			if oldest == "" || g.last() < s.figures[oldest].last() {
				oldest = other
			}
		}
		delete(s.figures, oldest)
	}
	f = &figures{limit: limit}
	s.figures[strings.Clone(name)] = f
	return f
}

// ready counts the replicas that told of themselves around the given second.
func (s *series) ready(second int64) float64 {
	n := 0
	for _, f := range s.figures {
		if last := f.last(); last > second-sampleReach && last <= second+lateSample+ahead {
			n++
		}
	}
	return float64(n)
}

// busiest returns the highest CPU and memory of the replicas that told of
// themselves lately, in percent.
func (s *series) busiest(second int64) (cpu, mem float64) {
	cpu, mem = unknown, unknown
	for _, f := range s.figures {
		if last := len(f.list) - 1; last >= 0 && f.list[last].t > second-sampleReach {
			cpu, mem = higher(cpu, f.list[last].cpu), higher(mem, f.list[last].mem)
		}
	}
	return cpu, mem
}

// queue takes the router's sample of an app's queue. In the view of all apps a
// second shows the sum of what each app last told.
func (s *series) queue(p *point, r *record.Record, rev uint64) bool {
	var extra struct{ Inflight, Queued *float64 }
	if json.Unmarshal(r.Extra, &extra) != nil {
		return false
	}
	if old, ok := s.gauges[r.App]; ok && old.t > p.t {
		return false
	}
	s.gauges[strings.Clone(r.App)] = gauge{t: p.t, inflight: orUnknown(extra.Inflight), queued: orUnknown(extra.Queued)}
	p.inflight, p.queued, p.rev = unknown, unknown, rev
	for _, g := range s.gauges {
		if g.t > p.t-sampleReach {
			p.inflight, p.queued = sum(p.inflight, g.inflight), sum(p.queued, g.queued)
		}
	}
	return true
}

func orUnknown(v *float64) float64 {
	if v == nil {
		return unknown
	}
	return *v
}

// sum adds what is known.
func sum(a, b float64) float64 {
	switch {
	case math.IsNaN(a):
		return b
	case math.IsNaN(b):
		return a
	}
	return a + b
}

// event keeps an event of the platform or of the app.
func (s *series) event(r *record.Record, rev uint64) {
	var extra struct{ Event string }
	if json.Unmarshal(r.Extra, &extra) != nil || extra.Event == "" {
		return
	}
	if len(s.events) >= 2*maxEvents {
		s.events = append(s.events[:0], s.events[maxEvents+1:]...)
	}
	e := event{t: r.Time.UnixMilli(), name: cut(extra.Event, 100), msg: strings.Clone(cut(r.Msg, cutMsg)), rev: rev}
	if s.app == "" {
		e.app = strings.Clone(r.App)
	}
	s.events = append(s.events, e)
}

// anew forgets what is later than second.
func (s *series) anew(second int64) {
	s.points.until(second)
	for _, f := range s.figures {
		f.until(second)
	}
	for app, g := range s.gauges {
		if g.t > second {
			delete(s.gauges, app)
		}
	}
	s.events = slices.DeleteFunc(s.events, func(e event) bool { return e.t/1000 > second })
	s.routes, s.lastAt = routes{}, 0
}

// lastMinute returns the figures of the last 60 seconds, made once a second.
func (s *series) lastMinute(now int64) window {
	if s.lastAt != now {
		s.last, s.lastAt = s.points.window(now-60, now), now
	}
	return s.last
}

// trim lets go of replicas and queues that have been silent since the given second.
func (s *series) trim(before int64) {
	for replica, f := range s.figures {
		if f.last() < before {
			delete(s.figures, replica)
		}
	}
	for app, g := range s.gauges {
		if g.t < before {
			delete(s.gauges, app)
		}
	}
}
