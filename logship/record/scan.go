package record

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// maxDepth bounds the nesting of extra and of unknown values.
const maxDepth = 512

// scanner walks over one line. Its methods return false once they failed and
// leave the place and the expectation in i and want.
type scanner struct {
	b    []byte
	i    int
	head uint64 // first bytes of the key that comes next; of inOrder alone
	want string
}

func (s *scanner) fail(want string) bool {
	s.want = want
	return false
}

func (s *scanner) err() error { return &SyntaxError{Offset: s.i, Want: s.want} }

// peek returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// space skips white space.
func (s *scanner) space() {
	if s.i < len(s.b) && s.b[s.i] > ' ' { // as nearly always
		return
	}
	s.spaces()
}

func (s *scanner) spaces() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// colon skips white space and a colon.
func (s *scanner) colon() bool {
	if s.space(); s.peek() != ':' {
		return s.fail("':'")
	}
	s.i++
	return true
}

// null skips the word null where it stands here.
func (s *scanner) null() bool {
	if s.peek() != 'n' {
		return false
	}
	return s.word("null")
}

func (s *scanner) word(w string) bool {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return s.fail("a value")
	}
	s.i += len(w)
	return true
}

// text reads a string, or null as "".
func (s *scanner) text(want string) (string, bool) {
	raw, ok := s.raw(want)
	if !ok || len(raw) == 0 {
		return "", ok
	}
	return unsafe.String(unsafe.SliceData(raw), len(raw)), true
}

// raw reads a string, or null as nothing; the result shares the line's memory
// unless the string holds an escape or invalid UTF-8.
func (s *scanner) raw(want string) ([]byte, bool) {
	if s.peek() != '"' {
		if want != "a key" && s.null() {
			return nil, true
		}
		return nil, s.fail(want)
	}
	from := s.i + 1
	i, ascii := from, true
	for {
		i = plainRun(s.b, i)
		if i >= len(s.b) {
			s.i = i
			return nil, s.fail("the end of a text")
		}
		switch c := s.b[i]; {
		case c == '"':
			if raw := s.b[from:i]; ascii || utf8.Valid(raw) {
				s.i = i + 1
				return raw, true
			}
			return s.unescape(from, from)
		case c >= utf8.RuneSelf:
			ascii = false
			i++
		case c == '\\':
			if !ascii {
				i = from // what is not ASCII has not been looked at
			}
			return s.unescape(from, i)
		default:
			s.i = i
			return nil, s.fail("a text without control characters")
		}
	}
}

const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plainRun returns the index of the first byte from i on that is not plain,
// eight bytes at a time.
func plainRun(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote := w ^ '"'*lows
		slash := w ^ '\\'*lows
		// Each term has the high bit of a byte set where that byte is a quote,
		// a backslash, below 0x20, or not ASCII; later bytes may be wrong, the first is not.
		if hit := (w | (w - 0x20*lows) | (quote - lows) | (slash - lows)) & highs; hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for i < len(b) && plain[b[i]] {
		i++
	}
	return i
}

// unescape reads on from a string that began at from; up to i it is plain.
func (s *scanner) unescape(from, i int) ([]byte, bool) {
	out := append(make([]byte, 0, len(s.b)-from), s.b[from:i]...)
	for {
		run := plainRun(s.b, i)
		out = append(out, s.b[i:run]...)
		if i = run; i >= len(s.b) {
			s.i = i
			return nil, s.fail("the end of a text")
		}
		switch c := s.b[i]; {
		case c == '"':
			s.i = i + 1
			return out, true
		case c == '\\':
			r, size := escape(s.b[i:])
			if size == 0 {
				s.i = i
				return nil, s.fail("an escape that JSON knows")
			}
			out = utf8.AppendRune(out, r)
			i += size
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(s.b[i:])
			out = utf8.AppendRune(out, r)
			i += size
		default:
			s.i = i
			return nil, s.fail("a text without control characters")
		}
	}
}

// escape reads the escape at the start of b; size 0 means that it is none.
func escape(b []byte) (r rune, size int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'n':
		return '\n', 2
	case 't':
		return '\t', 2
	case 'r':
		return '\r', 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'u':
		return unicodeEscape(b)
	}
	return 0, 0
}

// unicodeEscape reads \uXXXX and pairs of surrogates; a lone half is U+FFFD.
func unicodeEscape(b []byte) (r rune, size int) {
	first, ok := hex4(b)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(first) {
		return first, 6
	}
	if second, ok := hex4(b[6:]); ok {
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			return r, 12
		}
	}
	return utf8.RuneError, 6
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		v := hexValue[c]
		if v&0x80 != 0 {
			return 0, false
		}
		r = r<<4 | rune(v)
	}
	return r, true
}
