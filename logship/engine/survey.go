package engine

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
)

// lineEnd is in a line of the json-file driver whose text ends; one that the
// engine cut has the line end in its last part alone.
var lineEnd = []byte(`\n","stream":"`)

// survey is what a file of the json-file driver holds, seen in passing: a
// hundred times as fast as its lines are taken.
type survey struct {
	lines       int
	first, last time.Time // of its first and last line; zero where it has none
}

// surveyed passes over what in has.
func surveyed(in io.Reader) (survey, error) {
	var s survey
	var last []byte
	lines := bufio.NewReaderSize(in, longest)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 && bytes.Contains(line, lineEnd) {
			s.lines++
		}
		if s.first.IsZero() {
			s.first = writtenAt(line)
		}
		switch {
		case errors.Is(err, io.EOF):
			s.last = writtenAt(last)
			return s, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return s, fmt.Errorf("passing over a container's output: %w", err)
		}
		last = append(last[:0], line...)
	}
}

// writtenAt returns the time in a line of the driver; zero where there is none.
func writtenAt(line []byte) time.Time {
	_, after, ok := bytes.Cut(line, []byte(`","time":"`))
	stamp, _, closed := bytes.Cut(after, timeEnd)
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if !ok || !closed || err != nil {
		return time.Time{}
	}
	return at
}

// missing estimates how many lines were between the time of the last one that
// was read and the first of s, the next file there is: at the pace of s. A
// pause of the app is no gap; a whole file takes longer than half of the next.
func (s survey) missing(read time.Time) int {
	gap, span := s.first.Sub(read), s.last.Sub(s.first)
	if read.IsZero() || s.lines == 0 || span <= 0 || gap < span/2 {
		return 0
	}
	return max(1, int(float64(s.lines)*float64(gap)/float64(span)))
}
