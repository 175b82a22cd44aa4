package record

import (
	"encoding/binary"
	"time"
)

// inOrder reads members of the line's object as long as they stand in the
// canonical order with no white space before their keys, as Append and
// Kurama's clients write them. It stops in front of what follows, for object to go on there;
// false means that a value could not be read.
func (s *scanner) inOrder(r *Record) bool {
	return s.ownerMembers(r) && s.behindOwner(r)
}

// behindOwner is inOrder from release on.
func (s *scanner) behindOwner(r *Record) bool {
	return s.integerOf(fieldRelease, &r.Release) &&
		s.textOf(fieldReplica, &r.Replica) && s.textOf(fieldMethod, &r.Method) && s.textOf(fieldURL, &r.URL) &&
		s.textOf(fieldRoute, &r.Route) && s.integerOf(fieldStatus, &r.Status) && s.textOf(fieldMsg, &r.Msg) &&
		s.numberOf(fieldCPU, &r.CPU) && s.numberOf(fieldDisk, &r.Disk) && s.numberOf(fieldSwap, &r.Swap) &&
		s.numberOf(fieldMem, &r.Mem) && s.restInOrder(r)
}

// ownerMembers reads the members up to app.
func (s *scanner) ownerMembers(r *Record) bool {
	if len(s.b)-s.i <= 8 {
		return true
	}
	s.head = binary.LittleEndian.Uint64(s.b[s.i+1:])
	return s.timeOf(&r.Time) && s.idOf(&r.ID) && s.kindOf(&r.Kind) && s.levelOf(&r.Level) &&
		s.textOf(fieldTenant, &r.Tenant) && s.textOf(fieldApp, &r.App)
}

// ownerInOrder reports whether the line begins with the members up to app, all
// of them and in order, and another one stands behind them.
func (s *scanner) ownerInOrder(r *Record) bool {
	return s.peek() == '{' && s.ownerMembers(r) && s.head != 0 && r.App != "" && !r.Time.IsZero() && !r.ID.IsZero()
}

// restInOrder reads what is left out where absent.
func (s *scanner) restInOrder(r *Record) bool {
	return s.head == 0 || s.numberOf(fieldDur, &r.Dur) && s.numberOf(fieldQueue, &r.Queue) && s.numberOf(fieldCPUMs, &r.CPUMs) &&
		s.numberOf(fieldDBMs, &r.DBMs) && s.numberOf(fieldBytes, &r.Bytes) &&
		s.textOf(fieldReq, &r.Req) && s.textOf(fieldExc, &r.Exc)
}

// separator looks at what stands behind a value: in front of another key it
// holds that one's first bytes ready.
func (s *scanner) separator() {
	s.head = 0 // as no key begins
	if len(s.b)-s.i > 8 && s.b[s.i] == ',' {
		s.head = binary.LittleEndian.Uint64(s.b[s.i+1:])
	}
}

// key passes over what separates, the key of f and its colon, where they come next.
func (s *scanner) key(f field) bool {
	h := &keyHeads[f]
	return (s.head^h.word)&h.mask == 0 && s.keyRest(h)
}

func (s *scanner) keyRest(h *keyHead) bool {
	end := s.i + 1 + h.size
	if len(s.b) < end || string(s.b[end-len(h.rest):end]) != h.rest {
		return false
	}
	s.i = end
	s.space()
	return true
}

func (s *scanner) timeOf(to *time.Time) (ok bool) {
	if !s.key(fieldTS) {
		return true
	}
	const size = len(`"2026-01-02T15:04:05.000000Z"`)
	if b := s.b[s.i:]; len(b) > size && b[0] == '"' && b[size-1] == '"' {
		if *to, ok = canonicalTime(b[1 : size-1]); ok {
			s.i += size
		}
	}
	if !ok {
		*to, ok = s.time()
	}
	s.separator()
	return ok
}

func (s *scanner) idOf(to *ID) (ok bool) {
	if !s.key(fieldID) {
		return true
	}
	const size = len(`"0192f0c5-2a6b-7c3d-8e4f-5a6b7c8d9e0f"`)
	if b := s.b[s.i:]; len(b) > size && b[0] == '"' && b[size-1] == '"' && parseID(b[1:size-1], to) {
		s.i += size
		s.separator()
		return true
	}
	*to, ok = s.id()
	s.separator()
	return ok
}

func (s *scanner) kindOf(to *Kind) (ok bool) {
	if !s.key(fieldKind) {
		return true
	}
	*to, ok = s.kind()
	s.separator()
	return ok
}

func (s *scanner) levelOf(to *Level) (ok bool) {
	if !s.key(fieldLevel) {
		return true
	}
	*to, ok = s.level()
	s.separator()
	return ok
}

func (s *scanner) textOf(f field, to *string) (ok bool) {
	if !s.key(f) {
		return true
	}
	*to, ok = s.text("a text")
	s.separator()
	return ok
}

func (s *scanner) integerOf(f field, to *int) (ok bool) {
	if !s.key(f) {
		return true
	}
	*to, ok = s.integer()
	s.separator()
	return ok
}

func (s *scanner) numberOf(f field, to *Number) (ok bool) {
	if !s.key(f) {
		return true
	}
	*to, ok = s.number()
	s.separator()
	return ok
}
