// Package wire is the ground for those who send records to the agent's
// platform socket: the router, paas and the alert service. Lines are kept in
// a bounded buffer until the agent has them safe, and sent again with the
// same ids after a reconnect. See section 5 of docs/design.md.
package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"kurama/logship/record"
)

const (
	// gather is how long lines are collected into one write.
	gather = 5 * time.Millisecond
	// retryMin and retryMax bound the pause between two attempts to connect.
	retryMin = 50 * time.Millisecond
	retryMax = time.Second
	// farewell bounds the writing of the last lines at the end.
	farewell = time.Second
)

// Options configures a Client.
type Options struct {
	Buffer int          // lines kept until they are acknowledged; 0 is 10 000
	Log    *slog.Logger // nil is slog.Default
}

// Client sends records to the agent. It is safe for concurrent use.
type Client struct {
	path string
	log  *slog.Logger
	buf  *buffer
	sent int // number behind the last line that was ever written; Run's alone
}

// New returns a client of the socket at path. Run connects it; records may be
// sent before.
func New(path string, opts Options) *Client {
	if opts.Buffer <= 0 {
		opts.Buffer = 10_000
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	return &Client{path: path, log: opts.Log, buf: newBuffer(opts.Buffer)}
}

// Send queues r; a missing id or time is filled in. It never blocks. False
// means that the buffer was full: the record is dropped and counted, and the
// count is sent as an event as soon as there is room.
func (c *Client) Send(r *record.Record) bool {
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	if r.ID.IsZero() {
		r.ID = record.NewID(r.Time)
	}
	return c.buf.add(r)
}

// Flush waits until the agent has acknowledged all that was sent so far or is
// sent meanwhile. Its error is ctx's.
func (c *Client) Flush(ctx context.Context) error {
	for {
		empty, changed := c.buf.state()
		if empty {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			acked, total := c.buf.span()
			return fmt.Errorf("%d records are not acknowledged: %w", total-acked, ctx.Err())
		}
	}
}

// patience is how long the agent may be away before that is worth a line: it
// starts at the same time as those who write to it.
const patience = 2 * time.Second

// Run keeps the client connected until ctx ends; then it writes what is
// queued within a second and returns nil. Who needs the acknowledgements
// calls Flush before.
func (c *Client) Run(ctx context.Context) error {
	retry, away, lost := retryMin, false, time.Now()
	for ctx.Err() == nil {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", c.path)
		if err == nil {
			if away {
				c.log.Info("The log agent is back.", "socket", c.path)
			}
			retry, away = retryMin, false
			err = c.session(ctx, conn)
			lost = time.Now()
		}
		if ctx.Err() != nil {
			return nil
		}
		if !away && time.Since(lost) >= patience {
			away = true
			c.log.Warn("The log agent is away; records wait in memory.", "socket", c.path, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
		retry = min(retry*2, retryMax)
	}
	return nil
}

// session serves one connection until it fails or ctx ends.
func (c *Client) session(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	first, _ := c.buf.span()
	failed := make(chan error, 1)
	go func() { failed <- c.readAcks(conn, first) }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now().Add(farewell)) })
	defer stop()

	var err error
	if c.sent > first {
		_, err = fmt.Fprintf(conn, "!resend %d\n", c.sent-first)
	}
	if err == nil {
		err = c.write(ctx, conn, first, failed)
	}
	conn.Close()
	if ackErr := <-failed; err == nil {
		err = ackErr
	}
	return err
}

// write sends lines from number next on as they come.
func (c *Client) write(ctx context.Context, conn net.Conn, next int, failed chan error) error {
	for {
		_, changed := c.buf.state()
		lines, after := c.buf.from(next)
		if len(lines) > 0 {
			c.sent = max(c.sent, after)
			if _, err := conn.Write(lines); err != nil {
				return fmt.Errorf("writing to the log agent: %w", err)
			}
			next = after
			continue
		}
		select {
		case <-ctx.Done():
			_, err := conn.Write([]byte("!bye\n"))
			return err
		case err := <-failed:
			failed <- err
			return err
		case <-changed:
		}
		select {
		case <-ctx.Done():
		case <-time.After(gather):
		}
	}
}

// readAcks takes acknowledgements of lines, which count from first.
func (c *Client) readAcks(conn net.Conn, first int) error {
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		count, ok := strings.CutPrefix(lines.Text(), "ack ")
		n, err := strconv.Atoi(count)
		if !ok || err != nil {
			return fmt.Errorf("the log agent answered %q", lines.Text())
		}
		c.buf.ack(first + n)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading acknowledgements: %w", err)
	}
	return errors.New("the log agent closed the connection")
}
