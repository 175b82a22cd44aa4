package archive

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"kurama/logship/record"
)

// maxLine bounds one record in the archive; the stream takes no larger batch.
const maxLine = 16 << 20

// Request says what to download.
type Request struct {
	Tenant, App string    // both empty: the host's samples
	From, To    time.Time // From inclusive, To exclusive; zero: open
	Format      Format    // empty: JSONL
}

// Download writes the records of an app to w in order of arrival, including
// what is on the stream but not sealed yet. Errors before the first byte: a
// *paas.Invalid for names and formats that do not exist. Any later error means
// that w has got a part only.
func (r *Reader) Download(ctx context.Context, w io.Writer, req Request) error {
	out, err := req.Format.writer(w)
	if err != nil {
		return err
	}
	if _, _, err := r.open(req.Tenant, req.App); err != nil {
		return err
	}
	r.seal(ctx, req.Tenant, req.App)
	files, err := r.openFiles(req.Tenant, req.App, req.From, req.To)
	if err != nil {
		return err
	}
	defer closeFiles(files)
	span := newSpan(req.From, req.To)
	for i := range files {
		f := &files[i]
		if raw, ok := out.(rawWriter); ok && span.holds(f) {
			err = raw.copySealed(f.file)
		} else {
			err = copyLines(ctx, out, f.file, span)
		}
		if err != nil {
			return fmt.Errorf("downloading %s: %w", f.Name, err)
		}
	}
	return out.Close()
}

// copyLines writes the lines of a sealed file that are within span.
func copyLines(ctx context.Context, out lineWriter, in io.Reader, s span) error {
	dec, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	defer dec.Close()
	lines := bufio.NewScanner(dec)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for n := 0; lines.Scan(); n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if !s.has(lines.Bytes()) {
			continue
		}
		if err := out.Line(lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
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

// holds reports whether all records of a file are within the span.
func (s *span) holds(f *opened) bool {
	return (s.first == nil || !f.From.Before(s.from)) && (s.until == nil || f.To.Before(s.to))
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
