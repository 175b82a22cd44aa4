package dashboard

import "time"

// maxBehind is how many frames a client may lag and still get what it missed
// as one merged frame; beyond, it gets a snapshot. It bounds the different
// frames that are built for a topic at a time.
const maxBehind = 16

// topic is what some clients watch. Its frames are built once for all clients
// that saw the same frame last.
type topic struct {
	clients map[*client]struct{}
	fresh   bool // a client came: the parts made once a second are to be made now
	marks   [maxBehind + 2]mark
	built   map[uint64]*built // by the frame seen last; of this tick
}

// mark remembers how many lines the live log had counted at the end of a frame.
type mark struct{ tick, lines uint64 }

// built is one frame: head and tail enclose the logs, which differ by filter.
type built struct {
	frame      frame
	head, tail []byte
	empty      bool // nothing but its time
	messages   map[filter][]byte
}

func newTopic() *topic { return &topic{clients: map[*client]struct{}{}} }

// send gives each client what is new to it. A client whose last frame still
// waits is passed over: its next frame holds this one's news too.
func (t *topic) send(h *hub, s *series, now time.Time, beat bool) {
	t.built = map[uint64]*built{}
	var list []delivery
	for c := range t.clients {
		if c.pending.Load() {
			c.behind = true
			continue
		}
		since := c.cursor
		if h.tick-since > maxBehind {
			since = 0
		}
		m := t.message(h, s, now, since, c, beat)
		if m != nil {
			c.pending.Store(true)
			if list = append(list, delivery{c, m}); len(list) == handAtOnce {
				h.fanout.queue <- list
				list = nil
			}
			h.counters.frames.Inc()
			if c.behind {
				h.counters.merged.Inc()
			}
		}
		c.cursor, c.behind, c.refilter = h.tick, false, false
	}
	if len(list) > 0 {
		h.fanout.queue <- list
	}
	t.marks[h.tick%uint64(len(t.marks))] = mark{h.tick, s.lines.seq}
	t.built = nil
}

// message returns the frame for a client that saw frame since last; nil where
// there is nothing to tell and the second is the same.
func (t *topic) message(h *hub, s *series, now time.Time, since uint64, c *client, beat bool) []byte {
	b := t.built[since]
	if b == nil {
		b = h.build(s, now, since)
		t.built[since] = b
	}
	if m := b.messages[c.filter]; m != nil && !c.refilter {
		return m
	}
	logs, dropped := t.logs(h, s, since, c)
	if b.empty && len(logs) == 0 && dropped == 0 && !beat && !c.refilter {
		return nil
	}
	data := append([]byte(nil), b.head...)
	if c.refilter {
		data = append(data, `,"relogged":true`...)
	}
	data = b.frame.logs(data, logs, dropped)
	m := textFrame(append(data, b.tail...))
	h.counters.built.Inc()
	if !c.refilter {
		b.messages[c.filter] = m
	}
	return m
}

// logs picks the lines for a client and counts those that it does not get.
func (t *topic) logs(h *hub, s *series, since uint64, c *client) ([]*line, uint64) {
	from := since
	if c.refilter {
		from = 0
	}
	picked, more := s.lines.pick(from, &c.filter, h.cfg.LogLines)
	if from == 0 {
		return picked, 0 // history: nothing of it was missed
	}
	if c.filter != (filter{}) {
		return picked, uint64(more)
	}
	m := t.marks[since%uint64(len(t.marks))]
	if m.tick != since {
		return picked, uint64(more)
	}
	return picked, s.lines.seq - m.lines - uint64(len(picked))
}

// build makes all of a frame but its logs.
func (h *hub) build(s *series, now time.Time, since uint64) *built {
	f := frame{now: now, since: since, history: int64(h.cfg.History / time.Second)}
	b := &built{frame: f, messages: map[filter][]byte{}}
	head := f.header(nil, s)
	opened := len(head)
	head = f.points(head, s)
	head = f.figures(head, s)
	head = f.host(head, &h.host)
	b.head = f.parts(head, s)
	b.tail = f.apps(f.events(nil, s), s)
	if f.snapshot() {
		b.tail = f.rates(b.tail, h.apps(s))
	}
	b.empty = len(b.head) == opened && len(b.tail) == 0
	b.tail = append(b.tail, '}')
	return b
}
