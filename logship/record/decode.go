package record

import (
	"bytes"
	"fmt"
)

// Decode reads one line, with or without its '\n', into r, which it resets
// first. Keys may come in any order; unknown ones are skipped, null is
// "absent", unknown names of levels and kinds read as none. Strings and Extra
// of r share the memory of line wherever they hold no escape. The error of a
// line that is no JSON object, or of a field of the wrong type, is a
// *SyntaxError.
func Decode(line []byte, r *Record) error {
	*r = Record{}
	s := scanner{b: line}
	if !s.object(r) || !s.ended() {
		return s.err()
	}
	return nil
}

// ended reports whether nothing but white space is left of the line.
func (s *scanner) ended() bool {
	s.space()
	return s.i == len(s.b) || s.fail("the end of the line")
}

// DecodeOwner is Decode for a reader that wants to know of whom and when a
// record is, and no more: of a canonical line it reads ts, id, kind, level,
// tenant and app, and leaves what stands behind them unread, faults included.
func DecodeOwner(line []byte, r *Record) error {
	*r = Record{}
	s := scanner{b: line}
	if s.ownerInOrder(r) {
		return nil
	}
	return Decode(line, r)
}

// SyntaxError says where a line is not a record.
type SyntaxError struct {
	Offset int    // bytes before the place
	Want   string // what should stand there
}

// Error names the place and what should stand there.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("not a record: byte %d should begin %s", e.Offset, e.Want)
}

// LineError is the error of Each about a line that is not a record.
type LineError struct {
	Line int // number of the line in the batch, from 1
	Err  error
}

// Error names the line and its fault.
func (e *LineError) Error() string { return fmt.Sprintf("line %d of the batch: %v", e.Line, e.Err) }

// Unwrap returns the fault itself.
func (e *LineError) Unwrap() error { return e.Err }

// Each decodes the lines of batch and calls fn with each record. The record
// is reused: fn copies what it keeps, and strings.Clones what outlives the
// batch. An error of fn ends Each and is returned. Lines that are not records
// are passed over; the first of them is returned as a *LineError after all
// others were handed to fn, so that one bad line never blocks a reader.
func Each(batch []byte, fn func(*Record) error) error {
	return EachLine(batch, func(_ []byte, r *Record) error { return fn(r) })
}

// EachLine is Each for a reader that also wants the line itself, without its
// '\n'.
func EachLine(batch []byte, fn func([]byte, *Record) error) error {
	return each(batch, func(line []byte, r *Record) (bool, error) { return true, Decode(line, r) }, fn)
}

// EachOf is Each for a reader of some kinds alone. Canonical lines of others
// are passed over unread, faults in them included: one that names its kind
// twice, which Append never writes, counts as of the first.
func EachOf(batch []byte, fn func(*Record) error, kinds ...Kind) error {
	var wanted kindSet
	for _, k := range kinds {
		wanted |= 1 << k
	}
	return each(batch, func(line []byte, r *Record) (bool, error) {
		if !wanted.mayHold(line) {
			return false, nil
		}
		err := Decode(line, r)
		return wanted&(1<<r.Kind) != 0, err
	}, func(_ []byte, r *Record) error { return fn(r) })
}

// EachWanted is EachLine for a reader to whom the beginning of a record often says
// enough: wants is asked with the line and what DecodeOwner reads of it. Where
// it does not want the record, the rest of a canonical line is left unread,
// faults in it included.
func EachWanted(batch []byte, wants func(line []byte, owner *Record) bool, fn func([]byte, *Record) error) error {
	return each(batch, func(line []byte, r *Record) (bool, error) { return decodeWanted(line, r, wants) }, fn)
}

// decodeWanted reads a line as far as it is wanted.
func decodeWanted(line []byte, r *Record, wants func([]byte, *Record) bool) (bool, error) {
	*r = Record{}
	s := scanner{b: line}
	if !s.ownerInOrder(r) {
		if err := Decode(line, r); err != nil {
			return false, err
		}
		return wants(line, r), nil
	}
	if !wants(line, r) {
		return false, nil
	}
	if !s.behindOwner(r) || !s.rest(r) || !s.ended() {
		return false, s.err()
	}
	return true, nil
}

// kindSet has the bit 1<<k of each kind k in it.
type kindSet uint16

