package alert

import (
	"encoding/json"
	"strings"
	"time"

	"kurama/logship/record"
)

const (
	sampleAge   = 5 * time.Second  // a sample older than this says nothing about now
	forgetAfter = 10 * time.Minute // an app without records
	keepRecords = 8                // warnings and errors kept per app for the mail
	minSpan     = 10 * time.Second // shortest time from which a rate is told
)

// appKey names an app.
type appKey struct{ tenant, app string }

// watch is what the service has seen of every app lately.
type watch struct {
	begun time.Time // when the first batch was taken
	taken time.Time // when the last one was
	alive time.Time // time of the newest record of any app or host
	host  time.Time // time of the newest host sample
	apps  map[appKey]*appWatch
	kinds kinds
}

type appWatch struct {
	last     time.Time
	replicas map[string]sample
	inflight sample
	window   window
	records  []line
	meters   map[string]*meter // by the name of their aggregate, with the rule's id
}

// sample is the last sample of one replica.
type sample struct {
	at                   time.Time
	cpu, mem, disk, swap record.Number
	inflight             record.Number
}

// line is a record as the mail shows it.
type line struct {
	at    time.Time
	level string
	text  string
}

func newWatch() *watch {
	return &watch{apps: map[appKey]*appWatch{}, kinds: kinds{first: map[appKey]map[string]time.Time{}}}
}

// observe takes a record that the stream took at the time at. Nothing is later
// than that, whatever the record's own clock says.
func (w *watch) observe(r *record.Record, at time.Time) {
	t := r.Time
	if t.After(at) {
		t = at
	}
	if w.taken.Sub(at) > setBack {
		w.anew(at)
	}
	w.taken = at
	if w.begun.IsZero() {
		w.begun = at
	}
	w.alive = latest(w.alive, t)
	if r.App == "" {
		if r.Kind == record.KindSample {
			w.host = latest(w.host, t)
		}
		return
	}
	a := w.app(r)
	a.last = latest(a.last, t)
	for _, m := range a.meters {
		m.observe(r, t)
	}
	if r.Exc != "" {
		w.kinds.see(appKey{r.Tenant, r.App}, r.Exc, t)
	}
	switch r.Kind {
	case record.KindSample:
		a.sample(r, t)
	case record.KindRequest, record.KindLog:
		a.window.add(t, r)
		if r.Level >= record.LevelWarning {
			a.remember(r, t)
		}
	}
}

// stepped reports whether the clock must have been stepped between the last
// batch and t. Where only the service slept, it has read what came meanwhile.
func (w *watch) stepped(t time.Time) bool {
	gap := t.Sub(w.taken)
	return !w.taken.IsZero() && (gap > tooOld || gap < -setBack)
}

// anew begins to watch at t, to which the clock was stepped: what was seen
// before lies in the future, where it would hide what comes now, or is older
// than it was.
func (w *watch) anew(t time.Time) {
	w.begun, w.taken, w.alive, w.host = t, t, time.Time{}, time.Time{}
	for _, a := range w.apps {
		clear(a.replicas)
		a.last, a.inflight, a.window = t, sample{}, window{}
		for _, m := range a.meters {
			clear(m.slices)
			m.begun = t
		}
	}
}

func (w *watch) app(r *record.Record) *appWatch { return w.appOf(appKey{r.Tenant, r.App}) }

func (w *watch) appOf(key appKey) *appWatch {
	a := w.apps[key]
	if a == nil {
		a = &appWatch{replicas: map[string]sample{}}
		w.apps[appKey{strings.Clone(key.tenant), strings.Clone(key.app)}] = a
	}
	return a
}

// meter lets the calls of a condition be measured from now on; begun is zero
// where that is from the first record on. Those of other conditions that say
// the same are shared; fresh are the others.
func (w *watch) meter(key appKey, c *Condition, begun time.Time) (fresh []*meter) {
	for _, call := range c.calls {
		a := w.appOf(key)
		if a.meters == nil {
			a.meters = map[string]*meter{}
		}
		if a.meters[call.name] == nil {
			m := newMeter(call)
			m.begun = begun
			a.meters[call.name] = m
			fresh = append(fresh, m)
		}
	}
	return fresh
}

// measure fills in the figures of the calls.
func (w *watch) measure(f Figures, key appKey, now time.Time) {
	a := w.apps[key]
	if a == nil {
		return
	}
	for name, m := range a.meters {
		if m.begun.IsZero() {
			m.begun = w.begun
		}
		if m.of.fn == "new_exception" {
			f[name] = float64(w.kinds.since(key, now.Add(-m.of.window), now))
		} else if v, ok := m.measure(now); ok {
			f[name] = v
		}
	}
}

