package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// writePatience is how long one write to a caller may take. A caller who reads
// no more than that is let go: there is no other end to a stream.
const writePatience = 30 * time.Second

// ndjson sends one JSON object a line.
type ndjson struct {
	w       http.ResponseWriter
	control *http.ResponseController
	enc     *json.Encoder
}

// send writes one line; it may wait in the buffer until flush.
func (n *ndjson) send(v any) error {
	if err := n.control.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return err
	}
	return n.enc.Encode(v)
}

func (n *ndjson) flush() error { return n.control.Flush() }

// last writes a line and sends it on its way.
func (n *ndjson) last(v any) error {
	if err := n.send(v); err != nil {
		return err
	}
	return n.flush()
}

// stream answers with what run sends until it returns, the caller goes or the
// API stops. The status is 200 by then: an error ends the answer without its
// end, so that nobody takes a part for the whole.
func (a *API) stream(ctx context.Context, run func(context.Context, *ndjson) error) *huma.StreamResponse {
	c := callOf(ctx)
	return &huma.StreamResponse{Body: func(huma.Context) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(a.streams, cancel)()
		c.w.Header().Set("Content-Type", "application/x-ndjson")
		c.w.Header().Set("Cache-Control", "no-store")
		c.w.Header().Set("X-Accel-Buffering", "no")
		c.w.WriteHeader(http.StatusOK)
		out := &ndjson{w: c.w, control: c.control(), enc: json.NewEncoder(c.w)}
		out.enc.SetEscapeHTML(false)
		if out.flush() != nil {
			return
		}
		if err := run(ctx, out); err != nil {
			a.broken(ctx, err)
		}
	}}
}

// broken ends an answer that has begun.
func (a *API) broken(ctx context.Context, err error) {
	if ctx.Err() == nil {
		a.log.Error("an answer broke off", "path", callOf(ctx).r.URL.Path, "err", err)
	}
	_ = callOf(ctx).control().Flush() // the caller sees a part that is cut off, not a silence
	panic(http.ErrAbortHandler)
}

func ndjsonResponse(description string) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Description: description,
		Content: map[string]*huma.MediaType{"application/x-ndjson": {Schema: &huma.Schema{Type: huma.TypeObject}}}}}
}

// lateHeader writes the headers of a download with its first byte, so that an
// error before it can still become a problem.
type lateHeader struct {
	w       http.ResponseWriter
	control *http.ResponseController
	status  int
	header  func(http.Header)
	begun   bool
}

var _ io.Writer = (*lateHeader)(nil)

// Write sends p, and the headers before the first one.
func (l *lateHeader) Write(p []byte) (int, error) {
	l.begin()
	if err := l.control.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return 0, err
	}
	return l.w.Write(p)
}

func (l *lateHeader) begin() {
	if !l.begun {
		l.begun = true
		l.header(l.w.Header())
		l.w.WriteHeader(l.status)
	}
}