// each hands the lines of batch to read, and to fn what that says to hand on.
func each(batch []byte, read func([]byte, *Record) (bool, error), fn func([]byte, *Record) error) error {
	var r Record
	var bad error
	for number := 1; len(batch) > 0; number++ {
		var line []byte
		if end := bytes.IndexByte(batch, '\n'); end >= 0 {
			line, batch = batch[:end], batch[end+1:]
		} else {
			line, batch = batch, nil
		}
		if len(line) == 0 {
			continue
		}
		wanted, err := read(line, &r)
		if err != nil && bad == nil {
			bad = &LineError{Line: number, Err: err}
		}
		if err != nil || !wanted {
			continue
		}
		if err := fn(line, &r); err != nil {
			return err
		}
	}
	return bad
}

// mayHold reports whether the line may be of a kind in s, without reading it:
// in a canonical line the kind stands at the same place always. Of any other
// line it cannot tell.
func (s kindSet) mayHold(line []byte) bool {
	const ts, id, kind = `{"ts":"`, `","id":"`, `","kind":"`
	const atID = len(ts) + len("2026-01-02T15:04:05.000000Z")
	const atKind = atID + len(id) + len("0192f0c5-2a6b-7c3d-8e4f-5a6b7c8d9e0f")
	const atName, longest = atKind + len(kind), len(`request"`)
	if len(line) < atName+longest || string(line[:len(ts)]) != ts || string(line[atID:atID+len(id)]) != id || string(line[atKind:atName]) != kind {
		return true
	}
	name, _, _ := bytes.Cut(line[atName:atName+longest], []byte{'"'})
	k := kindOf(string(name))
	return k == KindUnknown || s&(1<<k) != 0
}

// object reads the members of the line's object into r.
func (s *scanner) object(r *Record) bool {
	if s.space(); s.peek() != '{' {
		return s.fail("'{'")
	}
	from := s.i
	if !s.inOrder(r) {
		return false
	}
	if s.i == from {
		s.i++
		if s.space(); s.peek() == '}' {
			s.i++
			return true
		}
		if !s.anyMember(r) {
			return false
		}
	}
	return s.rest(r)
}

// rest reads the members that are left, up to the object's end.
func (s *scanner) rest(r *Record) bool {
	for {
		s.space()
		switch s.peek() {
		case ',':
			s.i++
		case '}':
			s.i++
			return true
		default:
			return s.fail("',' or '}'")
		}
		if !s.anyMember(r) {
			return false
		}
	}
}

// anyMember reads a key, whichever it is, and its value.
func (s *scanner) anyMember(r *Record) bool {
	s.space()
	key, ok := s.text("a key")
	if !ok || !s.colon() {
		return false
	}
	s.space()
	return s.member(fieldOf(key), r)
}

// member reads the value of a field.
func (s *scanner) member(f field, r *Record) (ok bool) {
	switch f {
	case fieldTS:
		r.Time, ok = s.time()
	case fieldID:
		r.ID, ok = s.id()
	case fieldKind:
		r.Kind, ok = s.kind()
	case fieldLevel:
		r.Level, ok = s.level()
	case fieldTenant:
		r.Tenant, ok = s.text("a text")
	case fieldApp:
		r.App, ok = s.text("a text")
	case fieldRelease:
		r.Release, ok = s.integer()
	case fieldReplica:
		r.Replica, ok = s.text("a text")
	case fieldMethod:
		r.Method, ok = s.text("a text")
	case fieldURL:
		r.URL, ok = s.text("a text")
	case fieldRoute:
		r.Route, ok = s.text("a text")
	case fieldStatus:
		r.Status, ok = s.integer()
	case fieldMsg:
		r.Msg, ok = s.text("a text")
	case fieldCPU:
		r.CPU, ok = s.number()
	case fieldDisk:
		r.Disk, ok = s.number()
	case fieldSwap:
		r.Swap, ok = s.number()
	case fieldMem:
		r.Mem, ok = s.number()
	case fieldDur:
		r.Dur, ok = s.number()
	case fieldQueue:
		r.Queue, ok = s.number()
	case fieldCPUMs:
		r.CPUMs, ok = s.number()
	case fieldDBMs:
		r.DBMs, ok = s.number()
	case fieldBytes:
		r.Bytes, ok = s.number()
	case fieldReq:
		r.Req, ok = s.text("a text")
	case fieldExc:
		r.Exc, ok = s.text("a text")
	case fieldExtra:
		r.Extra, ok = s.extra()
	default:
		ok = s.skip(0)
	}
	return ok
}
