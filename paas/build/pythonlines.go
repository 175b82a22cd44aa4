package build

import "strings"

// logicalLines splits Python source into logical lines: comments are gone, the
// content of strings is gone, and what brackets or backslashes continue is on
// one line. It never fails: of text that is not Python it makes some lines.
func logicalLines(source string) []string {
	s := pythonScanner{rest: strings.ReplaceAll(source, "\r\n", "\n")}
	for s.rest != "" {
		s.step()
	}
	s.end()
	return s.lines
}

type pythonScanner struct {
	rest  string
	line  strings.Builder
	depth int // of brackets
	lines []string
}

func (s *pythonScanner) step() {
	c := s.rest[0]
	switch {
	case c == '#':
		s.skip(indexOr(s.rest, "\n", len(s.rest)))
		return
	case c == '"' || c == '\'':
		s.text(c)
		return
	case strings.HasPrefix(s.rest, "\\\n"):
		s.skip(2)
		s.line.WriteByte(' ')
		return
	case c == '\n' && s.depth > 0:
		s.line.WriteByte(' ')
	case c == '\n':
		s.end()
	default:
		switch c {
		case '(', '[', '{':
			s.depth++
		case ')', ']', '}':
			s.depth = max(0, s.depth-1)
		}
		s.line.WriteByte(c)
	}
	s.skip(1)
}

// text passes a string literal over, leaving an empty one in its place.
func (s *pythonScanner) text(quote byte) {
	s.line.WriteString(`""`)
	triple := strings.Repeat(string(quote), 3)
	if strings.HasPrefix(s.rest, triple) {
		s.skip(3)
		s.until(triple, false)
		return
	}
	s.skip(1)
	s.until(string(quote), true)
}

// until skips behind the next closing that no backslash hides. A literal of
// one line ends with its line, closed or not.
func (s *pythonScanner) until(closing string, oneLine bool) {
	for s.rest != "" {
		switch {
		case s.rest[0] == '\\':
			s.skip(min(2, len(s.rest)))
		case strings.HasPrefix(s.rest, closing):
			s.skip(len(closing))
			return
		case oneLine && s.rest[0] == '\n':
			return
		default:
			s.skip(1)
		}
	}
}

func (s *pythonScanner) skip(n int) { s.rest = s.rest[n:] }

func (s *pythonScanner) end() {
	s.lines = append(s.lines, s.line.String())
	s.line.Reset()
	s.depth = 0
}

func indexOr(s, sub string, otherwise int) int {
	if i := strings.Index(s, sub); i >= 0 {
		return i
	}
	return otherwise
}
