// Package stdout turns what a container writes to stdout and stderr into log
// entries: frames of the engine into lines, lines of one traceback
// into one entry, prefixes into levels. It also keeps how far was read.
package stdout

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// maxFrame bounds one frame; the engine cuts lines at 16 KiB.
const maxFrame = 1 << 20

// Line is one line of output.
type Line struct {
	At     time.Time // when the engine took it
	Stderr bool
	Text   string // without the line end; at most the bound of Read
	Cut    int    // bytes left out behind Text
	Nth    int    // number among the stream's lines of the very same time; whoever counts sets it
}

// Read hands each line of the multiplexed output in to fn, until in ends (nil)
// or fails, or fn returns an error. Lines that the engine cut into parts are
// put together; what is beyond limit bytes is left out and counted.
func Read(in io.Reader, limit int, fn func(Line) error) error {
	r := bufio.NewReaderSize(in, 32<<10)
	var parts [2]struct {
		open bool
		line Line
		text strings.Builder
	}
	var frame []byte
	for {
		stderr, payload, err := readFrame(r, &frame)
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		at, text, err := splitTime(payload)
		if err != nil {
			return err
		}
		p := &parts[0]
		if stderr {
			p = &parts[1]
		}
		if !p.open {
			p.open, p.line = true, Line{At: at, Stderr: stderr}
			p.text.Reset()
		}
		text, whole := strings.CutSuffix(text, "\n")
		room := max(limit-p.text.Len(), 0)
		p.text.WriteString(text[:min(room, len(text))])
		p.line.Cut += max(len(text)-room, 0)
		if !whole {
			continue
		}
		p.open = false
		p.line.Text = strings.TrimSuffix(p.text.String(), "\r")
		if err := fn(p.line); err != nil {
			return err
		}
	}
}

// readFrame reads one frame of eight bytes head and a payload, into *buf.
func readFrame(r *bufio.Reader, buf *[]byte) (stderr bool, payload []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF // the engine went away within a frame
		}
		return false, nil, err
	}
	size := int(binary.BigEndian.Uint32(head[4:]))
	if head[0] > 3 || size > maxFrame {
		return false, nil, fmt.Errorf("the engine's output is not multiplexed: it begins with % x", head)
	}
	if cap(*buf) < size {
		*buf = make([]byte, size)
	}
	payload = (*buf)[:size]
	if _, err := io.ReadFull(r, payload); err != nil {
		return false, nil, io.EOF
	}
	if head[0] == 3 {
		return false, nil, fmt.Errorf("the engine says: %s", strings.TrimSpace(string(payload)))
	}
	return head[0] == 2, payload, nil
}

// splitTime takes the engine's time off the start of a frame.
func splitTime(payload []byte) (at time.Time, text string, err error) {
	stamp, text, ok := strings.Cut(string(payload), " ")
	if !ok {
		return at, "", fmt.Errorf("a line of the engine has no time: %.40q", payload)
	}
	if at, err = time.Parse(time.RFC3339Nano, stamp); err != nil {
		return at, "", fmt.Errorf("a line of the engine has no time: %w", err)
	}
	return at.UTC(), text, nil
}
