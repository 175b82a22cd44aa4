package record

import (
	"bytes"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// Append appends the canonical line of r, with its '\n', to dst and returns
// the extended buffer. Core fields and identity are always written, null
// where unknown; the others are left out where absent. Invalid UTF-8 is
// written as U+FFFD. Extra must be a valid JSON object.
func Append(dst []byte, r *Record) []byte {
	return append(appendObject(dst, r), '\n')
}

// MarshalJSON returns the canonical form of r without the line end.
func (r Record) MarshalJSON() ([]byte, error) {
	return appendObject(make([]byte, 0, 512), &r), nil
}

// UnmarshalJSON reads r as Decode does, from a copy of data.
func (r *Record) UnmarshalJSON(data []byte) error { return Decode(bytes.Clone(data), r) }

func appendObject(dst []byte, r *Record) []byte {
	dst = appendTime(append(dst, `{"ts":`...), r.Time)
	dst = append(dst, `,"id":`...)
	if r.ID.IsZero() {
		dst = append(dst, "null"...)
	} else {
		dst = append(r.ID.appendTo(append(dst, '"')), '"')
	}
	dst = appendName(append(dst, `,"kind":`...), r.Kind.String())
	dst = appendName(append(dst, `,"level":`...), r.Level.String())
	dst = appendString(append(dst, `,"tenant":`...), r.Tenant)
	dst = appendString(append(dst, `,"app":`...), r.App)
	dst = appendInt(append(dst, `,"release":`...), r.Release)
	dst = appendString(append(dst, `,"replica":`...), r.Replica)
	dst = appendOptional(dst, `,"method":`, r.Method)
	dst = append(dst, `,"url":`...)
	if r.URL == "" {
		dst = append(dst, "null"...)
	} else {
		dst = appendString(dst, r.URL)
	}
	dst = appendOptional(dst, `,"route":`, r.Route)
	dst = appendInt(append(dst, `,"status":`...), r.Status)
	dst = appendString(append(dst, `,"msg":`...), r.Msg)
	dst = appendNumber(append(dst, `,"cpu":`...), r.CPU)
	dst = appendNumber(append(dst, `,"disk":`...), r.Disk)
	dst = appendNumber(append(dst, `,"swap":`...), r.Swap)
	dst = appendNumber(append(dst, `,"mem":`...), r.Mem)
	return append(appendRest(dst, r), '}')
}

// appendRest appends the fields that are left out where absent.
func appendRest(dst []byte, r *Record) []byte {
	if r.Dur.Known {
		dst = appendNumber(append(dst, `,"dur":`...), r.Dur)
	}
	if r.Queue.Known {
		dst = appendNumber(append(dst, `,"queue":`...), r.Queue)
	}
	if r.CPUMs.Known {
		dst = appendNumber(append(dst, `,"cpu_ms":`...), r.CPUMs)
	}
	if r.DBMs.Known {
		dst = appendNumber(append(dst, `,"db_ms":`...), r.DBMs)
	}
	if r.Bytes.Known {
		dst = appendNumber(append(dst, `,"bytes":`...), r.Bytes)
	}
	dst = appendOptional(dst, `,"req":`, r.Req)
	dst = appendOptional(dst, `,"exc":`, r.Exc)
	if len(r.Extra) > 0 {
		dst = append(dst, `,"extra":`...)
		from := len(dst)
		dst = append(dst, r.Extra...)
		// A raw line end is only white space in valid JSON; on the wire it would end the record.
		for i := from; i < len(dst); i++ {
			if dst[i] == '\n' || dst[i] == '\r' {
				dst[i] = ' '
			}
		}
	}
	return dst
}

func appendOptional(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	return appendString(append(dst, key...), value)
}

// appendName appends a name that needs no escape, null for "".
func appendName(dst []byte, name string) []byte {
	if name == "" {
		return append(dst, "null"...)
	}
	dst = append(append(dst, '"'), name...)
	return append(dst, '"')
}

func appendInt(dst []byte, n int) []byte {
	if n == 0 {
		return append(dst, "null"...)
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// appendNumber appends the shortest decimal that reads back as n. Figures of
// at most three decimals, nearly all there are, take a path without strconv.
func appendNumber(dst []byte, n Number) []byte {
	v := n.Value
	if !n.Known || math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	if v >= 0 && v < 1e11 && !math.Signbit(v) {
		// thousandths < 1e14 has at most 15 digits, so its decimal is exact.
		thousandths := int64(v*1000 + 0.5)
		if float64(thousandths)/1000 == v {
			dst = strconv.AppendInt(dst, thousandths/1000, 10)
			return appendDecimals(dst, thousandths%1000)
		}
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

func appendDecimals(dst []byte, thousandths int64) []byte {
	if thousandths == 0 {
		return dst
	}
	a, b, c := byte(thousandths/100), byte(thousandths/10%10), byte(thousandths%10)
	switch {
	case c != 0:
		return append(dst, '.', '0'+a, '0'+b, '0'+c)
	case b != 0:
		return append(dst, '.', '0'+a, '0'+b)
	}
	return append(dst, '.', '0'+a)
}

// appendTime appends t with microseconds in UTC, null for the zero time and
// for years that RFC 3339 cannot write.
func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, "null"...)
	}
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return append(dst, "null"...)
	}
	hour, minute, second := t.Clock()
	micros := t.Nanosecond() / 1000
	text := [29]byte{0: '"', 5: '-', 8: '-', 11: 'T', 14: ':', 17: ':', 20: '.', 27: 'Z', 28: '"'}
	digits2(text[1:], year/100)
	digits2(text[3:], year%100)
	digits2(text[6:], int(month))
	digits2(text[9:], day)
	digits2(text[12:], hour)
	digits2(text[15:], minute)
	digits2(text[18:], second)
	digits2(text[21:], micros/10000)
	digits2(text[23:], micros/100%100)
	digits2(text[25:], micros%100)
	return append(dst, text[:]...)
}

func digits2(at []byte, n int) {
	at[0], at[1] = byte('0'+n/10), byte('0'+n%10)
}

// plain marks the bytes that stand in a JSON string as they are.
var plain = func() (t [256]bool) {
	for i := 0x20; i < utf8.RuneSelf; i++ {
		t[i] = i != '"' && i != '\\'
	}
	return t
}()

const hexDigits = "0123456789abcdef"

func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += size
			continue
		}
		dst = appendEscape(append(dst, s[from:i]...), c)
		i++
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\t':
		return append(dst, '\\', 't')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
