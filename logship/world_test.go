package logship

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/logship/stream"
	"kurama/logship/wire"
)

// world is a stream and a folder for the agents of one test.
type world struct {
	t      testing.TB
	dir    string // of the stream
	run    string
	cfg    config.Stream
	ship   config.Logship
	url    string
	client *stream.Stream
	stop   func() // stops the server
	log    *slog.Logger
}

func newWorld(t testing.TB) *world {
	t.Helper()
	run, err := os.MkdirTemp("", "kr") // a short path: sockets lie in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(run) })
	w := &world{t: t, dir: t.TempDir(), run: run, cfg: config.Default().Stream, ship: config.Default().Logship,
		log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))}
	w.cfg.Listen = "127.0.0.1:0"
	w.serve()
	w.client = w.connect()
	return w
}

// serve starts the stream, again at the same address.
func (w *world) serve() {
	w.t.Helper()
	s, err := stream.NewServer(w.cfg, w.dir, "secret", slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx); err != nil {
			w.t.Error(err)
		}
	}()
	w.url = s.URL()
	w.cfg.Listen = strings.TrimPrefix(w.url, "nats://")
	w.stop = func() {
		cancel()
		<-done
	}
	w.t.Cleanup(w.stop)
}

func (w *world) connect() *stream.Stream {
	w.t.Helper()
	c, err := stream.Connect(w.t.Context(), w.cfg, w.url, "secret", w.log)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.Close)
	return c
}

// agent runs an agent; the function ends it.
func (w *world) agent(change func(*Options)) (a *Agent, end func()) {
	w.t.Helper()
	opts := Options{Host: "host", RunDir: w.run, SpoolDir: filepath.Join(w.run, "spool"), Stream: w.connect(), Log: w.log}
	if change != nil {
		change(&opts)
	}
	a, err := New(w.ship, opts)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := a.Run(ctx); err != nil {
			w.t.Error(err)
		}
	}()
	end = func() {
		cancel()
		<-done
	}
	w.t.Cleanup(end)
	return a, end
}

// killable starts an agent as a process; the function kills it.
func (w *world) killable() (kill func()) {
	w.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "AGENT_TEST_RUN="+w.run, "AGENT_TEST_URL="+w.url)
	cmd.Stderr = w.t.Output()
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	w.t.Cleanup(kill)
	return kill
}

// sender runs a client of the platform socket.
func (w *world) sender() *wire.Client {
	c := wire.New(filepath.Join(w.run, "agent.sock"), wire.Options{Buffer: 100_000, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Run(ctx)
	}()
	w.t.Cleanup(func() {
		cancel()
		<-done
	})
	return c
}

func flush(t testing.TB, c *wire.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := c.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// records returns everything on the stream that match wants, after waiting
// until n of them are there.
func (w *world) records(n int, match func(*record.Record) bool) []record.Record {
	w.t.Helper()
	var got []record.Record
	for deadline := time.Now().Add(30 * time.Second); ; {
		got = got[:0]
		err := w.client.Scan(w.t.Context(), "host", time.Now().Add(-time.Hour), func(b stream.Batch) error {
			return record.Each(b.Lines(new([]byte)), func(r *record.Record) error {
				if match(r) {
					got = append(got, *r)
				}
				return nil
			})
		})
		if err == nil && len(got) >= n {
			return got
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%d of %d records are on the stream: %v", len(got), n, err)
		}
		wait(w.t.Context(), 20*time.Millisecond)
	}
}

// exactlyOnce checks that the messages 0…n-1 of the app are there once each, in order.
func (w *world) exactlyOnce(app string, n int) {
	w.t.Helper()
	got := w.records(n, func(r *record.Record) bool { return r.App == app && r.Kind == record.KindLog })
	ids := map[record.ID]bool{}
	for i, r := range got {
		if ids[r.ID] {
			w.t.Errorf("record %s is there twice", r.Msg)
		}
		ids[r.ID] = true
		if r.Msg != fmt.Sprint(i) {
			w.t.Fatalf("record %q is in place %d", r.Msg, i)
		}
	}
	if len(got) != n {
		w.t.Errorf("%d records are on the stream instead of %d", len(got), n)
	}
}

func logRecord(app string, i int) *record.Record {
	return &record.Record{Kind: record.KindLog, Level: record.LevelInfo, Tenant: "t", App: app, Replica: app + "-1-aaaaaa", Msg: fmt.Sprint(i)}
}
