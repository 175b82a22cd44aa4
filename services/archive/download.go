package archive

import (
	"bytes"
	"context"
	"io"
	"time"

	"kurama/logship/record"
)

// maxLine bounds one record in the archive; the stream takes no larger batch.
const maxLine = 16 << 20

// Request says what to download.
type Request struct {
	Tenant, App string    // both empty: the host's samples
	From, To    time.Time // From inclusive, To exclusive; zero: open
	Format      Format    // empty: JSONL
	Tag         string    // Content.Tag of a former state; empty: the present one
}

// Download writes the records of an app to w in order of arrival, including
// what is on the stream but not sealed yet. Errors before the first byte: a
// *paas.Invalid for names and formats that do not exist. Any later error means
// that w has got a part only.
func (r *Reader) Download(ctx context.Context, w io.Writer, req Request) error {
	c, err := r.Open(ctx, req)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Write(ctx, w, 0, -1)
}

const (
	lineTime  = "2006-01-02T15:04:05.000000Z"
	linePlace = `{"ts":"` // what the canonical line begins with
)

// span is a range of time in the form of the record's line: its times have one
// width and one zone, so that they compare as text.
type span struct {
	from, to     time.Time
	first, until []byte // nil: open
}

func newSpan(from, to time.Time) span {
	s := span{from: from, to: to}
	if !from.IsZero() {
		s.first = []byte(ceil(from).Format(lineTime))
	}
	if !to.IsZero() {
		s.until = []byte(ceil(to).Format(lineTime))
	}
	return s
}

// ceil rounds t up to the microseconds that records have.
func ceil(t time.Time) time.Time {
	return t.UTC().Add(time.Microsecond - 1).Truncate(time.Microsecond)
}

// has reports whether the record on line is within the span. A record without
// a time is.
func (s *span) has(line []byte) bool {
	if s.first == nil && s.until == nil {
		return true
	}
	at, ok := bytes.CutPrefix(line, []byte(linePlace))
	if ok && len(at) > len(lineTime) && at[len(lineTime)-1] == 'Z' && at[len(lineTime)] == '"' {
		at = at[:len(lineTime)]
	} else {
		var r record.Record
		if record.Decode(line, &r) != nil || r.Time.IsZero() {
			return true
		}
		at = []byte(r.Time.UTC().Format(lineTime))
	}
	return (s.first == nil || bytes.Compare(at, s.first) >= 0) && (s.until == nil || bytes.Compare(at, s.until) < 0)
}
