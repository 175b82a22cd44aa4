package health

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestPage(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "kurama_test"}))
	var trouble error
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, listener, Page(func() error { return trouble }, registry)) }()
	get := func(path string, status int, part string) {
		t.Helper()
		resp, err := http.Get("http://" + listener.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if body, _ := io.ReadAll(resp.Body); resp.StatusCode != status || !strings.Contains(string(body), part) {
			t.Errorf("%s: %d %q", path, resp.StatusCode, body)
		}
	}
	get("/healthz", 200, "ok")
	get("/readyz", 200, "ok")
	get("/metrics", 200, "kurama_test 0")
	trouble = errors.New("the stream is away")
	get("/readyz", 503, "not ready: the stream is away")
	get("/healthz", 200, "ok")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
