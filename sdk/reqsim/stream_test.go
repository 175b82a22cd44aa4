package reqsim

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"net"
	"path/filepath"
	"strings"
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

func TestAStreamKeepsItsShape(t *testing.T) {
	f := func(shape Shape, at, want float64) {
		t.Helper()
		p := StreamPlan{Shape: shape, Rate: 100, Peak: 500, Duration: 10 * time.Second, Period: 10 * time.Second}
		if got := p.by(at); math.Abs(got-want) > 0.5 {
			t.Errorf("%s: %g records are due after %g s, want %g", shape, got, at, want)
		}
	}
	f(Constant, 3, 300)
	f(Ramp, 10, 3000)
	f(Ramp, 12, 4000) // at its peak from then on
	f(Spike, 4, 400)
	f(Spike, 6, 1400)
	f(Spike, 16, 3200) // and again
	f(Sine, 10, 3000)
	f(Sine, 20, 6000)

	socket := filepath.Join(t.TempDir(), "agent.sock")
	startAgent(t, socket, true)
	r, err := Stream(t.Context(), StreamPlan{Socket: socket, App: "hello", Records: 600, Shape: Ramp, Rate: 200, Peak: 2200, Duration: 500 * time.Millisecond}, nil)
	if err != nil || r.Acknowledged != 600 || r.Seconds < 0.49 || r.Seconds > 2 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, p := range []StreamPlan{{Shape: Poisson}, {Shape: Ramp}, {Shape: Sine, Duration: time.Second, Rate: -1, Peak: 5},
		{Form: RecordForm{Kinds: []record.Kind{record.KindSample}}}, {Form: RecordForm{Message: 20_000}}, {Form: RecordForm{Errors: new(1.5)}}} {
		p.Socket, p.App, p.Records = socket, "hello", 1
		if _, err := Stream(t.Context(), p, nil); err == nil {
			t.Errorf("%+v was sent", p)
		}
	}
}

func TestSyntheticRecords(t *testing.T) {
	f := RecordForm{Kinds: []record.Kind{record.KindLog, record.KindEvent, record.KindRequest}, Message: 300, Errors: new(0.25), Fields: map[string]string{"user": "ann"}}
	if err := f.complete(); err != nil {
		t.Fatal(err)
	}
	bad := 0
	for n := range 300 {
		r := f.make(n, time.Now(), "default", "hello")
		if r.Level == record.LevelError {
			bad++
		}
		if r.Kind != f.Kinds[n%3] || len(r.Msg) != 300 || (r.Kind == record.KindRequest) != (r.Status > 0) || (r.Kind != record.KindRequest) != strings.Contains(string(r.Extra), `"user":"ann"`) {
			t.Fatalf("%+v", r)
		}
	}
	if bad != 75 {
		t.Errorf("%d of 300 records are errors", bad)
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
