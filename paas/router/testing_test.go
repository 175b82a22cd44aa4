package router

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/paas"
)

const patience = 10 * time.Second

// sink keeps the records that the router sends.
type sink struct {
	mu   sync.Mutex
	kept []record.Record
}

func (s *sink) Send(r *record.Record) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, *r)
	return true
}

func (s *sink) of(kind record.Kind) []record.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []record.Record
	for _, r := range s.kept {
		if r.Kind == kind {
			found = append(found, r)
		}
	}
	return found
}

// request returns the n-th request record, waiting for it.
func (s *sink) request(t *testing.T, n int) record.Record {
	t.Helper()
	eventually(t, fmt.Sprintf("request record %d", n), func() bool { return len(s.of(record.KindRequest)) >= n })
	return s.of(record.KindRequest)[n-1]
}

// bench is a running router with what a test needs of it.
type bench struct {
	*Router
	records *sink
	url     string
	client  *Client
	state   string
	stop    func()
	version int64
	http    *http.Client
}

func testConfig() config.Router {
	cfg := config.Default().Router
	cfg.RequestTimeout, cfg.HoldTimeout = 5*time.Second, 5*time.Second
	return cfg
}

func start(t testing.TB, cfg config.Router) *bench {
	t.Helper()
	return startAt(t, cfg, filepath.Join(t.TempDir(), "router", "table.json"))
}

func startAt(t testing.TB, cfg config.Router, state string) *bench {
	t.Helper()
	return startOn(t, cfg, Options{Listener: listen(t), StatePath: state})
}

// startOn starts a router with what opts gives; the rest is filled in.
func startOn(t testing.TB, cfg config.Router, opts Options) *bench {
	t.Helper()
	dir, err := os.MkdirTemp("", "kr") // short: a socket's path is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "router.sock")
	control, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{records: &sink{}, client: NewClient(path), state: opts.StatePath, url: "http://" + opts.Listener.Addr().String()}
	opts.Control, opts.Domain, opts.Records, opts.StopTimeout = control, "localhost", b.records, 5*time.Second
	b.Router, err = New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	b.http = &http.Client{Transport: transport, Timeout: 2 * patience}
	t.Cleanup(func() { transport.CloseIdleConnections(); b.stop() })
	return b
}

// route puts a table with one app, hello, into force.
func (b *bench) route(t testing.TB, targets ...paas.Target) {
	t.Helper()
	b.routeState(t, paas.AppRunning, targets...)
}

func (b *bench) routeState(t testing.TB, state paas.AppState, targets ...paas.Target) {
	t.Helper()
	b.version++
	err := b.client.Apply(t.Context(), paas.Table{Version: b.version, Routes: []paas.Route{{
		Tenant: "default", App: "hello", Hosts: paas.Hosts("default", "hello", "localhost"), State: state, Targets: targets,
	}}})
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) request(t testing.TB, method, path string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "hello.localhost"
	return r
}

// get returns status and body of a GET.
func (b *bench) get(t testing.TB, path string) (int, string) {
	t.Helper()
	return b.do(t, b.request(t, "GET", path, nil))
}

func (b *bench) do(t testing.TB, r *http.Request) (int, string) {
	t.Helper()
	resp, err := b.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// replica starts a backend and returns it as a target.
func replica(t testing.TB, id string, handler http.HandlerFunc) paas.Target {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return paas.Target{Replica: id, Release: 7, Address: server.Listener.Addr().String()}
}

// says returns a handler that answers with text.
func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
}

// refusing returns a target at a port where nothing listens.
func refusing(t testing.TB, id string) paas.Target {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return paas.Target{Replica: id, Release: 7, Address: listener.Addr().String()}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen within %s", what, patience)
		}
		time.Sleep(time.Millisecond)
	}
}

func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not contain %q", text, part)
		}
	}
}
