package dashboard

import (
	"context"
	"errors"
	"net/http"
	"sync"
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
	slot    chan *websocket.PreparedMessage // the latest frame, until it is being written

	cursor   uint64 // frame seen last; 0 before the first
	behind   bool   // a frame was passed over since
	filter   filter
	refilter bool // the filter changed since the last frame
}

// serve runs a client until it goes, stalls, loses its session or ctx ends.
func (s *Server) serve(ctx context.Context, c *client) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c.slot = make(chan *websocket.PreparedMessage, 1)
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

// read takes the client's messages until the connection ends.
func (s *Server) read(ctx context.Context, c *client) {
	changes := rate.NewLimiter(filterRate, filterBurst)
	c.conn.SetReadLimit(messageLimit)
	alive := func(string) error { return c.conn.SetReadDeadline(time.Now().Add(pongWait)) }
	_ = alive("")
	c.conn.SetPongHandler(alive)
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

// write sends frames as they come, pings, and looks now and then whether the
// client's session still holds.
func (s *Server) write(ctx context.Context, c *client) {
	pings := time.NewTicker(pingEvery)
	defer pings.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			s.close(c, websocket.CloseGoingAway, "the dashboard is stopping")
			return
		case m := <-c.slot:
			n--
			_ = c.conn.SetWriteDeadline(time.Now().Add(s.writeWait))
			if err := c.conn.WritePreparedMessage(m); err != nil {
				s.evict(c, err)
				return
			}
		case <-pings.C:
			if n%identifyEvery == 0 && !s.stillIs(ctx, c) {
				s.close(c, websocket.ClosePolicyViolation, "your session has ended: sign in again")
				return
			}
			if err := c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(s.writeWait)); err != nil {
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
	_ = c.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(time.Second))
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
