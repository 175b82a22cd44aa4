package router

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// inlineBody is the size up to which a request's body is sent before the answer is
// looked for; larger ones and those of unknown length stream both ways.
const inlineBody = 64 << 10

// What went wrong between the router and a replica before its answer began.
var (
	errTimeout  = errors.New("the app did not answer in time")
	errTooLarge = errors.New("the request body is too large")
	errClient   = errors.New("the client went away")
)

// exchange is one request and its answer on a connection to a replica. It is
// made by newExchange and ended by finish.
type exchange struct {
	*conn
	v    *visit
	stop func() bool // of the watch over the client

	mu      sync.Mutex
	headed  bool          // the answer's headers are there
	broken  bool          // the connection cannot be used again
	sendErr error         // of the body
	sent    bool          // the body was sent whole; read it after done
	done    chan struct{} // closed when the sender of a streamed body has ended
}

func newExchange(v *visit, c *conn) *exchange {
	x := &exchange{conn: c, v: v}
	x.stop = context.AfterFunc(v.r.Context(), x.abort)
	return x
}

// abort cuts the connection, which wakes whoever reads or writes it.
func (x *exchange) abort() {
	x.mu.Lock()
	x.broken = true
	x.mu.Unlock()
	x.Conn.Close()
}

// finish ends the exchange: the connection is kept for the next request where
// reuse allows it.
func (x *exchange) finish(reuse bool) {
	x.stop()
	x.mu.Lock()
	reuse = reuse && !x.broken && x.in.Buffered() == 0
	x.mu.Unlock()
	if !x.waitSent() {
		reuse = false
	}
	if reuse {
		x.v.target.keep(x.conn)
		return
	}
	x.Conn.Close()
}

// sendGrace is how long a body's sender may still need when the answer is
// over: on a busy host an app that has read all of the body answers before the
// sender that wrote it is scheduled again, and cutting the client off then
// would fail its next request.
const sendGrace = time.Second

// failGrace is the same for an exchange without an answer, which the client
// is still to be told of.
const failGrace = 50 * time.Millisecond

// waitSent waits for the body's sender, cutting it short when the answer ended
// well before, and reports whether the body went out whole.
func (x *exchange) waitSent() bool {
	if !x.v.streams {
		return x.sent
	}
	grace := failGrace
	if x.v.status != 0 {
		grace = sendGrace
		_ = x.v.control.Flush() // the client need not wait for what follows
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-x.done:
		return x.sent
	case <-timer.C:
	}
	x.abort()
	// The sender may wait for a client that sends no more; the connection
	// to that client ends with this request.
	_ = x.v.control.SetReadDeadline(time.Now())
	<-x.done
	return false
}

// send writes the request; a long body goes on in the background.
func (x *exchange) send() error {
	x.left = maxHead
	x.writeHead()
	if x.v.streams {
		x.done = make(chan struct{})
		go x.stream()
		return nil
	}
	return x.sendBody()
}

func (x *exchange) stream() {
	defer close(x.done)
	if err := x.sendBody(); errors.Is(err, errTooLarge) || errors.Is(err, errClient) {
		x.abort() // there is no end of the request: nobody can answer it
	}
}

// sendBody writes the body and starts the clock for the answer.
func (x *exchange) sendBody() error {
	err := x.copyBody()
	if err == nil {
		err = x.out.Flush()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sent, x.sendErr = err == nil, err
	if !x.headed {
		_ = x.Conn.SetReadDeadline(time.Now().Add(x.v.bounds.answer))
	}
	return err
}

func (x *exchange) copyBody() error {
	body := x.v.body
	if body == nil {
		return nil
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	chunked := x.v.r.ContentLength < 0
	for {
		n, err := body.Read(*buf)
		if n > 0 {
			if chunked {
				fmt.Fprintf(x.out, "%x\r\n", n)
			}
			x.out.Write((*buf)[:n])
			if chunked {
				x.out.WriteString("\r\n")
			}
			if x.v.streams || err != nil {
				if err := x.out.Flush(); err != nil {
					return err
				}
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if chunked {
		x.out.WriteString("0\r\n\r\n")
	}
	return nil
}

// writeHead writes the request line and the headers into the buffer.
func (x *exchange) writeHead() {
	v, out := x.v, x.out
	out.WriteString(v.r.Method)
	out.WriteByte(' ')
	out.WriteString(v.uri[len(v.prefix):])
	out.WriteString(" HTTP/1.1\r\n")
	x.header("Host", v.r.Host)
	dropped := named(v.r.Header)
	for key, values := range v.r.Header {
		if hopByHop[key] || ours[key] || dropped[key] || private(key) || spoofs(key) {
			continue
		}
		for _, value := range values {
			x.header(key, value)
		}
	}
	if v.upgrade != "" {
		x.header("Connection", "Upgrade")
		x.header("Upgrade", v.upgrade)
	}
	x.header("X-Request-ID", v.id)
	x.header("X-Forwarded-For", v.client)
	x.header("X-Forwarded-Proto", v.proto)
	x.header("X-Forwarded-Host", v.r.Host)
	if v.prefix != "" {
		x.header("X-Forwarded-Prefix", v.prefix)
	}
	if v.caller != "" {
		x.header("X-Kurama-Caller", v.caller)
	}
	switch {
	case v.body != nil && v.r.ContentLength < 0:
		x.header("Transfer-Encoding", "chunked")
	case v.body != nil || v.r.Header["Content-Length"] != nil:
		x.header("Content-Length", strconv.FormatInt(v.r.ContentLength, 10))
	}
	out.WriteString("\r\n")
}

func (x *exchange) header(key, value string) {
	x.out.WriteString(key)
	x.out.WriteString(": ")
	x.out.WriteString(value)
	x.out.WriteString("\r\n")
}

// receive reads the headers of the answer, passing interim ones on.
func (x *exchange) receive() (*http.Response, error) {
	for {
		resp, err := http.ReadResponse(x.in, x.v.r)
		if err != nil {
			return nil, x.why(err)
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			x.gotHead()
			return resp, nil
		}
		if resp.StatusCode != http.StatusContinue {
			x.v.interim(resp)
		}
	}
}

// gotHead takes the bounds of time and size off the rest of the answer.
func (x *exchange) gotHead() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.headed = true
	x.left = math.MaxInt64
	_ = x.Conn.SetReadDeadline(time.Time{})
}

// why returns what made the answer fail: the client, its body, the clock or the app.
func (x *exchange) why(err error) error {
	if x.v.r.Context().Err() != nil {
		return errClient
	}
	x.mu.Lock()
	sendErr := x.sendErr
	x.mu.Unlock()
	if errors.Is(sendErr, errTooLarge) || errors.Is(sendErr, errClient) {
		return sendErr
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return errTimeout
	}
	return err
}

// upload is the body of a request, bounded.
type upload struct{ from io.Reader }

// Read reads from the client. Its errors are io.EOF, errTooLarge or errClient.
func (u *upload) Read(p []byte) (int, error) {
	n, err := u.from.Read(p)
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return n, errTooLarge
	}
	if err != nil && err != io.EOF {
		return n, fmt.Errorf("%w: %v", errClient, err)
	}
	return n, err
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}
