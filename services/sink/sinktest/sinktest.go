// Package sinktest gives the tests of the sinks a real stream and records to
// put on it.
package sinktest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/logship/stream"
)

// deadline bounds everything that a test waits for.
const deadline = 30 * time.Second

// token is the shared secret of every test's stream.
const token = "secret"

func settings() config.Stream {
	cfg := config.Default().Stream
	cfg.Listen, cfg.Sync, cfg.MaxBytes = "127.0.0.1:0", false, 512*config.MiB
	return cfg
}

// Server starts a JetStream in a folder of its own and returns its address.
func Server(t testing.TB) (url string) {
	t.Helper()
	server, err := stream.NewServer(settings(), t.TempDir(), token, Log())
	if err != nil {
		t.Fatalf("starting the stream: %v", err)
	}
	Start(t, server.Run)
	return server.URL()
}

// Connect connects to the stream at url, for which it does not wait.
func Connect(ctx context.Context, url string) (*stream.Stream, error) {
	return stream.Connect(ctx, settings(), url, token, Log())
}

// Stream starts a JetStream and connects to it.
func Stream(t testing.TB) *stream.Stream {
	t.Helper()
	return Client(t, Server(t))
}

// Client connects to the stream at url and waits until it answers.
func Client(t testing.TB, url string) *stream.Stream {
	t.Helper()
	client, err := Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connecting to the stream: %v", err)
	}
	t.Cleanup(client.Close)
	Eventually(t, "the stream answers", func() bool {
		_, _, err := client.Bounds(t.Context())
		return err == nil
	})
	return client
}

// Log returns a logger that discards everything.
func Log() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Start runs a role in the background and returns a function that stops it and
// waits; the end of the test does so too.
func Start(t testing.TB, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("a role ended with an error: %v", err)
			}
		case <-time.After(deadline):
			t.Error("a role did not stop")
		}
	})
	t.Cleanup(stop)
	return stop
}

// Eventually polls until holds returns true.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	end := time.Now().Add(deadline)
	for !holds() {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", deadline, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Publish puts records on the stream as one batch and returns its sequence.
func Publish(t testing.TB, s *stream.Stream, records ...record.Record) uint64 {
	t.Helper()
	var batch []byte
	for i := range records {
		batch = record.Append(batch, &records[i])
	}
	return PublishRaw(t, s, batch, len(records))
}

// PublishRaw puts a batch on the stream as it is.
func PublishRaw(t testing.TB, s *stream.Stream, batch []byte, records int) uint64 {
	t.Helper()
	seq, err := s.Publish(t.Context(), "host", record.NewID(time.Now()).String(), batch, records)
	if err != nil {
		t.Fatalf("publishing: %v", err)
	}
	return seq
}

// Request returns the i-th request record of an app, made at at.
func Request(tenant, app string, i int, at time.Time) record.Record {
	return record.Record{
		Time: at.UTC().Truncate(time.Microsecond), ID: record.NewID(at), Kind: record.KindRequest, Level: record.LevelInfo,
		Tenant: tenant, App: app, Release: 3, Replica: app + "-3-abcdef",
		Method: "GET", URL: fmt.Sprintf("/user/%d?tab=posts", i), Route: "/user/<id>", Status: 200,
		Msg: fmt.Sprintf("GET /user/%d 200 12.3 ms", i),
		CPU: record.Num(12.5), Disk: record.Num(1.25), Swap: record.Num(0), Mem: record.Num(22.4),
		Dur: record.Num(12.3), Queue: record.Num(0.4), CPUMs: record.Num(3.1), DBMs: record.Num(0.9), Bytes: record.Num(2048), Req: fmt.Sprintf("req-%d", i),
	}
}
