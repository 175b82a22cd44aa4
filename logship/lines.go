package logship

import (
	"bytes"
	"io"
)

// A reader's buffer begins with firstBuffer bytes. It doubles as far as lines
// need it, and up to busyBuffer where each read fills it: a sender that has more
// waiting is read by few large calls.
const (
	firstBuffer = 8 << 10
	busyBuffer  = 64 << 10
)

// lineReader splits a stream into lines without keeping more than limit bytes
// of any.
type lineReader struct {
	in    io.Reader
	limit int
	buf   []byte // what is read and not handed out is buf[start:end]
	start int
	end   int
	full  bool // the last read filled the buffer
}

func newLineReader(in io.Reader, limit int) *lineReader {
	return &lineReader{in: in, limit: limit, buf: make([]byte, firstBuffer)}
}

// next returns the next line without its '\n'; it is valid until the next
// call. Of a line longer than limit the first limit bytes are returned, and
// how many were left out. A last line without '\n' was cut off by the
// sender's end and is not returned. The error is the stream's.
func (l *lineReader) next() (line []byte, cut int, err error) {
	for searched := 0; ; {
		if i := bytes.IndexByte(l.buf[l.start+searched:l.end], '\n'); i >= 0 {
			line = l.buf[l.start : l.start+searched+i]
			l.start += searched + i + 1
			if len(line) > l.limit {
				return line[:l.limit], len(line) - l.limit, nil
			}
			return line, 0, nil
		}
		searched = l.end - l.start
		if searched > l.limit {
			return l.skipRest()
		}
		if err := l.fill(); err != nil {
			return nil, 0, err
		}
	}
}

// fill reads more, and makes room for it first.
func (l *lineReader) fill() error {
	if l.start > 0 {
		l.end = copy(l.buf, l.buf[l.start:l.end])
		l.start = 0
	}
	if l.end == len(l.buf) || l.full && len(l.buf) < busyBuffer {
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	}
	n, err := l.in.Read(l.buf[l.end:])
	l.end += n
	l.full = l.end == len(l.buf)
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// skipRest keeps the head of a line that is too long and passes over the rest.
func (l *lineReader) skipRest() (line []byte, cut int, err error) {
	head := bytes.Clone(l.buf[l.start : l.start+l.limit])
	l.start += l.limit
	for {
		if i := bytes.IndexByte(l.buf[l.start:l.end], '\n'); i >= 0 {
			l.start += i + 1
			return head, cut + i, nil
		}
		cut += l.end - l.start
		l.start = l.end
		if err := l.fill(); err != nil {
			return nil, 0, err
		}
	}
}
