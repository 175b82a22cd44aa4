package persist

import (
	"encoding/binary"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

const (
	jsonbVersion = 1
	// maxDepth keeps the nesting far from what Postgres's stack can take.
	maxDepth = 256
	// maxDigits keeps a number far from the 131072 digits that numeric ends at.
	maxDigits = 300
)

// appendJSON writes extra as jsonb. What jsonb does not take (no JSON, a NUL,
// half a surrogate pair, a number beyond numeric) is kept as a JSON string.
func appendJSON(dst, extra []byte) []byte {
	if len(extra) == 0 {
		return append(dst, null...)
	}
	if !storable(extra) {
		extra = asString(extra)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(extra)+1))
	return append(append(dst, jsonbVersion), extra...)
}

func asString(extra []byte) []byte {
	text := make([]byte, 0, len(extra))
	for _, c := range extra {
		if c == 0 {
			text = append(text, visibleNUL...)
			continue
		}
		text = append(text, c)
	}
	quoted, err := json.Marshal(string(text))
	if err != nil { // a string can always be written
		return []byte(`"?"`)
	}
	return quoted
}

// storable reports whether jsonb takes extra. Beyond valid JSON it looks at
// the escapes, the depth and the numbers.
func storable(extra []byte) bool {
	if !json.Valid(extra) || !utf8.Valid(extra) {
		return false
	}
	depth := 0
	for i := 0; i < len(extra); {
		switch c := extra[i]; {
		case c == '"':
			end, ok := scanString(extra, i+1)
			if !ok {
				return false
			}
			i = end
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return false
			}
			i++
		case c == '}' || c == ']':
			depth--
			i++
		case c == '-' || c >= '0' && c <= '9':
			end, ok := scanNumber(extra, i)
			if !ok {
				return false
			}
			i = end
		default:
			i++
		}
	}
	return true
}

// scanString returns the place after the closing quote of a valid string.
func scanString(b []byte, i int) (end int, ok bool) {
	for b[i] != '"' {
		if b[i] != '\\' {
			i++
			continue
		}
		if b[i+1] != 'u' {
			i += 2
			continue
		}
		unit := hex4(b[i+2:])
		i += 6
		switch {
		case unit == 0, unit >= 0xdc00 && unit <= 0xdfff:
			return 0, false
		case unit >= 0xd800 && unit <= 0xdbff:
			if b[i] != '\\' || b[i+1] != 'u' {
				return 0, false
			}
			if low := hex4(b[i+2:]); low < 0xdc00 || low > 0xdfff {
				return 0, false
			}
			i += 6
		}
	}
	return i + 1, true
}

func hex4(b []byte) uint64 {
	n, err := strconv.ParseUint(string(b[:4]), 16, 32)
	if err != nil {
		return 0
	}
	return n
}

// scanNumber returns the place after a valid number.
func scanNumber(b []byte, i int) (end int, ok bool) {
	from, exponent := i, -1
	for i < len(b) && (b[i] >= '0' && b[i] <= '9' || b[i] == '-' || b[i] == '+' || b[i] == '.' || b[i]|0x20 == 'e') {
		if b[i]|0x20 == 'e' {
			exponent = i + 1
		}
		i++
	}
	if i-from > maxDigits {
		return 0, false
	}
	if exponent < 0 {
		return i, true
	}
	n, err := strconv.Atoi(string(b[exponent:i]))
	return i, err == nil && n >= -maxDigits && n <= maxDigits
}
