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
	if !s.object(r) {
		return s.err()
	}
	s.space()
	if s.i != len(s.b) {
		s.fail("the end of the line")
		return s.err()
	}
	return nil
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
		if err := Decode(line, &r); err != nil {
			if bad == nil {
				bad = &LineError{Line: number, Err: err}
			}
			continue
		}
		if err := fn(&r); err != nil {
			return err
		}
	}
	return bad
}

// object reads the members of the line's object into r.
func (s *scanner) object(r *Record) bool {
	if !s.expect('{') {
		return false
	}
	if s.space(); s.peek() == '}' {
		s.i++
		return true
	}
	for {
		s.space()
		key, ok := s.text("a key")
		if !ok || !s.expect(':') {
			return false
		}
		s.space()
		if !s.member(key, r) {
			return false
		}
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
	}
}

// member reads the value of one key.
func (s *scanner) member(key string, r *Record) (ok bool) {
	switch key {
	case "ts":
		r.Time, ok = s.time()
	case "id":
		r.ID, ok = s.id()
	case "kind":
		r.Kind, ok = s.kind()
	case "level":
		r.Level, ok = s.level()
	case "tenant":
		r.Tenant, ok = s.text("a text")
	case "app":
		r.App, ok = s.text("a text")
	case "release":
		r.Release, ok = s.integer()
	case "replica":
		r.Replica, ok = s.text("a text")
	case "method":
		r.Method, ok = s.text("a text")
	case "url":
		r.URL, ok = s.text("a text")
	case "route":
		r.Route, ok = s.text("a text")
	case "status":
		r.Status, ok = s.integer()
	case "msg":
		r.Msg, ok = s.text("a text")
	case "cpu":
		r.CPU, ok = s.number()
	case "disk":
		r.Disk, ok = s.number()
	case "swap":
		r.Swap, ok = s.number()
	case "mem":
		r.Mem, ok = s.number()
	case "dur":
		r.Dur, ok = s.number()
	case "queue":
		r.Queue, ok = s.number()
	case "cpu_ms":
		r.CPUMs, ok = s.number()
	case "req":
		r.Req, ok = s.text("a text")
	case "exc":
		r.Exc, ok = s.text("a text")
	case "extra":
		r.Extra, ok = s.extra()
	default:
		ok = s.skip(0)
	}
	return ok
}
