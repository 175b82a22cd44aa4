package router

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"kurama/paas"
)

const (
	dialTimeout  = 3 * time.Second
	refusedPause = 250 * time.Millisecond // a target that refused is asked again after it
	refusedLimit = 5 * time.Second        // so long a request is tried while every target refuses
	idleTimeout  = 30 * time.Second       // of a connection to a replica
	maxIdle      = 64                     // connections kept per replica
	maxHead      = 256 << 10              // bytes of an app's response headers
	bufferSize   = 8 << 10
)

// errHeadTooLarge means that an app sent headers without end.
var errHeadTooLarge = fmt.Errorf("the response headers are larger than %d KiB", maxHead>>10)

// target is a replica that takes requests, with its idle connections.
type target struct {
	paas.Target
	heard atomic.Int64 // how often something came from it: it lives

	// Guarded by the app's mu.
	inflight  int
	left      bool // no longer in the table
	downUntil time.Time
	health

	mu      sync.Mutex
	idle    []*conn // most recently used last
	retired bool
}

func newTarget(t paas.Target, now time.Time) *target {
	return &target{Target: t, health: health{since: now}}
}

// connect returns an idle connection that is still open, or a new one.
func (t *target) connect(ctx context.Context) (*conn, error) {
	for {
		c := t.takeIdle()
		if c == nil {
			return t.dial(ctx)
		}
		if c.alive() {
			return c, nil
		}
		c.Close()
	}
}

func (t *target) takeIdle() *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.idle) == 0 {
		return nil
	}
	c := t.idle[len(t.idle)-1]
	t.idle = t.idle[:len(t.idle)-1]
	return c
}

func (t *target) dial(ctx context.Context) (*conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	raw, err := dialer.DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return nil, err
	}
	return newConn(raw, &t.heard), nil
}

// keep puts c back for the next request.
func (t *target) keep(c *conn) {
	c.idleSince = time.Now()
	t.mu.Lock()
	full := t.retired || len(t.idle) >= maxIdle
	if !full {
		t.idle = append(t.idle, c)
	}
	t.mu.Unlock()
	if full {
		c.Close()
	}
}

// retire closes the idle connections; those in use close after their request.
func (t *target) retire() {
	t.mu.Lock()
	idle := t.idle
	t.idle, t.retired = nil, true
	t.mu.Unlock()
	closeAll(idle)
}

// revive lets a target that came back into the table keep connections again.
func (t *target) revive() {
	t.mu.Lock()
	t.retired = false
	t.mu.Unlock()
}

func (t *target) closeIdle(limit time.Time) {
	t.mu.Lock()
	n := 0
	for n < len(t.idle) && (limit.IsZero() || t.idle[n].idleSince.Before(limit)) {
		n++
	}
	old := t.idle[:n:n]
	t.idle = append([]*conn(nil), t.idle[n:]...)
	t.mu.Unlock()
	closeAll(old)
}

func closeAll(conns []*conn) {
	for _, c := range conns {
		c.Close()
	}
}

// conn is a connection to a replica.
type conn struct {
	net.Conn
	raw       syscall.RawConn // nil where the connection has none
	heard     *atomic.Int64   // the target's
	in        *bufio.Reader
	out       *bufio.Writer
	left      int64 // bytes that may still be read: bounds the headers
	idleSince time.Time
}

func newConn(raw net.Conn, heard *atomic.Int64) *conn {
	c := &conn{Conn: raw, heard: heard, left: math.MaxInt64}
	if s, ok := raw.(syscall.Conn); ok {
		c.raw, _ = s.SyscallConn()
	}
	c.in = bufio.NewReaderSize(c, bufferSize)
	c.out = bufio.NewWriterSize(raw, bufferSize)
	return c
}

// Read reads from the replica, at most as much as the headers may have.
func (c *conn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errHeadTooLarge
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.Conn.Read(p)
	c.left -= int64(n)
	if n > 0 {
		c.heard.Add(1)
	}
	return n, err
}

// alive reports whether an idle connection can take a request: open, and with
// nothing to read. It asks the kernel without waiting.
func (c *conn) alive() bool {
	if c.raw == nil || c.in.Buffered() > 0 || time.Since(c.idleSince) > idleTimeout {
		return false
	}
	alive := false
	err := c.raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		alive = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err == nil && alive
}
