package dashboard

import (
	"math"
	"strconv"

	"kurama/logship/record"
)

// point is one second of an app: what was asked of it and what it had.
type point struct {
	t                int64 // the second, Unix time; 0 for an unused slot
	req              int
	classes          [4]int // answers of 2xx (and 1xx), 3xx, 4xx, 5xx; without an answer counts as 5xx
	p50, p95, p99    float64
	inflight, queued float64
	replicas         float64
	sketch           *sketch // nil once sealed
	dirty            bool    // the sketch holds more than the quantiles tell
	rev              uint64  // frame in which the point last changed
}

// quantiles brings p50, p95 and p99 up to date.
func (p *point) quantiles() {
	if !p.dirty {
		return
	}
	p.p50, p.p95, p.p99 = p.sketch.quantile(0.50), p.sketch.quantile(0.95), p.sketch.quantile(0.99)
	p.dirty = false
}

// append writes the point as in docs/design.md section 9.
func (p *point) append(dst []byte) []byte {
	p.quantiles()
	dst = append(dst, `{"t":`...)
	dst = strconv.AppendInt(dst, p.t, 10)
	dst = appendCount(dst, `,"req":`, p.req)
	for i, name := range [4]string{`,"s2":`, `,"s3":`, `,"s4":`, `,"s5":`} {
		dst = appendCount(dst, name, p.classes[i])
	}
	dst = appendFigure(append(dst, `,"p50":`...), p.p50)
	dst = appendFigure(append(dst, `,"p95":`...), p.p95)
	dst = appendFigure(append(dst, `,"p99":`...), p.p99)
	dst = appendFigure(append(dst, `,"inflight":`...), p.inflight)
	dst = appendFigure(append(dst, `,"queued":`...), p.queued)
	dst = appendFigure(append(dst, `,"replicas":`...), p.replicas)
	return append(dst, '}')
}

func appendCount(dst []byte, name string, n int) []byte {
	return strconv.AppendInt(append(dst, name...), int64(n), 10)
}

// class returns the index of a status in point.classes.
func class(status int) int {
	switch {
	case status >= 100 && status < 300:
		return 0
	case status >= 300 && status < 400:
		return 1
	case status >= 400 && status < 500:
		return 2
	}
	return 3
}

// sealAfter is how many seconds a point keeps its sketch: the window of 60 s
// needs that of its seconds, and a request that took long is counted in the
// second in which it came.
const sealAfter = 90

// points is a ring of seconds. The slot of a second is its time modulo the
// length; a slot belongs to one second at a time.
type points struct {
	slots  []point
	newest int64
}

func newPoints(seconds int) *points { return &points{slots: make([]point, seconds)} }

// at returns the point of a second, making it where it is new; nil where the
// second lies before all that the ring keeps.
func (ps *points) at(second int64) *point {
	if second <= ps.newest-int64(len(ps.slots)) || second <= 0 {
		return nil
	}
	if second > ps.newest {
		ps.seal(second)
	}
	p := &ps.slots[second%int64(len(ps.slots))]
	if p.t != second {
		*p = point{t: second, p50: unknown, p95: unknown, p99: unknown,
			inflight: unknown, queued: unknown, replicas: unknown}
	}
	return p
}

// seal moves the newest second on and lets go of the sketches that it leaves behind.
func (ps *points) seal(second int64) {
	from := max(ps.newest-sealAfter, second-sealAfter-int64(len(ps.slots)), 1)
	for s := from; s <= second-sealAfter; s++ {
		if p := &ps.slots[s%int64(len(ps.slots))]; p.t == s && p.sketch != nil {
			p.quantiles()
			p.sketch = nil
		}
	}
	ps.newest = second
}

// until forgets what is later than second.
func (ps *points) until(second int64) {
	for i := range ps.slots {
		if ps.slots[i].t > second {
			ps.slots[i] = point{}
		}
	}
	ps.newest = min(ps.newest, second)
}

// request counts a request in its second; false where it is too old for that.
func (ps *points) request(r *record.Record, rev uint64) bool {
	p := ps.at(r.Time.Unix())
	if p == nil {
		return false
	}
	if p.sketch == nil && p.req == 0 {
		p.sketch = newSketch()
	}
	p.req++
	p.classes[class(r.Status)]++
	if p.sketch != nil && r.Dur.Known {
		p.sketch.add(r.Dur.Value)
		p.dirty = true
	}
	p.rev = rev
	return true
}

// each calls fn for the points of (after, until], oldest first.
func (ps *points) each(after, until int64, fn func(*point)) {
	until = min(until, ps.newest)
	for s := max(after+1, until-int64(len(ps.slots))+1, 1); s <= until; s++ {
		if p := &ps.slots[s%int64(len(ps.slots))]; p.t == s {
			fn(p)
		}
	}
}

// requests returns how many came in a second.
func (ps *points) requests(second int64) int {
	if p := &ps.slots[second%int64(len(ps.slots))]; p.t == second {
		return p.req
	}
	return 0
}

// window sums up the seconds of (after, until].
func (ps *points) window(after, until int64) window {
	w := window{seconds: until - after, p50: unknown, p95: unknown, p99: unknown, replicas: unknown}
	sum := newSketch()
	ps.each(after, until, func(p *point) {
		w.requests += p.req
		w.errors += p.classes[3]
		sum.merge(p.sketch)
		if !math.IsNaN(p.replicas) && p.t > until-sampleReach {
			w.replicas = p.replicas
		}
	})
	w.p50, w.p95, w.p99 = sum.quantile(0.50), sum.quantile(0.95), sum.quantile(0.99)
	return w
}

// window holds the figures of the last seconds.
type window struct {
	seconds       int64
	requests      int
	errors        int
	p50, p95, p99 float64
	replicas      float64 // at its end
}

func (w window) rate() float64 { return float64(w.requests) / float64(w.seconds) }

func (w window) append(dst []byte) []byte {
	dst = appendCount(dst, `{"seconds":`, int(w.seconds))
	dst = appendCount(dst, `,"requests":`, w.requests)
	dst = appendFigure(append(dst, `,"rate":`...), w.rate())
	dst = appendCount(dst, `,"errors":`, w.errors)
	dst = appendFigure(append(dst, `,"p50":`...), w.p50)
	dst = appendFigure(append(dst, `,"p95":`...), w.p95)
	dst = appendFigure(append(dst, `,"p99":`...), w.p99)
	return append(dst, '}')
}
