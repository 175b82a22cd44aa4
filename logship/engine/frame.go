package engine

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"time"
)

// kept is a line of the json-file driver. The engine writes the members in
// this order; attrs, which may stand before the time, are of no interest.
type kept struct {
	Log    string    `json:"log"`
	Stream string    `json:"stream"`
	Time   time.Time `json:"time"`
}

var (
	logHead    = []byte(`{"log":"`)
	stdoutTail = []byte(`","stream":"stdout","time":"`)
	stderrTail = []byte(`","stream":"stderr","time":"`)
	timeEnd    = []byte(`"}`)
)

// frames turns lines of the json-file driver into frames.
type frames struct {
	since time.Time // earlier lines at the start are left out
	last  string    // time of the line before, as written
}

// append adds the frame of a line, which has no line end. A line that is none
// of the driver's (a crash of the host may leave half of one) becomes a line of
// stdout as it is.
func (f *frames) append(dst, line []byte) []byte {
	if len(line) == 0 {
		return dst
	}
	if text, stderr, stamp, ok := quick(line); ok {
		return f.write(dst, stderr, stamp, text)
	}
	var k kept
	if err := json.Unmarshal(line, &k); err != nil || k.Time.IsZero() {
		if f.last == "" {
			return dst
		}
		return f.write(dst, false, f.last, append(bytes.ToValidUTF8(line, []byte("\ufffd")), '\n'))
	}
	return f.write(dst, k.Stream == "stderr", k.Time.UTC().Format(time.RFC3339Nano), []byte(k.Log))
}

func (f *frames) write(dst []byte, stderr bool, stamp string, text []byte) []byte {
	if f.last = stamp; !f.since.IsZero() {
		if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil && at.Before(f.since) {
			return dst
		}
		f.since = time.Time{} // a clock that is set back later hides nothing
	}
	stream := byte(1)
	if stderr {
		stream = 2
	}
	dst = append(dst, stream, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(stamp)+1+len(text)))
	return append(append(append(dst, stamp...), ' '), text...)
}

// quick reads a line whose text has no escape but the line end at its end,
// which most are. text shares the memory of line.
func quick(line []byte) (text []byte, stderr bool, stamp string, ok bool) {
	rest, ok := bytes.CutPrefix(line, logHead)
	if !ok {
		return nil, false, "", false
	}
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return nil, false, "", false
	}
	text = rest[:end]
	whole := bytes.HasSuffix(text, []byte(`\n`))
	if body := bytes.TrimSuffix(text, []byte(`\n`)); bytes.IndexByte(body, '\\') >= 0 {
		return nil, false, "", false
	}
	after, ok := bytes.CutPrefix(rest[end:], stdoutTail)
	if !ok {
		if after, ok = bytes.CutPrefix(rest[end:], stderrTail); !ok {
			return nil, false, "", false
		}
		stderr = true
	}
	at, ok := bytes.CutSuffix(after, timeEnd)
	if !ok || len(at) < 20 || len(at) > 35 {
		return nil, false, "", false
	}
	if whole {
		text = text[:len(text)-1]
		text[len(text)-1] = '\n' // in place of the escape
	}
	return text, stderr, string(at), true
}
