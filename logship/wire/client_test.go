package wire

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurama/logship/record"
)

// agent is the far end of the socket, driven by the test.
type agent struct {
	t    *testing.T
	ln   net.Listener
	conn net.Conn
	in   *bufio.Reader
}

func listen(t *testing.T, path string) *agent {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return &agent{t: t, ln: ln}
}

func (a *agent) accept() {
	a.t.Helper()
	conn, err := a.ln.Accept()
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { conn.Close() })
	a.conn, a.in = conn, bufio.NewReader(conn)
}

// line reads a control line, or the msg of a record.
func (a *agent) line() string {
	a.t.Helper()
	_ = a.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	text, err := a.in.ReadString('\n')
	if err != nil {
		a.t.Fatal(err)
	}
	if strings.HasPrefix(text, "!") {
		return strings.TrimSpace(text)
	}
	var r record.Record
	if err := record.Decode([]byte(text), &r); err != nil {
		a.t.Fatal(err)
	}
	if r.ID.IsZero() || r.Time.IsZero() {
		a.t.Errorf("%s has no id or time", text)
	}
	return r.Msg
}

func (a *agent) ack(n int) { fmt.Fprintf(a.conn, "ack %d\n", n) }

func (a *agent) expect(want ...string) {
	a.t.Helper()
	for _, w := range want {
		if got := a.line(); got != w && !strings.HasPrefix(got, w+" ") {
			a.t.Fatalf("the agent got %q instead of %q", got, w)
		}
	}
}

func start(t *testing.T, path string, buffer int) *Client {
	t.Helper()
	c := New(path, Options{Buffer: buffer, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c
}

func send(c *Client, msgs ...string) {
	for _, m := range msgs {
		c.Send(&record.Record{Kind: record.KindLog, Tenant: "t", App: "a", Msg: m})
	}
}

func TestUnacknowledgedLinesAreSentAgainAfterAReconnect(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.sock")
	a := listen(t, path)
	c := start(t, path, 100)
	a.accept()
	send(c, "1", "2", "3")
	a.expect("1", "2", "3")
	a.ack(1)
	for {
		_, changed := c.buf.state()
		if acked, _ := c.buf.span(); acked == 1 {
			break
		}
		<-changed
	}
	a.conn.Close()

	send(c, "4")
	a.accept()
	a.expect("!resend", "2", "3", "4")
	a.ack(3)
	if err := c.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	send(c, "5")
	a.expect("5")
}

func TestWhatFindsNoRoomIsCountedAndTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.sock")
	c := start(t, path, 3)
	send(c, "1", "2", "3", "4", "5")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := c.Flush(ctx); err == nil {
		t.Error("Flush returned although no agent was there")
	}
	a := listen(t, path)
	a.accept()
	a.expect("1", "2", "3")
	a.ack(2)
	a.expect("2 records were dropped:")
	a.ack(4)
	if err := c.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLongAndManyLinesArriveInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.sock")
	a := listen(t, path)
	c := start(t, path, 5000)
	long := strings.Repeat("\x01", 200_000)
	go func() {
		for i := range 3000 {
			send(c, fmt.Sprint(i))
		}
		send(c, long)
	}()
	a.accept()
	for i := range 3000 {
		if got := a.line(); got != fmt.Sprint(i) {
			t.Fatalf("%q came as line %d", got, i)
		}
	}
	if got := a.line(); got != long {
		t.Errorf("the long line came with %d bytes", len(got))
	}
	a.ack(3001)
	if err := c.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}
