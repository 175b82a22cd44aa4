package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"

	"kurama/paas"
)

// Content is a download that is ready to be written, wholly or from a byte on.
// It stays the same while files are joined or expire. It must be closed.
type Content struct {
	req    Request
	state  snapshot
	files  []opened
	pieces []piece
}

// Open readies a download of what is sealed, and, unless req.Tag asks for a
// former state, of what is on the stream now. Errors: *paas.Invalid for names
// and formats that do not exist; Changed(err) where the former state cannot be
// shown any more.
func (r *Reader) Open(ctx context.Context, req Request) (*Content, error) {
	if err := req.Format.Check(); err != nil {
		return nil, err
	}
	if _, _, err := r.open(req.Tenant, req.App); err != nil {
		return nil, err
	}
	former, again := parseTag(req.Tag)
	if req.Tag != "" && !again {
		return nil, errChanged
	}
	if !again {
		r.seal(ctx, req.Tenant, req.App)
	}
	files, m, err := r.openFiles(req.Tenant, req.App, req.From, req.To)
	if err != nil {
		return nil, err
	}
	c := &Content{req: req, state: snapshotOf(&m), files: files}
	if !again {
		former = c.state
	}
	if err := c.choose(former, again); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// choose finds the pieces that show the state upto, which is a former one where
// again says so. Records read from frames are the same however files are joined;
// the frames themselves, which JSONLZstd shows, are packed anew by that.
func (c *Content) choose(upto snapshot, again bool) error {
	if upto.first != c.state.first || upto.firstEpoch != c.state.firstEpoch {
		return errChanged
	}
	pieces, frames, err := plan(c.files, newSpan(c.req.From, c.req.To), upto)
	if err != nil {
		return err
	}
	if c.req.Format != JSONLZstd {
		frames = ""
	}
	if again && upto.frames != frames {
		return errChanged
	}
	upto.frames = frames
	c.pieces, c.state = pieces, upto
	return nil
}

// Changed reports whether err says that a former state of the archive cannot
// be shown any more.
func Changed(err error) bool { return errors.Is(err, errChanged) }

// Close lets go of the files.
func (c *Content) Close() { closeFiles(c.files) }

// Tag returns the entity tag of the content, in quotes: the same request with
// the same tag gives the same bytes.
func (c *Content) Tag() string { return c.state.tag() }

// Quick reports whether Size takes little: it is then told by the indexes, and
// by the records of the first and the last frame.
func (c *Content) Quick() bool {
	switch c.req.Format {
	case "", JSONL, JSON, JSONLZstd:
	default:
		return false
	}
	for i := range c.pieces {
		if c.pieces[i].plain == 0 {
			return false
		}
	}
	return true
}

// Size returns how many bytes Write gives. Where it is not Quick, it takes as
// long as Write.
func (c *Content) Size(ctx context.Context) (int64, error) {
	w := &window{w: io.Discard, skip: math.MaxInt64, left: 0}
	if err := c.write(ctx, w); err != nil {
		return 0, err
	}
	return math.MaxInt64 - w.skip, nil
}

// Write writes length bytes of the content from offset on; a negative length
// stands for all the rest. After an error w has got a part only.
func (c *Content) Write(ctx context.Context, w io.Writer, offset, length int64) error {
	if length < 0 {
		length = math.MaxInt64
	}
	err := c.write(ctx, &window{w: w, skip: offset, left: length})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (c *Content) write(ctx context.Context, w *window) error {
	out, err := c.req.Format.writer(w)
	if err != nil {
		return err
	}
	s := newSpan(c.req.From, c.req.To)
	for i := range c.pieces {
		p := &c.pieces[i]
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := c.writePiece(ctx, out, w, p, s); err != nil {
			if errors.Is(err, errEnough) {
				return err
			}
			return fmt.Errorf("downloading %s: %w", p.file.Name, err)
		}
	}
	return out.Close()
}

// writePiece takes the shortest way: past it, as it is, or line by line.
func (c *Content) writePiece(ctx context.Context, out lineWriter, w *window, p *piece, s span) error {
	if quick, ok := out.(pieceWriter); ok && p.whole {
		if n := quick.size(p); n > 0 {
			if err := quick.flush(); err != nil {
				return err
			}
			if w.pass(n) {
				quick.passed(p)
				return nil
			}
		}
		if done, err := quick.whole(ctx, io.NewSectionReader(p.file.file, p.at, p.bytes)); done || err != nil {
			return err
		}
	}
	return copyLines(ctx, out, io.NewSectionReader(p.file.file, p.at, p.bytes), s)
}

// errEnough says that all bytes that were asked for are written.
var errEnough = errors.New("all that was asked for is written")

// window lets a range of what is written through to w.
type window struct {
	w    io.Writer
	skip int64 // bytes before the range
	left int64 // bytes of the range
}

// Write implements io.Writer; errEnough ends it after the range.
func (o *window) Write(p []byte) (int, error) {
	n := len(p)
	if o.pass(int64(n)) {
		return n, nil
	}
	p = p[o.skip:]
	o.skip = 0
	if int64(len(p)) > o.left {
		p = p[:o.left]
	}
	if _, err := o.w.Write(p); err != nil {
		return 0, err
	}
	if o.left -= int64(len(p)); o.left == 0 {
		return n, errEnough
	}
	return n, nil
}

// pass leaves n bytes out where they lie before the range, and reports whether
// they do.
func (o *window) pass(n int64) bool {
	if n > o.skip || o.skip == 0 && n > 0 {
		return false
	}
	o.skip -= n
	return true
}

// copyLines writes the lines of packed frames that are within span.
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

// Check returns a *paas.Invalid where f is not a format. The empty one is JSONL.
func (f Format) Check() error {
	for _, known := range Formats {
		if f == known || f == "" {
			return nil
		}
	}
	return &paas.Invalid{Reason: fmt.Sprintf("%q is not a format of the archive: use %s.", f, formatNames())}
}
