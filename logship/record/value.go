package record

import (
	"strconv"
	"time"
	"unsafe"
)

// time reads a time; microseconds are kept, the zone becomes UTC.
func (s *scanner) time() (time.Time, bool) {
	at := s.i
	raw, ok := s.raw("a time")
	if !ok || raw == nil {
		return time.Time{}, ok
	}
	if t, ok := canonicalTime(raw); ok {
		return t, true
	}
	t, err := time.Parse(time.RFC3339Nano, string(raw))
	if err != nil {
		s.i = at
		return time.Time{}, s.fail("a time like 2026-01-02T15:04:05.000000Z")
	}
	return t.Truncate(time.Microsecond).UTC(), true
}

// canonicalTime reads 2006-01-02T15:04:05.000000Z. What it does not know for
// sure (leap days, other forms) it leaves to time.Parse.
func canonicalTime(b []byte) (time.Time, bool) {
	if len(b) != 27 || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' ||
		b[19] != '.' || b[26] != 'Z' {
		return time.Time{}, false
	}
	var bad bool
	two := func(i int) int64 {
		high, low := b[i]-'0', b[i+1]-'0'
		bad = bad || high > 9 || low > 9
		return int64(high)*10 + int64(low)
	}
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	micros := two(20)*10000 + two(22)*100 + two(24)
	if bad || year < 1 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	if day > 28 && (month == 2 || day > 30) && !(day == 31 && longMonth(month)) {
		return time.Time{}, false
	}
	seconds := (days(year, month, day)*24+hour)*3600 + minute*60 + second
	return time.Unix(seconds, micros*1000).UTC(), true
}

func longMonth(m int64) bool { return (m+m/8)%2 == 1 }

// days counts the days from 1970-01-01 to a date of the Gregorian calendar,
// with years that begin in March so that the leap day comes last.
func days(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}

func (s *scanner) id() (ID, bool) {
	at := s.i
	raw, ok := s.raw("a UUID")
	if !ok || raw == nil {
		return ID{}, ok
	}
	var id ID
	if !parseID(raw, &id) {
		s.i = at
		return ID{}, s.fail("a UUID")
	}
	return id, true
}

func (s *scanner) kind() (Kind, bool) {
	name, ok := s.text("a kind")
	return kindOf(name), ok
}

// level reads a name, or a number of Python's.
func (s *scanner) level() (Level, bool) {
	if c := s.peek(); c == '-' || c >= '0' && c <= '9' {
		n, ok := s.integer()
		return Level(min(max(n, 0), 50)), ok
	}
	name, ok := s.text("a level")
	if l := levelOf(name); l != LevelNone || !ok || name == "" {
		return l, ok
	}
	l, _ := ParseLevel(name) // an unknown name reads as none
	return l, true
}

// integer reads a whole number, or null as 0.
func (s *scanner) integer() (int, bool) {
	if s.null() {
		return 0, true
	}
	at := s.i
	digits, whole, ok := s.digits()
	if !ok {
		return 0, false
	}
	if !whole {
		s.i = at
		return 0, s.fail("a whole number")
	}
	if len(digits) <= 18 && digits[0] != '-' {
		n := 0
		for _, c := range digits {
			n = n*10 + int(c-'0')
		}
		return n, true
	}
	n, err := strconv.Atoi(string(digits))
	if err != nil {
		s.i = at
		return 0, s.fail("a whole number of 64 bits")
	}
	return n, true
}

var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// number reads a figure, or null as unknown.
func (s *scanner) number() (Number, bool) {
	if v, ok := s.quick(); ok {
		return Num(v), true
	}
	if s.null() {
		return Number{}, true
	}
	at := s.i
	raw, _, ok := s.digits()
	if !ok {
		return Number{}, false
	}
	v, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(raw), len(raw)), 64)
	if err != nil {
		s.i = at
		return Number{}, s.fail("a number of 64 bits")
	}
	return Num(v), true
}

// quick reads a figure of at most 15 digits without sign and exponent, which
// one division makes exact (both operands are exact in a float64). Of any
// other it reads nothing.
func (s *scanner) quick() (float64, bool) {
	var n int64
	i, point := s.i, -1
	for ; i < len(s.b) && i < s.i+16; i++ {
		c := s.b[i]
		if c-'0' <= 9 {
			n = n*10 + int64(c-'0')
			continue
		}
		if c != '.' || point >= 0 || i == s.i {
			break
		}
		point = i
	}
	if i == s.i || i >= len(s.b) || i == s.i+16 || s.b[i] != ',' && s.b[i] != '}' || i == point+1 {
		return 0, false
	}
	if s.b[s.i] == '0' && i > s.i+1 && point != s.i+1 {
		return 0, false // 01 is no number
	}
	s.i = i
	if point < 0 {
		return float64(n), true
	}
	return float64(n) / powers[i-point-1], true
}

// digits reads the text of a JSON number and tells whether it is whole.
func (s *scanner) digits() (raw []byte, whole, ok bool) {
	from := s.i
	if s.peek() == '-' {
		s.i++
	}
	switch c := s.peek(); {
	case c == '0':
		s.i++
	case c >= '1' && c <= '9':
		s.run()
	default:
		return nil, false, s.fail("a number")
	}
	whole = true
	if s.peek() == '.' {
		s.i++
		if whole = false; s.run() == 0 {
			return nil, false, s.fail("a digit")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		if whole = false; s.run() == 0 {
			return nil, false, s.fail("a digit")
		}
	}
	return s.b[from:s.i], whole, true
}

// run skips digits and counts them.
func (s *scanner) run() int {
	from := s.i
	for s.i < len(s.b) && s.b[s.i]-'0' <= 9 {
		s.i++
	}
	return s.i - from
}