func (a *appWatch) sample(r *record.Record, t time.Time) {
	s := sample{at: t, cpu: r.CPU, mem: r.Mem, disk: r.Disk, swap: r.Swap}
	if r.Replica == "router" {
		var extra struct {
			InFlight *float64 `json:"inflight"`
		}
		if json.Unmarshal(r.Extra, &extra) == nil && extra.InFlight != nil {
			s.inflight = record.Num(*extra.InFlight)
		}
		if !t.Before(a.inflight.at) {
			a.inflight = s
		}
		return
	}
	if old, ok := a.replicas[r.Replica]; !ok || !t.Before(old.at) {
		a.replicas[strings.Clone(r.Replica)] = s
	}
}

// remember keeps a warning or error for the mail; the oldest goes.
func (a *appWatch) remember(r *record.Record, t time.Time) {
	if len(a.records) == keepRecords {
		a.records = append(a.records[:0], a.records[1:]...)
	}
	a.records = append(a.records, line{at: t, level: r.Level.String(), text: plain(r.Msg, 200)})
}

// figures returns what is known about an app at now.
func (w *watch) figures(key appKey, now time.Time) Figures {
	f := Figures{}
	a := w.apps[key]
	if a == nil {
		a = &appWatch{} // an app that was never heard of has known figures too: no requests
	}
	a.resources(f, now)
	if _, ok := f["replicas"]; !ok && now.Sub(w.host) <= sampleAge {
		f["replicas"] = 0 // the agent is well and reports none
	}
	if span := min(now.Sub(w.begun), windowSeconds*time.Second); span >= minSpan && !w.begun.IsZero() && now.Sub(w.alive) <= sampleAge {
		f["requests"], f["rate"] = 0, 0 // records flow: none of them a request is an answer
	}
	a.requests(f, now, min(now.Sub(w.begun), windowSeconds*time.Second))
	w.measure(f, key, now)
	return f
}

// resources fills in the highest figures of the replicas' fresh samples.
func (a *appWatch) resources(f Figures, now time.Time) {
	for _, s := range a.replicas {
		if now.Sub(s.at) > sampleAge {
			continue
		}
		f["replicas"]++
		highest(f, "cpu", s.cpu)
		highest(f, "mem", s.mem)
		highest(f, "disk", s.disk)
		highest(f, "swap", s.swap)
	}
	if now.Sub(a.inflight.at) <= sampleAge {
		highest(f, "inflight", a.inflight.inflight)
	}
}

// requests fills in the figures of the last minute, of which the last span was
// watched.
func (a *appWatch) requests(f Figures, now time.Time, span time.Duration) {
	t := a.window.totals(now)
	if t.level > 0 {
		f["level"] = float64(t.level)
	}
	if t.requests == 0 {
		return
	}
	f["requests"] = float64(t.requests)
	f["error_rate"] = 100 * float64(t.errors) / float64(t.requests)
	if span >= minSpan {
		f["rate"] = float64(t.requests) / span.Seconds()
	}
	if t.status > 0 {
		f["status"] = float64(t.status)
	}
	if t.durs == nil {
		return
	}
	if q, err := t.durs.GetValuesAtQuantiles([]float64{0.50, 0.95, 0.99}); err == nil {
		f["p50"], f["p95"], f["p99"] = q[0], q[1], q[2]
	}
}

// forget drops the replicas and apps that have gone silent.
func (w *watch) forget(now time.Time) {
	for key, a := range w.apps {
		for id, s := range a.replicas {
			if now.Sub(s.at) > forgetAfter {
				delete(a.replicas, id)
			}
		}
		if now.Sub(a.last) > forgetAfter && len(a.meters) == 0 {
			delete(w.apps, key)
		}
	}
}

// records returns the last warnings and errors of an app, oldest first.
func (w *watch) records(key appKey) []line {
	if a := w.apps[key]; a != nil {
		return a.records
	}
	return nil
}

func highest(f Figures, name string, n record.Number) {
	if !n.Known {
		return
	}
	if old, ok := f[name]; !ok || n.Value > old {
		f[name] = n.Value
	}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// plain makes one printable line of at most n characters of text that an app
// wrote.
func plain(text string, n int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
	return cut(strings.Clone(strings.TrimSpace(text)), n)
}
