package archive

import (
	"bufio"
	"context"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Format is the form of a download; its text is also the file's extension.
type Format string

// The formats of a download.
const (
	JSONL     Format = "jsonl"     // one record a line
	JSON      Format = "json"      // one array of all records
	JSONLGzip Format = "jsonl.gz"  // JSONL, gzip
	JSONLZstd Format = "jsonl.zst" // JSONL, zstd: as it is stored, the quickest
	CSV       Format = "csv"       // one record a row, a line of names first
	Parquet   Format = "parquet"   // columns, zstd: for DuckDB, pandas and their like
)

// Formats are the formats of a download.
var Formats = []Format{JSONL, JSON, JSONLGzip, JSONLZstd, CSV, Parquet}

// formatNames lists the formats for a sentence.
func formatNames() string {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = string(f)
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// ContentType returns the media type of f.
func (f Format) ContentType() string {
	switch f {
	case JSON:
		return "application/json"
	case JSONLGzip:
		return "application/gzip"
	case JSONLZstd:
		return "application/zstd"
	case CSV:
		return "text/csv; charset=utf-8"
	case Parquet:
		return "application/vnd.apache.parquet"
	}
	return "application/x-ndjson"
}

// lineWriter writes records in one format. Close ends the output, not w.
type lineWriter interface {
	Line(line []byte) error
	Close() error
}

// pieceWriter can take a piece of a file that is wholly within the range
// without looking at its lines.
type pieceWriter interface {
	// size returns how many bytes a piece makes; 0 where that is not known.
	size(p *piece) int64
	// flush writes what the writer still holds.
	flush() error
	// passed tells that a piece was left out, as lying before the range.
	passed(p *piece)
	// whole writes the packed frames; false where they are to be written by line.
	whole(ctx context.Context, packed io.Reader) (bool, error)
}

// writer returns the writer of the format on w, which writes nothing before
// its first line.
func (f Format) writer(w io.Writer) (lineWriter, error) {
	switch f {
	case JSON:
		return &arrayWriter{out: bufio.NewWriterSize(w, 64<<10)}, nil
	case JSONLGzip:
		zip := gzip.NewWriter(w)
		return &gzipWriter{out: bufio.NewWriterSize(zip, 64<<10), zip: zip}, nil
	case JSONLZstd:
		return &zstdWriter{w: w}, nil
	case CSV:
		return newCSVWriter(w), nil
	case Parquet:
		return newParquetWriter(w), nil
	}
	return &textWriter{out: bufio.NewWriterSize(w, 64<<10)}, nil
}

// textWriter writes lines as they are.
type textWriter struct{ out *bufio.Writer }

// Line implements lineWriter.
func (t *textWriter) Line(line []byte) error {
	if _, err := t.out.Write(line); err != nil {
		return err
	}
	return t.out.WriteByte('\n')
}

// Close implements lineWriter.
func (t *textWriter) Close() error { return t.out.Flush() }

func (t *textWriter) size(p *piece) int64 { return p.plain }
func (t *textWriter) flush() error        { return t.out.Flush() }
func (t *textWriter) passed(*piece)       {}

func (t *textWriter) whole(ctx context.Context, packed io.Reader) (bool, error) {
	dec, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return true, err
	}
	defer dec.Close()
	_, err = io.Copy(t.out, stopping{ctx, dec})
	return true, err
}

// stopping is a reader that ends with its context.
type stopping struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (s stopping) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// gzipWriter writes lines through gzip.
type gzipWriter struct {
	out *bufio.Writer
	zip *gzip.Writer
}

// Line implements lineWriter.
func (g *gzipWriter) Line(line []byte) error {
	if _, err := g.out.Write(line); err != nil {
		return err
	}
	return g.out.WriteByte('\n')
}

// Close implements lineWriter.
func (g *gzipWriter) Close() error {
	if err := g.out.Flush(); err != nil {
		return err
	}
	return g.zip.Close()
}

// arrayWriter writes one JSON array, one record a line.
type arrayWriter struct {
	out  *bufio.Writer
	some bool
}

// Line implements lineWriter.
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

// Close implements lineWriter.
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

// size counts two bytes before each line, and none for its newline.
func (a *arrayWriter) size(p *piece) int64 {
	if p.plain == 0 {
		return 0
	}
	return p.plain + p.records
}

func (a *arrayWriter) flush() error                                   { return a.out.Flush() }
func (a *arrayWriter) passed(*piece)                                  { a.some = true }
func (a *arrayWriter) whole(context.Context, io.Reader) (bool, error) { return false, nil }

// zstdWriter writes frames; those of sealed files are copied.
type zstdWriter struct {
	w     io.Writer
	lines *packer // nil outside a frame
	some  bool    // a frame was written
}

// packer is a frame that is being written.
type packer struct {
	out *bufio.Writer
	enc *zstd.Encoder
}

// Line implements lineWriter.
func (z *zstdWriter) Line(line []byte) error {
	z.some = true
	if z.lines == nil {
		enc, err := zstd.NewWriter(z.w, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return err
		}
		z.lines = &packer{out: bufio.NewWriterSize(enc, 64<<10), enc: enc}
	}
	if _, err := z.lines.out.Write(line); err != nil {
		return err
	}
	return z.lines.out.WriteByte('\n')
}

func (z *zstdWriter) size(p *piece) int64 { return p.bytes }
func (z *zstdWriter) passed(*piece)       { z.some = true }

func (z *zstdWriter) whole(ctx context.Context, packed io.Reader) (bool, error) {
	if err := z.flush(); err != nil {
		return true, err
	}
	z.some = true
	_, err := io.Copy(z.w, stopping{ctx, packed})
	return true, err
}

// Close writes an empty frame where there was no record: no byte at all is not
// a zstd file.
func (z *zstdWriter) Close() error {
	if z.some {
		return z.flush()
	}
	enc, err := zstd.NewWriter(z.w, zstd.WithEncoderConcurrency(1), zstd.WithZeroFrames(true))
	if err != nil {
		return err
	}
	return enc.Close()
}

// flush ends the frame that is open.
func (z *zstdWriter) flush() error {
	if z.lines == nil {
		return nil
	}
	open := z.lines
	z.lines = nil
	if err := open.out.Flush(); err != nil {
		return err
	}
	return open.enc.Close()
}
