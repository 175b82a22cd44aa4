package record

// extra reads an object, which shares the line's memory, or null as nil.
func (s *scanner) extra() ([]byte, bool) {
	if s.null() {
		return nil, true
	}
	if s.peek() != '{' {
		return nil, s.fail("an object")
	}
	from := s.i
	if !s.skip(0) {
		return nil, false
	}
	return s.b[from:s.i:s.i], true
}

// skip checks one value and passes over it.
func (s *scanner) skip(depth int) bool {
	if depth > maxDepth {
		return s.fail("less nesting")
	}
	switch c := s.peek(); c {
	case '"':
		return s.skipText()
	case '{':
		return s.skipMany(depth, '}', true)
	case '[':
		return s.skipMany(depth, ']', false)
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	}
	_, _, ok := s.digits()
	return ok
}

// skipText passes over a string without building it.
func (s *scanner) skipText() bool {
	for i := s.i + 1; ; {
		if i = plainRun(s.b, i); i >= len(s.b) {
			s.i = i
			return s.fail("the end of a text")
		}
		switch c := s.b[i]; {
		case c == '"':
			s.i = i + 1
			return true
		case c == '\\':
			_, size := escape(s.b[i:])
			if size == 0 {
				s.i = i
				return s.fail("an escape that JSON knows")
			}
			i += size
		case c < 0x20:
			s.i = i
			return s.fail("a text without control characters")
		default:
			i++
		}
	}
}

// skipMany passes over an object (keyed) or an array.
func (s *scanner) skipMany(depth int, end byte, keyed bool) bool {
	s.i++
	if s.space(); s.peek() == end {
		s.i++
		return true
	}
	for {
		s.space()
		if keyed {
			if s.peek() != '"' {
				return s.fail("a key")
			}
			if !s.skipText() || !s.colon() {
				return false
			}
			s.space()
		}
		if !s.skip(depth + 1) {
			return false
		}
		s.space()
		switch s.peek() {
		case ',':
			s.i++
		case end:
			s.i++
			return true
		default:
			return s.fail("',' or the end")
		}
	}
}
