package router

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// relay passes the answer on to the client and reports whether the connection
// to the replica can be used again. When either side breaks off, the client's
// connection is cut, so that half an answer is never taken for a whole one.
func (v *visit) relay(x *exchange, resp *http.Response) bool {
	v.answered(resp)
	v.relayed = true
	v.w.WriteHeader(resp.StatusCode)
	err := v.copyAnswer(x, resp)
	for key, values := range resp.Trailer {
		v.w.Header()[http.TrailerPrefix+key] = values
	}
	_ = resp.Body.Close()
	if err == nil {
		return !resp.Close
	}
	x.finish(false)
	switch timeout, _ := errors.AsType[net.Error](err); {
	case v.r.Context().Err() != nil || errors.Is(err, errClient):
		v.note = "the client went away during the answer"
	case timeout != nil && timeout.Timeout():
		v.note = fmt.Sprintf("the app was silent for %s within its answer, which is its idle timeout", v.bounds.idle)
	default:
		v.note = "the app broke the answer off"
	}
	panic(http.ErrAbortHandler)
}

// answered copies the headers of the answer, keeps what the app says in private
// ones, and fixes the status.
func (v *visit) answered(resp *http.Response) {
	v.says = parsePrivate(resp.Header)
	v.status = resp.StatusCode
	copyHeaders(v.w.Header(), resp.Header)
	if v.draws != nil {
		http.SetCookie(v.w, v.draws)
	}
	if _, given := resp.Header["X-Request-Id"]; !given {
		v.w.Header()["X-Request-Id"] = []string{v.id}
	}
}

// interim passes a 1xx answer on, such as 103 Early Hints.
func (v *visit) interim(resp *http.Response) {
	h := v.w.Header()
	copyHeaders(h, resp.Header)
	v.w.WriteHeader(resp.StatusCode)
	clear(h)
}

func copyHeaders(to, from http.Header) {
	dropped := named(from)
	for key, values := range from {
		if !hopByHop[key] && !dropped[key] && !private(key) {
			to[key] = values
		}
	}
}

// copyAnswer copies the body. Of an answer without a length each piece is sent
// on as it comes: it may be a stream of events.
func (v *visit) copyAnswer(x *exchange, resp *http.Response) error {
	if resp.Body == http.NoBody {
		return nil
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	if v.bounds.idle > 0 {
		defer func() { _ = x.Conn.SetReadDeadline(time.Time{}) }()
	}
	for {
		if v.bounds.idle > 0 {
			_ = x.Conn.SetReadDeadline(time.Now().Add(v.bounds.idle))
		}
		n, err := resp.Body.Read(*buf)
		if n > 0 {
			written, err := v.w.Write((*buf)[:n])
			v.bytes += int64(written)
			if err != nil {
				return errClient
			}
			if resp.ContentLength < 0 {
				if err := v.control.Flush(); err != nil {
					return errClient
				}
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// tunnel is an upgraded connection, such as a websocket: bytes go both ways
// until one side closes.
type tunnel struct{ client, app io.Closer }

func (t *tunnel) close() {
	_ = t.client.Close()
	_ = t.app.Close()
}

// tunnel answers with 101 and passes bytes until either side closes.
func (v *visit) tunnel(x *exchange, resp *http.Response) {
	defer x.finish(false)
	v.answered(resp)
	h := v.w.Header()
	h.Set("Connection", "Upgrade")
	h.Set("Upgrade", resp.Header.Get("Upgrade"))
	client, buffered, err := v.control.Hijack()
	if err != nil {
		v.status, v.note = http.StatusBadGateway, "the connection cannot be upgraded"
		panic(http.ErrAbortHandler)
	}
	// From here on the connections are watched by the copying below alone.
	x.stop()
	t := &tunnel{client: client, app: x.Conn}
	if !v.router.tunnels.add(t) {
		t.close()
		return
	}
	defer v.router.tunnels.remove(t)
	defer t.close()
	if _, err := buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\n"); err != nil {
		return
	}
	_ = h.Write(buffered)
	_, _ = buffered.WriteString("\r\n")
	if err := buffered.Flush(); err != nil {
		return
	}
	// A byte of either side is a sign of life of both.
	var alive func()
	if v.bounds.idle > 0 {
		alive = func() {
			until := time.Now().Add(v.bounds.idle)
			_, _ = client.SetReadDeadline(until), x.Conn.SetReadDeadline(until)
		}
	}
	var both sync.WaitGroup
	both.Go(func() { pump(x.Conn, buffered.Reader, t, alive) })
	both.Go(func() { pump(client, x.in, t, alive) })
	both.Wait()
}

// pump copies until an end, which ends both directions.
func pump(to io.Writer, from io.Reader, t *tunnel, alive func()) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	defer t.close()
	if alive == nil {
		_, _ = io.CopyBuffer(to, from, *buf)
		return
	}
	for {
		alive()
		n, err := from.Read(*buf)
		if n > 0 {
			if _, err := to.Write((*buf)[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
