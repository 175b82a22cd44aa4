package reqsim

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"kurama/logship/record"
)

// agent is the other end of the socket: it decodes and acknowledges.
type agent struct {
	mu       sync.Mutex
	requests int
	logs     int
	ids      map[record.ID]bool
}

func startAgent(t *testing.T, path string, acks bool) *agent {
	t.Helper()
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{ids: map[record.ID]bool{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		a.serve(conn, acks)
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return a
}

func (a *agent) serve(conn net.Conn, acks bool) {
	in := bufio.NewScanner(conn)
	for n := 0; in.Scan(); {
		if in.Bytes()[0] == '!' {
			continue
		}
		var r record.Record
		if err := record.Decode(in.Bytes(), &r); err != nil || r.Tenant != "default" || r.App != "hello" {
			return
		}
		a.mu.Lock()
		if r.Kind == record.KindRequest {
			a.requests++
		} else {
			a.logs++
		}
		a.ids[r.ID] = true
		a.mu.Unlock()
		if n++; acks {
			_, _ = fmt.Fprintf(conn, "ack %d\n", n)
		}
	}
}

func TestAStreamIsAcknowledgedToTheLastRecord(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "agent.sock")
	a := startAgent(t, socket, true)
	last := 0
	r, err := Stream(t.Context(), StreamPlan{Socket: socket, App: "hello", Records: 2*window + 1, Rate: -1}, func(sent int) { last = sent })
	if err != nil {
		t.Fatal(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.Acknowledged != 2*window+1 || r.Requests != window+1 || a.requests != r.Requests || a.logs != r.Logs || len(a.ids) != r.Records || last != r.Records {
		t.Errorf("%+v; the agent has %d requests, %d logs, %d ids", r, a.requests, a.logs, len(a.ids))
	}
}

func TestAStreamKeepsItsRate(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "agent.sock")
	startAgent(t, socket, true)
	r, err := Stream(t.Context(), StreamPlan{Socket: socket, App: "hello", Records: 1000, Rate: 2000}, nil)
	if err != nil || r.Acknowledged != 1000 || r.Seconds < 0.49 || r.Rate > 2050 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestAStreamWithoutAnAnswerEndsWithItsContext(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "agent.sock")
	startAgent(t, socket, false)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	r, err := Stream(ctx, StreamPlan{Socket: socket, App: "hello", Records: 100, Rate: -1}, nil)
	if err == nil || r.Records != 100 || r.Acknowledged != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}
