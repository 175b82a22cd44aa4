package dashboard

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"kurama/internal/config"
	"kurama/logship/pipeline"
	"kurama/logship/record"
	"kurama/logship/stream"
)

// hub owns everything that is kept about apps and every topic that somebody
// watches. One goroutine runs it; others hand it functions through do.
type hub struct {
	cfg      config.Dashboard
	gate     *pipeline.Gate
	log      *slog.Logger
	counters *counters
	clock    func() time.Time

	fanout   *fanout
	batches  chan []stream.Batch
	commands chan func()
	done     chan struct{} // closed when run has ended

	series  map[key]*series
	host    figures
	topics  map[key]*topic
	taken   time.Time // when the stream took the last batch
	tick    uint64    // number of the frame that is being filled, from 1
	second  int64     // of the last frame
	seconds int       // history
	scratch []byte    // memory of a batch
}

func newHub(cfg config.Dashboard, gate *pipeline.Gate, c *counters, log *slog.Logger) *hub {
	seconds := max(int(cfg.History/time.Second), 60+sealAfter)
	return &hub{
		cfg: cfg, gate: gate, log: log, counters: c, clock: time.Now,
		fanout: newFanout(cfg.MaxClients), batches: make(chan []stream.Batch), commands: make(chan func()), done: make(chan struct{}),
		series: map[key]*series{}, host: figures{limit: seconds}, topics: map[key]*topic{}, tick: 1, seconds: seconds,
	}
}

// run serves the hub until ctx ends.
func (h *hub) run(ctx context.Context) {
	defer close(h.done)
	h.fanout.start()
	defer h.fanout.stop()
	frames := time.NewTicker(h.cfg.FrameInterval)
	defer frames.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case batches := <-h.batches:
			for i := range batches {
				h.take(&batches[i])
			}
		case command := <-h.commands:
			command()
		case <-frames.C:
			h.runOnce(h.clock())
		}
	}
}

// do runs fn on the hub's goroutine and waits for it; false where the hub has ended.
func (h *hub) do(fn func()) bool {
	ran := make(chan struct{})
	select {
	case h.commands <- func() { fn(); close(ran) }:
		<-ran
		return true
	case <-h.done:
		return false
	}
}

// take counts every record of a batch. Records are judged by the time at which
// the stream took the batch, so that history read back counts as it did live.
func (h *hub) take(b *stream.Batch) {
	now := h.clock()
	at := now
	if !b.At.IsZero() && b.At.Before(now) {
		at = b.At
	}
	if h.taken.Sub(at) > setBack {
		h.anew(at)
	}
	h.taken = at
	err := record.EachLine(b.Lines(&h.scratch), func(text []byte, r *record.Record) error {
		if h.gate.Takes(r) {
			h.record(r, text, at)
		}
		return nil
	})
	if err != nil {
		h.counters.malformed.Inc()
		h.log.Warn("a batch holds a line that is not a record", "seq", b.Seq, "host", b.Host, "err", err)
	}
	h.counters.records.Add(float64(b.Records))
}

// setBack is how far the clock must have gone back for that to be followed.
const setBack = 5 * time.Second

// anew forgets what lies behind at, to which the clock was set back: it would
// hide what comes now. The pages get all that is left.
func (h *hub) anew(at time.Time) {
	h.log.Warn("the clock was set back: what the live view knows of later is forgotten", "to", at.UTC())
	h.host.until(at.Unix())
	for _, s := range h.series {
		s.anew(at.Unix())
	}
	for _, t := range h.topics {
		t.fresh = true
		for c := range t.clients {
			c.cursor = 0
		}
	}
}

// record counts one record, which came as text, for its app and for the view
// of all apps.
func (h *hub) record(r *record.Record, text []byte, at time.Time) {
	if r.App == "" || r.Tenant == "" {
		if r.Kind == record.KindSample && r.App == "" {
			if now := at.Unix(); r.Time.Unix() >= now-lateSample && r.Time.Unix() <= now+ahead {
				h.host.host(figureOf(r, h.tick))
			}
		}
		return
	}
	one := h.open(key{r.Tenant, r.App})
	h.count(one, r, text, at)
	h.count(h.open(key{r.Tenant, ""}), r, text, at)
}

// count puts r into s. Each of the two series of a record judges alike, so
// what comes too late is told once, by the app's own.
func (h *hub) count(s *series, r *record.Record, text []byte, at time.Time) {
	inTime := true
	switch r.Kind {
	case record.KindRequest:
		inTime = s.request(r, text, at.Unix(), h.tick)
	case record.KindLog:
		s.log(r, text, h.tick)
	case record.KindSample:
		inTime = s.sample(r, at.Unix(), h.tick)
	case record.KindEvent:
		s.event(r, h.tick)
	default:
		return
	}
	if s.begun == 0 {
		s.begun = at.UnixMilli()
	}
	s.seen = at
	if !inTime && s.app != "" {
		h.counters.late.Inc()
	}
}

// open returns the series of k, making it where it is new.
func (h *hub) open(k key) *series {
	s := h.series[k]
	if s == nil {
		s = newSeries(k, h.seconds, h.cfg.LogLines)
		s.seen = h.clock()
		h.series[s.key] = s // with its own copies of the names
		h.counters.apps.Set(float64(len(h.series)))
	}
	return s
}

// runOnce sends a frame to every topic that is watched.
func (h *hub) runOnce(now time.Time) {
	turned := now.Unix() != h.second
	h.second = now.Unix()
	for k, t := range h.topics {
		s := h.open(k)
		if turned || t.fresh {
			h.refresh(s, now)
			t.fresh = false
		}
		t.send(h, s, now, turned)
	}
	h.tick++
	if turned && h.second%60 == 0 {
		h.forget(now)
	}
}

func (h *hub) refresh(s *series, now time.Time) { s.refresh(now, h.apps(s), h.tick) }

// apps returns the apps of the view of all apps, by name; none for that of one.
func (h *hub) apps(s *series) []*series {
	if s.app != "" {
		return nil
	}
	var apps []*series
	for k, other := range h.series {
		if k.tenant == s.tenant && k.app != "" {
			apps = append(apps, other)
		}
	}
	slices.SortFunc(apps, func(a, b *series) int { return strings.Compare(a.app, b.app) })
	return apps
}

// forget lets go of apps that have been silent for the whole history and that
// nobody watches.
func (h *hub) forget(now time.Time) {
	before := now.Add(-time.Duration(h.seconds) * time.Second)
	for k, s := range h.series {
		s.trim(before.Unix())
		if s.seen.Before(before) && h.topics[k] == nil {
			delete(h.series, k)
		}
	}
	h.counters.apps.Set(float64(len(h.series)))
}

// subscribe adds a client; its first frame is a snapshot.
func (h *hub) subscribe(c *client) bool {
	return h.do(func() {
		t := h.topics[c.key]
		if t == nil {
			t = newTopic()
			h.topics[key{strings.Clone(c.tenant), strings.Clone(c.app)}] = t
		}
		t.clients[c] = struct{}{}
		t.fresh = true
	})
}

// unsubscribe takes a client out; a topic without one is let go.
func (h *hub) unsubscribe(c *client) {
	h.do(func() {
		if t := h.topics[c.key]; t != nil {
			delete(t.clients, c)
			if len(t.clients) == 0 {
				delete(h.topics, c.key)
			}
		}
	})
}

// filter changes what a client gets of the live log; its next frame holds the
// newest lines that pass.
func (h *hub) filter(c *client, f filter) {
	h.do(func() { c.filter, c.refilter = f, true })
}
