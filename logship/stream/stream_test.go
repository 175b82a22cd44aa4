package stream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"kurama/internal/config"
)

// TestMain makes the test binary a stream server of its own where the
// environment asks for it, so that a test can kill one.
func TestMain(m *testing.M) {
	dir := os.Getenv("STREAM_TEST_DIR")
	if dir == "" {
		os.Exit(m.Run())
	}
	cfg := config.Default().Stream
	cfg.Listen = os.Getenv("STREAM_TEST_LISTEN")
	s, err := NewServer(cfg, dir, "secret", slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.URL())
	_ = s.Run(context.Background())
}

// process starts a server process and returns its url.
func process(t *testing.T, dir, listen string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STREAM_TEST_DIR="+dir, "STREAM_TEST_LISTEN="+listen)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	if !strings.HasPrefix(line, "nats://") {
		t.Fatalf("the server says %q", line)
	}
	return cmd, strings.TrimSpace(line)
}

func setup(t *testing.T) (*Stream, config.Stream) {
	t.Helper()
	cfg := config.Default().Stream
	cfg.Listen = "127.0.0.1:0"
	s, err := NewServer(cfg, t.TempDir(), "secret", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return connect(t, cfg, s.URL(), "secret"), cfg
}

func connect(t *testing.T, cfg config.Stream, url, token string) *Stream {
	t.Helper()
	c, err := Connect(t.Context(), cfg, url, token, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// publish publishes the batch of number n, trying until the stream takes it.
func publish(t *testing.T, c *Stream, n int) uint64 {
	t.Helper()
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		var seq uint64
		seq, err = c.Publish(ctx, "host.1", fmt.Sprintf("agent-%d", n), fmt.Appendf(nil, "{\"msg\":\"%d\"}\n", n), 1)
		cancel()
		if err == nil {
			return seq
		}
		pause(t.Context(), 20*time.Millisecond)
	}
	t.Fatal(err)
	return 0
}

// read reads until n batches came, and checks that positions are without gap.
func read(t *testing.T, r *Reader, from uint64, n int) []Batch {
	t.Helper()
	var got []Batch
	for deadline := time.Now().Add(20 * time.Second); len(got) < n; {
		more, err := r.Next(t.Context(), min(7, n-len(got)), 100*time.Millisecond)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%d of %d batches came: %v", len(got), n, err)
		}
		got = append(got, more...)
	}
	for i, b := range got {
		if b.Seq != from+uint64(i) {
			t.Fatalf("batch %d came as number %d from %d", b.Seq, i, from)
		}
	}
	return got
}

func TestABatchIsStoredOnceAndReadAsItWas(t *testing.T) {
	c, _ := setup(t)
	first, again := publish(t, c, 1), publish(t, c, 1)
	if first != 1 || again != 1 {
		t.Errorf("the batch got the positions %d and %d", first, again)
	}
	r, err := c.Reader(t.Context(), "test", 0, "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := read(t, r, 1, 1)[0]
	if b.ID != "agent-1" || b.Host != "host_1" || b.Records != 1 || string(b.Data) != "{\"msg\":\"1\"}\n" || b.At.IsZero() {
		t.Errorf("the batch came as %+v", b)
	}
}

func TestAReaderStartsWhereItIsTold(t *testing.T) {
	c, _ := setup(t)
	for n := range 20 {
		publish(t, c, n)
	}
	for _, from := range []uint64{15, 3} {
		r, err := c.Reader(t.Context(), "test", from, "")
		if err != nil {
			t.Fatal(err)
		}
		got := read(t, r, from, 20-int(from)+1)
		if err := r.Ack(got[len(got)-1].Seq); err != nil {
			t.Error(err)
		}
		r.Close()
	}
	if first, last, err := c.Bounds(t.Context()); first != 1 || last != 20 || err != nil {
		t.Errorf("the bounds are %d to %d, %v", first, last, err)
	}
}

func TestATailReadsNewBatchesOnly(t *testing.T) {
	c, _ := setup(t)
	publish(t, c, 1)
	r, err := c.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	publish(t, c, 2)
	read(t, r, 2, 1)
}

func TestNobodyEntersWithoutTheToken(t *testing.T) {
	_, cfg := setup(t)
	s, err := NewServer(cfg, t.TempDir(), "right", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	c := connect(t, cfg, s.URL(), "wrong")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := c.Publish(ctx, "h", "1", []byte("{}\n"), 1); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Errorf("with a wrong token Publish returns %v", err)
	}
}

func TestNothingAcknowledgedIsLostWhenTheServerIsKilled(t *testing.T) {
	dir := t.TempDir()
	server, url := process(t, dir, "127.0.0.1:0")
	c := connect(t, config.Default().Stream, url, "secret")
	durable, err := c.Reader(t.Context(), "test", 1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer durable.Close()
	for n := range 50 {
		publish(t, c, n)
	}
	tail, err := c.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tail.Close()
	read(t, durable, 1, 10)

	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait()
	process(t, dir, strings.TrimPrefix(url, "nats://"))
	for n := range 60 { // the first 50 are known by their ids
		publish(t, c, n)
	}
	read(t, durable, 11, 50)
	read(t, tail, 51, 10)
}

func TestAReaderOfAStreamThatIsReplacedEnds(t *testing.T) {
	dir := t.TempDir()
	server, url := process(t, dir, "127.0.0.1:0")
	c := connect(t, config.Default().Stream, url, "secret")
	for n := range 3 {
		publish(t, c, n)
	}
	before, err := c.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	running, err := c.Reader(t.Context(), "test", 1, before.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	read(t, running, 1, 3)
	_ = server.Process.Kill()
	_ = server.Wait()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	process(t, dir, strings.TrimPrefix(url, "nats://"))
	for n := range 5 { // further than the former one
		publish(t, c, 100+n)
	}
	late, err := c.Reader(t.Context(), "late", 4, before.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	for name, r := range map[string]*Reader{"one that was open": running, "one that is opened at a position of the former": late} {
		var batches []Batch
		err = nil
		for deadline := time.Now().Add(20 * time.Second); err == nil && time.Now().Before(deadline); {
			batches, err = r.Next(t.Context(), 10, 100*time.Millisecond)
		}
		if !errors.Is(err, ErrReplaced) || len(batches) > 0 {
			t.Errorf("%s returns %d batches and %v", name, len(batches), err)
		}
	}
	after, err := c.State(t.Context())
	if err != nil || after.ID == before.ID || after.Last != 5 {
		t.Errorf("the state is %+v after %+v: %v", after, before, err)
	}
}
