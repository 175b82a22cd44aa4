package dashboard

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"
)

// Bounds of a connection. A client that takes no byte for writeWait is cut
// off; one that answers no ping is gone after pongWait.
const (
	defaultWriteWait = 10 * time.Second
	pingEvery        = 20 * time.Second
	pongWait         = 50 * time.Second
	identifyEvery    = 3 // pings between two looks at whether the session still holds
	messageLimit     = 4 << 10
)

// A client may change its filter twice a second, and ten times in a row; what
// comes faster waits in the connection.
const (
	filterRate  = 2
	filterBurst = 10
)

// client is one open page. The hub owns the lower fields.
type client struct {
	key
	conn    *websocket.Conn
	request *http.Request // to identify its sender again
	who     Identity

	raw     syscall.RawConn // of conn; nil where it has none
	pending atomic.Bool     // a frame is on its way: the hub passes the client over
	slot    chan []byte     // what of it the connection did not take at once
	out     sync.Mutex      // held while something is written
	cut     bool            // the connection has a part of a frame: nothing else may come before the rest

	cursor   uint64 // frame seen last; 0 before the first
	behind   bool   // a frame was passed over since
	filter   filter
	refilter bool // the filter changed since the last frame
}

// serve runs a client until it goes, stalls, loses its session or ctx ends.
func (s *Server) serve(ctx context.Context, c *client) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c.attach()
	if !s.hub.subscribe(c) {
		s.close(c, websocket.CloseGoingAway, "the dashboard is stopping")
		return
	}
	s.counters.clients.Inc()
	defer s.counters.clients.Dec()
	var writing sync.WaitGroup
	writing.Go(func() {
		s.write(ctx, c)
		_ = c.conn.Close() // ends read
	})
	s.read(ctx, c)
	stop()
	writing.Wait()
	s.hub.unsubscribe(c)
}

// attach readies the client for frames.
func (c *client) attach() {
	c.slot = make(chan []byte, 1)
	if conn, ok := c.conn.NetConn().(syscall.Conn); ok {
		if raw, err := conn.SyscallConn(); err == nil {
			c.raw = raw
		}
	}
}

// offer writes a frame as far as the connection takes it at once; the rest goes
// to the client's own goroutine.
func (c *client) offer(frame []byte, w *writer) {
	rest := frame
	if c.raw != nil && c.out.TryLock() {
		rest = w.write(c.raw, frame)
		c.cut = len(rest) > 0 && len(rest) < len(frame)
		c.out.Unlock()
	}
	if len(rest) == 0 {
		c.pending.Store(false)
		return
	}
	c.slot <- rest // there is room: only one frame is on its way at a time
}

// finish writes the rest of a frame, which may take as long as wait.
func (c *client) finish(rest []byte, wait time.Duration) error {
	c.out.Lock()
	defer c.out.Unlock()
	conn := c.conn.NetConn()
	_ = conn.SetWriteDeadline(time.Now().Add(wait))
	if _, err := conn.Write(rest); err != nil {
		c.cut = true
		return err
	}
	c.cut = false
	c.pending.Store(false)
	return nil
}

// control writes a control frame, unless it would stand within another frame.
func (c *client) control(kind int, data []byte, wait time.Duration) error {
	c.out.Lock()
	defer c.out.Unlock()
	if c.cut {
		return nil
	}
	return c.conn.WriteControl(kind, data, time.Now().Add(wait))
}

// read takes the client's messages until the connection ends.
func (s *Server) read(ctx context.Context, c *client) {
	changes := rate.NewLimiter(filterRate, filterBurst)
	c.conn.SetReadLimit(messageLimit)
	alive := func(string) error { return c.conn.SetReadDeadline(time.Now().Add(pongWait)) }
	_ = alive("")
	c.conn.SetPongHandler(alive)
	c.conn.SetPingHandler(func(data string) error { return c.control(websocket.PongMessage, []byte(data), time.Second) })
	for {
		_, message, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		f, err := parseFilter(message)
		if err != nil {
			s.close(c, websocket.CloseUnsupportedData, err.Error())
			return
		}
		if changes.Wait(ctx) != nil {
			return
		}
		s.hub.filter(c, f)
	}
}

// write sends what is left of frames, pings, and looks now and then whether the
// client's session still holds.
func (s *Server) write(ctx context.Context, c *client) {
	pings := time.NewTicker(pingEvery)
	defer pings.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			s.close(c, websocket.CloseGoingAway, "the dashboard is stopping")
			return
		case rest := <-c.slot:
			n--
			if err := c.finish(rest, s.writeWait); err != nil {
				s.evict(c, err)
				return
			}
		case <-pings.C:
			if n%identifyEvery == 0 && !s.stillIs(ctx, c) {
				s.close(c, websocket.ClosePolicyViolation, "your session has ended: sign in again")
				return
			}
			if err := c.control(websocket.PingMessage, nil, s.writeWait); err != nil {
				return
			}
		}
	}
}

// evict cuts off a client that took too long; others that ended are not counted.
func (s *Server) evict(c *client, err error) {
	var timeout interface{ Timeout() bool }
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		return
	}
	s.counters.evicted.Inc()
	s.log.Info("cut off a client that does not keep up", "tenant", c.tenant, "app", c.app, "user", c.who.User)
	s.close(c, websocket.CloseTryAgainLater, "too slow")
}

// close says goodbye where the connection still takes it. The reason is cut to
// what a control frame holds.
func (s *Server) close(c *client, code int, reason string) {
	message := websocket.FormatCloseMessage(code, cut(reason, 100))
	_ = c.control(websocket.CloseMessage, message, time.Second)
	_ = c.conn.Close()
}

// stillIs reports whether the request's session still belongs to who it did. A
// fault of the look-up takes nobody's page away.
func (s *Server) stillIs(ctx context.Context, c *client) bool {
	who, err := s.identify(c.request.WithContext(ctx))
	if err != nil {
		return !errors.Is(err, ErrUnauthenticated)
	}
	return who.User == c.who.User && who.Tenant == c.who.Tenant && who.Role == c.who.Role
}
