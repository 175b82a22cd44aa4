package router

import (
	"io"
	"net/http"
	"testing"
)

func TestMetrics(t *testing.T) {
	b := start(t, testConfig())
	b.route(t, replica(t, "r", says("hello")))
	b.get(t, "/")
	b.records.request(t, 1)
	status, body, err := b.client.do(t.Context(), "GET", "/metrics", nil)
	if err != nil || status != 200 {
		t.Fatal(status, err)
	}
	mustContain(t, string(body), `kurama_router_requests_total{app="hello",class="2xx",tenant="default"} 1`, "kurama_router_table_version 1")
	if status, body, _ := b.client.do(t.Context(), "GET", "/readyz", nil); status != 200 || string(body) != "ready, table 1\n" {
		t.Errorf("/readyz: %d %s", status, body)
	}
}

func TestHeard(t *testing.T) {
	b := start(t, testConfig())
	heard := func() int64 {
		t.Helper()
		counts, err := b.client.Heard(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return counts["r"]
	}
	next := make(chan bool)
	b.route(t, replica(t, "r", func(w http.ResponseWriter, _ *http.Request) {
		for <-next {
			io.WriteString(w, "tick")
			w.(http.Flusher).Flush()
		}
	}))
	ended := make(chan string)
	go func() { _, body := b.get(t, "/"); ended <- body }()
	eventually(t, "arrival", func() bool { return b.InFlight()["r"] == 1 })
	if n := heard(); n != 0 {
		t.Errorf("a replica that has answered nothing was heard %d times", n)
	}
	for range 2 {
		before := heard()
		next <- true
		eventually(t, "a piece of the answer counts", func() bool { return heard() > before })
	}
	next <- false
	if body := <-ended; body != "ticktick" {
		t.Errorf("body %q", body)
	}
	b.route(t)
	if counts, err := b.client.Heard(t.Context()); err != nil || len(counts) != 0 {
		t.Errorf("after it left the table: %v, %v", counts, err)
	}
}
