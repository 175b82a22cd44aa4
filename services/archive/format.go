package archive

import (
	"bufio"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"kurama/paas"
)

// Format is the form of a download; its text is also the file's extension.
type Format string

// The formats of a download.
const (
	JSONL     Format = "jsonl"     // one record a line
	JSON      Format = "json"      // one array of all records
	JSONLGzip Format = "jsonl.gz"  // JSONL, gzip
	JSONLZstd Format = "jsonl.zst" // JSONL, zstd: as it is stored, the quickest
)

// ContentType returns the media type of f.
func (f Format) ContentType() string {
	switch f {
	case JSON:
		return "application/json"
	case JSONLGzip:
		return "application/gzip"
	case JSONLZstd:
		return "application/zstd"
	}
	return "application/x-ndjson"
}

// Check returns a *paas.Invalid where f is not a format. The empty one is JSONL.
func (f Format) Check() error {
	switch f {
	case "", JSONL, JSON, JSONLGzip, JSONLZstd:
		return nil
	}
	return &paas.Invalid{Reason: fmt.Sprintf("%q is not a format of the archive: use %s, %s, %s or %s.", f, JSONL, JSON, JSONLGzip, JSONLZstd)}
}

// lineWriter writes records in one format. Close ends the output, not w.
type lineWriter interface {
	Line(line []byte) error
	Close() error
}

// rawWriter can take a sealed file as it is.
type rawWriter interface {
	copySealed(file io.Reader) error
}

// writer returns the writer of the format on w, which writes nothing before
// its first line.
func (f Format) writer(w io.Writer) (lineWriter, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	switch f {
	case JSON:
		return &arrayWriter{out: bufio.NewWriterSize(w, 64<<10)}, nil
	case JSONLGzip:
		zip := gzip.NewWriter(w)
		return &textWriter{out: bufio.NewWriterSize(zip, 64<<10), inner: zip}, nil
	case JSONLZstd:
		return &zstdWriter{w: w}, nil
	}
	return &textWriter{out: bufio.NewWriterSize(w, 64<<10)}, nil
}

// textWriter writes lines, through inner where that is not nil.
type textWriter struct {
	out   *bufio.Writer
	inner io.Closer
}

func (t *textWriter) Line(line []byte) error {
	if _, err := t.out.Write(line); err != nil {
		return err
	}
	return t.out.WriteByte('\n')
}

func (t *textWriter) Close() error {
	err := t.out.Flush()
	if err != nil || t.inner == nil {
		return err
	}
	return t.inner.Close()
}

// arrayWriter writes one JSON array, one record a line.
type arrayWriter struct {
	out  *bufio.Writer
	some bool
}

func (a *arrayWriter) Line(line []byte) error {
	open := ",\n"
	if !a.some {
		open, a.some = "[\n", true
	}
	if _, err := a.out.WriteString(open); err != nil {
		return err
	}
	_, err := a.out.Write(line)
	return err
}

func (a *arrayWriter) Close() error {
	end := "\n]\n"
	if !a.some {
		end = "[]\n"
	}
	if _, err := a.out.WriteString(end); err != nil {
		return err
	}
	return a.out.Flush()
}

// zstdWriter writes frames; sealed files are frames already.
type zstdWriter struct {
	w     io.Writer
	lines *textWriter // nil outside a frame
	some  bool        // a frame was written
}

func (z *zstdWriter) Line(line []byte) error {
	z.some = true
	if z.lines == nil {
		enc, err := zstd.NewWriter(z.w, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return err
		}
		z.lines = &textWriter{out: bufio.NewWriterSize(enc, 64<<10), inner: enc}
	}
	return z.lines.Line(line)
}

func (z *zstdWriter) copySealed(file io.Reader) error {
	if err := z.endFrame(); err != nil {
		return err
	}
	z.some = true
	_, err := io.Copy(z.w, file)
	return err
}

// Close writes an empty frame where there was no record: no byte at all is not
// a zstd file.
func (z *zstdWriter) Close() error {
	if z.some {
		return z.endFrame()
	}
	enc, err := zstd.NewWriter(z.w, zstd.WithEncoderConcurrency(1), zstd.WithZeroFrames(true))
	if err != nil {
		return err
	}
	return enc.Close()
}

func (z *zstdWriter) endFrame() error {
	if z.lines == nil {
		return nil
	}
	err := z.lines.Close()
	z.lines = nil
	return err
}
