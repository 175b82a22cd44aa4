package alert

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kurama/paas"
)

// source is a condition's text made ready for the expression parser: units are
// taken off the numbers, names are brought to their canonical case. Positions
// are counted in runes.
type source struct {
	written string
	text    string
	origin  []int        // position in written of each rune of text
	units   map[int]unit // unit of the number that starts at a position of text
	allowed string       // what may stand in it, for messages
}

var (
	numberPattern = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?`)
	unitPattern   = regexp.MustCompile(`^\s*(%|ms|s|/s)`)
	quotedPattern = regexp.MustCompile(`^("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')`)
	wordPattern   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
)

// invalid returns the error for the rune at position pos of the text.
func (s *source) invalid(pos int, message string, args ...any) error {
	at := len([]rune(s.written))
	if pos >= 0 && pos < len(s.origin) {
		at = min(s.origin[pos], at)
	}
	return &paas.Invalid{Reason: fmt.Sprintf(message, args...) + fmt.Sprintf(" (character %d). ", at+1) + s.allowed, Text: s.written, At: at + 1}
}

// readUnits makes text, in which allowed may stand, ready for the parser.
func readUnits(text, allowed string) (*source, error) {
	s := &source{written: text, units: map[int]unit{}, allowed: allowed}
	pos := 0 // runes of written that are read
	for rest := text; rest != ""; {
		n, out := 0, ""
		switch {
		case quotedPattern.MatchString(rest):
			out = quotedPattern.FindString(rest)
			n = len(out)
		case numberPattern.MatchString(rest):
			var err error
			if n, out, err = s.number(rest, pos); err != nil {
				return nil, err
			}
		case wordPattern.MatchString(rest):
			word := wordPattern.FindString(rest)
			n, out = len(word), canonical(word)
			if strings.HasPrefix(strings.TrimLeft(rest[n:], " "), "(") && !operatorWord[out] {
				out = callMark + strings.ToLower(word)
			}
		case strings.HasPrefix(rest, "=="), strings.HasPrefix(rest, "!="), strings.HasPrefix(rest, ">="), strings.HasPrefix(rest, "<="):
			n, out = 2, rest[:2]
		case rest[0] == '=':
			s.put("=", pos)
			return nil, s.invalid(len(s.origin)-1, "A single = compares nothing: write ==")
		default:
			_, n = utf8.DecodeRuneInString(rest)
			out = rest[:n]
		}
		s.put(out, pos)
		pos += utf8.RuneCountInString(rest[:n])
		rest = rest[n:]
	}
	return s, nil
}

// put appends out, which was written at position pos.
func (s *source) put(out string, pos int) {
	for i := range []rune(out) {
		s.origin = append(s.origin, pos+i)
	}
	s.text += out
}

// number reads a number with the unit behind it. Seconds become milliseconds.
func (s *source) number(rest string, pos int) (n int, out string, err error) {
	out = numberPattern.FindString(rest)
	n = len(out)
	v, err := strconv.ParseFloat(out, 64)
	if err != nil || v > 1e15 {
		s.put(out, pos)
		return 0, "", s.invalid(len(s.origin)-len(out), "%s is too large a number", out)
	}
	out = strconv.FormatFloat(v, 'f', -1, 64)
	m := unitPattern.FindStringSubmatch(rest[n:])
	if m == nil || wordBehind(m[1], rest[n+len(m[0]):]) {
		return n, out, nil
	}
	n += len(m[0])
	at := len(s.origin)
	switch m[1] {
	case "%":
		s.units[at] = unitPercent
	case "ms":
		s.units[at] = unitMillis
	case "s":
		s.units[at], out = unitMillis, strconv.FormatFloat(v*1000, 'f', -1, 64)
	case "/s":
		s.units[at] = unitRate
	}
	return n, out, nil
}

// wordBehind reports whether what looks like a unit is the start of a word:
// the s of `5 status`.
func wordBehind(unit, rest string) bool {
	if unit == "%" || rest == "" {
		return false
	}
	r := rune(rest[0])
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// operatorWord holds the words that brackets may follow without a call.
var operatorWord = map[string]bool{"and": true, "or": true, "not": true, "contains": true, "matches": true, "startsWith": true, "endsWith": true, "in": true}

// canonical returns the name or operator that word means, whatever its case.
func canonical(word string) string {
	lower := strings.ToLower(word)
	switch lower {
	case "and", "or", "not":
		return lower
	}
	switch lower {
	case "contains", "matches":
		return lower
	case "startswith":
		return "startsWith"
	case "endswith":
		return "endsWith"
	}
	if _, ok := figureUnit(lower); ok || recordTexts[lower] != nil {
		return lower
	}
	if _, ok := recordNumbers[lower]; ok {
		return lower
	}
	if upper := strings.ToUpper(word); levels[upper] != 0 {
		return upper
	}
	return word
}

var spelledUnit = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)\s*(s|sec|secs|second|seconds|m|min|mins|minute|minutes|h|hour|hours)$`)

// parseFor reads the duration behind `for`.
func parseFor(text string) (time.Duration, error) {
	d, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
	if m := spelledUnit.FindStringSubmatch(strings.ToLower(text)); m != nil {
		d, err = time.ParseDuration(m[1] + m[2][:1])
	}
	if err != nil {
		return 0, &paas.Invalid{Reason: fmt.Sprintf("`for %s` is not a duration: write it as `for 30s`, `for 5m` or `for 1h`.", text)}
	}
	if d < 0 || d > maxFor {
		return 0, &paas.Invalid{Reason: fmt.Sprintf("`for %s` is out of bounds: 0 s to 24 h can be waited for.", text)}
	}
	return d, nil
}
