package logship

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"kurama/logship/record"
)

const (
	// lineFactor times logship.max_line bounds one line on a socket: escapes make a text longer, and a record has several.
	lineFactor = 4
	// ackTimeout bounds the writing of one acknowledgement; a client that does not read them is let go.
	ackTimeout = 10 * time.Second
	// lingerTimeout bounds how long a client that has said all is kept for its last acknowledgements.
	lingerTimeout = 5 * time.Second
	// loadTimeout bounds reading back the stream for lines that are sent again.
	loadTimeout = 20 * time.Second
)

// session is one connection of a client.
type session struct {
	agent *Agent
	conn  net.Conn
	from  *replica // nil on the platform socket
	limit bound    // of a replica

	lines  int64 // lines that came, control lines not counted
	rec    record.Record
	resend int  // of the lines to come, how many may have come before
	loaded bool // seen was asked to read back for this resend
	check  bool // the stream could not be asked: check before publishing

	acked atomic.Int64
	wake  chan struct{}
}

// durable is called by the shipper.
func (s *session) durable(position int64) {
	s.acked.Store(position)
	notify(s.wake)
}

// start reads the connection until it ends, or the agent's sources do, and
// acknowledges as lines become durable. left is called when the client is gone.
func (s *session) start(left func()) {
	ended := make(chan struct{})
	s.agent.acking.Go(func() {
		defer left()
		defer s.conn.Close()
		s.acknowledge(ended, s.agent.stop)
	})
	s.agent.reading.Go(func() {
		defer close(ended)
		ctx := s.agent.sources
		interrupt := context.AfterFunc(ctx, func() { _ = s.conn.SetReadDeadline(time.Unix(1, 0)) })
		defer interrupt()
		err := s.read(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, io.EOF) {
			s.agent.log.Debug("A client's connection broke.", "client", s.name(), "error", err)
		}
	})
}

// accept serves the clients of l until it is closed or the sources end. Those
// of a replica's socket (from is not nil) are bound to its identity.
func (a *Agent) accept(l *net.UnixListener, from *replica) {
	var slots chan struct{}
	var limit bound
	if from != nil {
		slots, limit = make(chan struct{}, maxSessions), a.boundOf(from)
	}
	interrupt := context.AfterFunc(a.sources, func() { l.Close() })
	a.reading.Go(func() {
		defer interrupt()
		defer l.Close()
		for {
			conn, err := l.AcceptUnix()
			switch {
			case errors.Is(err, net.ErrClosed):
				return
			case err != nil:
				a.log.Error("A client cannot be accepted.", "error", err)
				wait(a.sources, time.Second)
				continue
			}
			if slots != nil {
				select {
				case slots <- struct{}{}:
				default:
					conn.Close() // one app cannot take all of the agent's memory
					continue
				}
			}
			a.count.sessions.Inc()
			s := &session{agent: a, conn: conn, from: from, limit: limit, wake: make(chan struct{}, 1)}
			s.start(func() {
				a.count.sessions.Dec()
				if slots != nil {
					<-slots
				}
			})
		}
	})
}

// boundOf returns what a replica's app may send.
func (a *Agent) boundOf(p *replica) bound {
	return bound{rate: a.limits.of(p.who.Tenant, p.who.App), day: a.allowances.of(p.who.Tenant)}
}

func (s *session) name() string {
	if s.from == nil {
		return "platform"
	}
	return s.from.who.Replica
}

// acknowledge writes the newest position as it moves on. After the client's
// end it goes on until all is acknowledged, for a while.
func (s *session) acknowledge(ended, stop <-chan struct{}) {
	var told int64
	var expired <-chan time.Time
	for {
		if at := s.acked.Load(); at > told {
			told = at
			_ = s.conn.SetWriteDeadline(time.Now().Add(ackTimeout))
			if _, err := fmt.Fprintf(s.conn, "ack %d\n", told); err != nil {
				s.conn.Close()
				<-ended
				return
			}
			continue
		}
		if expired != nil && told == s.lines {
			return
		}
		select {
		case <-s.wake:
		case <-stop:
			if s.acked.Load() == told {
				return
			}
		case <-expired:
			return
		case <-ended:
			ended = nil
			timer := time.NewTimer(lingerTimeout)
			defer timer.Stop()
			expired = timer.C
		}
	}
}

func (s *session) read(ctx context.Context) error {
	limit := lineFactor * int(s.agent.cfg.MaxLine)
	lines := newLineReader(s.conn, limit)
	for {
		line, cut, err := lines.next()
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return ctx.Err()
			}
			return err
		}
		if cut == 0 && len(line) > 0 && line[0] == '!' && s.control(string(line)) {
			continue
		}
		s.lines++
		if err := s.take(ctx, line, cut); err != nil {
			return err
		}
	}
}

// control obeys a control line; false means that it is none.
func (s *session) control(line string) bool {
	if line == "!bye" {
		return true
	}
	count, ok := strings.CutPrefix(line, "!resend ")
	n, err := strconv.Atoi(count)
	if !ok || err != nil || n < 0 {
		return false
	}
	s.resend, s.loaded, s.check = n, false, false
	return true
}

// take puts one line on its way.
func (s *session) take(ctx context.Context, line []byte, cut int) error {
	s.agent.count.lines.Inc()
	if len(line) == 0 {
		return s.agent.batches.add(ctx, nil, s, s.lines, false)
	}
	r := &s.rec
	if cut > 0 || record.Decode(line, r) != nil {
		textRecord(r, line)
		r.Msg = cutText(r.Msg, int(s.agent.cfg.MaxLine), cut)
	}
	known, err := s.known(ctx, r.ID)
	if err != nil {
		return err
	}
	if known || !s.agent.allowed(s, s.from, s.limit, r, len(line)+cut) {
		return s.agent.batches.add(ctx, nil, s, s.lines, false)
	}
	return s.agent.batches.add(ctx, r, s, s.lines, s.check)
}

// allowed stamps and cleans r, which of sent as a line of size bytes, and asks
// the app's bounds; from is nil for a record of the platform.
func (a *Agent) allowed(of source, from *replica, limit bound, r *record.Record, size int) bool {
	now := time.Now()
	complete(r, now)
	if from == nil {
		if r.Kind == record.KindRequest {
			if p := a.replicaNamed(r.Replica); p != nil {
				p.fill(r)
			}
		}
	} else {
		if cause := limit.refuses(now, size, a.causes); cause != "" {
			a.lose(of, from, cause, droppedCount(r))
			return false
		}
		from.stamp(r, now)
	}
	clean(r, int(a.cfg.MaxLine))
	return true
}

// known reports whether the line was sent before and is safe already.
func (s *session) known(ctx context.Context, id record.ID) (bool, error) {
	if s.resend == 0 {
		s.check = false
		return false, nil
	}
	s.resend--
	if id.IsZero() {
		return false, nil
	}
	if !s.loaded {
		s.loaded = true
		var err error
		if s.from != nil {
			// Reading back costs the host: an app that asks again and again waits for it.
			if err := s.from.resends.Wait(ctx); err != nil {
				return false, err
			}
		}
		if s.check, err = s.agent.readBack(ctx, idTime(id).Add(-time.Second)); err != nil {
			return false, err
		}
	}
	return s.agent.seen.has(id), nil
}
