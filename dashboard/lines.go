package dashboard

import (
	"unicode/utf8"

	"kurama/logship/record"
)

// Longer texts of a record are cut in frames: a frame is for looking at, the
// whole record is in the logs. Bytes.
const (
	cutMsg   = 2 << 10
	cutURL   = 1 << 10
	cutExc   = 4 << 10
	cutExtra = 2 << 10
)

// line is one record of the live log, ready to send.
type line struct {
	seq   uint64 // order of arrival within the app
	rev   uint64 // frame in which it arrived
	level record.Level
	kind  record.Kind
	json  []byte
}

// texts reads the route and the message from the line, for the filters of the
// few lines that a frame looks at: keeping them apart would cost each record.
func (l *line) texts() (route, msg string) {
	var r record.Record
	_ = record.Decode(l.json, &r) // it was read before
	return r.Route, r.Msg
}

// ring keeps the newest lines of one sort.
type ring struct {
	list  []line
	limit int
	total uint64 // ever added
}

// add puts r, which came as text, in the ring; the buffer of the line that
// falls out is used again.
func (g *ring) add(r *record.Record, text []byte, seq, rev uint64) {
	var l *line
	if len(g.list) < g.limit {
		g.list = append(g.list, line{})
		l = &g.list[len(g.list)-1]
	} else {
		l = &g.list[g.total%uint64(g.limit)]
	}
	g.total++
	l.json = appendShort(l.json[:0], r, text)
	l.seq, l.rev, l.level, l.kind = seq, rev, r.Level, r.Kind
}

// appendShort appends the record as JSON: as it came where it is short, else
// with its long texts cut.
func appendShort(dst []byte, r *record.Record, text []byte) []byte {
	if len(r.Msg) <= cutMsg && len(r.URL) <= cutURL && len(r.Exc) <= cutExc && len(r.Extra) <= cutExtra && utf8.Valid(text) {
		return append(dst, text...)
	}
	short := shorten(*r)
	dst = record.Append(dst, &short)
	return dst[:len(dst)-1] // the newline
}

// newest calls fn from the newest line to the oldest until it returns false.
func (g *ring) newest(fn func(*line) bool) {
	n := uint64(len(g.list))
	for i := uint64(1); i <= n; i++ {
		if !fn(&g.list[(g.total-i)%uint64(g.limit)]) {
			return
		}
	}
}

func shorten(r record.Record) record.Record {
	r.Msg, r.URL, r.Exc = cut(r.Msg, cutMsg), cut(r.URL, cutURL), cut(r.Exc, cutExc)
	if len(r.Extra) > cutExtra {
		r.Extra = nil
	}
	return r
}

// cut shortens s to at most limit bytes and a mark, between two characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + " …"
}

// lines is the live log of an app. Requests that went well have a ring of
// their own: on a busy app they would otherwise push out what the app says.
type lines struct {
	quiet, told ring // requests below WARNING; everything else
	seq         uint64
}

func newLines(perFrame int) lines {
	return lines{quiet: ring{limit: 5 * perFrame}, told: ring{limit: 5 * perFrame}}
}

func (ls *lines) add(r *record.Record, text []byte, rev uint64) {
	ls.seq++
	if r.Kind == record.KindRequest && r.Level < record.LevelWarning {
		ls.quiet.add(r, text, ls.seq, rev)
		return
	}
	ls.told.add(r, text, ls.seq, rev)
}

// pick returns at most limit of the newest lines after frame rev that pass f,
// oldest first, and how many more passed.
func (ls *lines) pick(rev uint64, f *filter, limit int) (picked []*line, more int) {
	var found [2][]*line
	for i, g := range []*ring{&ls.told, &ls.quiet} {
		g.newest(func(l *line) bool {
			if l.rev <= rev {
				return false
			}
			if !f.passes(l) {
				return true
			}
			if len(picked)+len(found[0])+len(found[1]) < limit {
				found[i] = append(found[i], l)
			} else {
				more++
			}
			return true
		})
	}
	return inOrder(found[0], found[1]), more
}

// inOrder merges two runs that are newest first into one that is oldest first.
func inOrder(a, b []*line) []*line {
	all := make([]*line, 0, len(a)+len(b))
	for len(a) > 0 || len(b) > 0 {
		if len(b) == 0 || (len(a) > 0 && a[len(a)-1].seq < b[len(b)-1].seq) {
			all, a = append(all, a[len(a)-1]), a[:len(a)-1]
		} else {
			all, b = append(all, b[len(b)-1]), b[:len(b)-1]
		}
	}
	return all
}
