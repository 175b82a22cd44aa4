package build

import "bufio"

// lineWriter calls fn with each line written to it, and passes over what is
// beyond its bound, with a last line that says so.
type lineWriter struct {
	fn   func(string)
	left int64
	rest []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	if w.left <= 0 {
		return len(p), nil
	}
	w.rest = append(w.rest, p...)
	for {
		n, line, err := bufio.ScanLines(w.rest, false)
		if err != nil || n == 0 {
			break
		}
		w.emit(string(line))
		w.rest = w.rest[n:]
	}
	if len(w.rest) > 64<<10 { // no line end in sight
		w.flush()
	}
	return len(p), nil
}

func (w *lineWriter) emit(line string) {
	if w.left <= 0 {
		return
	}
	if w.left -= int64(len(line)) + 1; w.left <= 0 {
		line = "… the rest of the output is left out."
	}
	w.fn(line)
}

func (w *lineWriter) flush() {
	if len(w.rest) > 0 {
		w.emit(string(w.rest))
		w.rest = nil
	}
}
