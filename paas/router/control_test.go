package router

import (
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
