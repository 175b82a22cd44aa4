package router

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"kurama/logship/record"
)

// discard takes records as fast as they come.
type discard struct{}

func (discard) Send(*record.Record) bool { return true }

// BenchmarkProxy measures requests through nothing, through this router and
// through a bare httputil.ReverseProxy, with 200-byte answers over loopback.
func BenchmarkProxy(b *testing.B) {
	answer := strings.Repeat("x", 200)
	backend := httptest.NewServer(says(answer))
	b.Cleanup(backend.Close)
	b.Run("direct", func(b *testing.B) { load(b, backend.URL) })
	b.Run("router", func(b *testing.B) {
		rt := start(b, testConfig())
		rt.opts.Records = discard{}
		rt.route(b, replica(b, "r", says(answer)))
		load(b, rt.url)
	})
	b.Run("ReverseProxy", func(b *testing.B) {
		to, err := url.Parse(backend.URL)
		if err != nil {
			b.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(to)
		proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
		server := httptest.NewServer(proxy)
		b.Cleanup(server.Close)
		load(b, server.URL)
	})
}

func load(b *testing.B, address string) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := http.NewRequest("GET", address+"/", nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Host = "hello.localhost"
			resp, err := client.Do(r)
			if err != nil {
				b.Fatal(err)
			}
			if resp.StatusCode != 200 {
				b.Errorf("status %d", resp.StatusCode)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
}
