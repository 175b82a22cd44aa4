package router

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kurama/logship/record"
	"kurama/paas"
)

// mounts puts apps into force by name and domain.
func (b *bench) mounts(t *testing.T, apps map[string][]string) {
	t.Helper()
	b.version++
	table := paas.Table{Version: b.version}
	for name, domains := range apps {
		target := replica(t, name, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s %s [%s]", name, r.RequestURI, r.Header.Get("X-Forwarded-Prefix"))
		})
		table.Routes = append(table.Routes, paas.Route{Tenant: "default", App: name, Hosts: domains, State: paas.AppRunning, Targets: []paas.Target{target}})
	}
	if err := b.client.Apply(t.Context(), table); err != nil {
		t.Fatal(err)
	}
}

func TestPaths(t *testing.T) {
	b := start(t, testConfig())
	b.mounts(t, map[string][]string{"front": {"example.org"}, "shop": {"example.org/shop"}, "pay": {"example.org/shop/pay", "pay.example.org"}, "lone": {"lone.example.org/a"}})
	asks := func(t *testing.T, host, uri string) (int, string) {
		t.Helper()
		r := b.request(t, "GET", uri, nil)
		r.Host = host
		r.Header.Set("X-Forwarded-Prefix", "/evil")
		r.Header.Set("X_Forwarded_Prefix", "/evil")
		resp, err := b.http.Transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		if to := resp.Header.Get("Location"); to != "" {
			return resp.StatusCode, to
		}
		return resp.StatusCode, string(body)
	}
	t.Run("the longest one that a request begins with has it, and does not see it", func(t *testing.T) {
		for uri, want := range map[string]string{
			"/":                     "front / []",
			"/shopping":             "front /shopping []",
			"/Shop/":                "front /Shop/ []",
			"/shop/":                "shop / [/shop]",
			"/shop/cart?n=1":        "shop /cart?n=1 [/shop]",
			"/shop/a%2Fb/../c":      "shop /a%2Fb/../c [/shop]",
			"/shop/payments":        "shop /payments [/shop]",
			"/shop/pay/now":         "pay /now [/shop/pay]",
			"/%73hop/is/not/spelt/": "front /%73hop/is/not/spelt/ []",
		} {
			if status, got := asks(t, "example.org", uri); status != 200 || got != want {
				t.Errorf("%s: %d %q, want %q", uri, status, got, want)
			}
		}
		if _, got := asks(t, "pay.example.org", "/now"); got != "pay /now []" {
			t.Errorf("a host of its own: %q", got)
		}
	})
	t.Run("without the slash leads to the one with it", func(t *testing.T) {
		for uri, want := range map[string]string{"/shop": "/shop/", "/shop?n=1": "/shop/?n=1", "/shop/pay": "/shop/pay/"} {
			if status, to := asks(t, "example.org", uri); status != 308 || to != want {
				t.Errorf("%s: %d to %q", uri, status, to)
			}
		}
	})
	t.Run("that no app has says so", func(t *testing.T) {
		if status, got := asks(t, "lone.example.org", "/b"); status != 404 || !strings.Contains(got, "none on this path") {
			t.Errorf("%d %q", status, got)
		}
	})
	t.Run("the record holds what was asked for", func(t *testing.T) {
		for _, r := range b.records.of(record.KindRequest) {
			if r.App == "pay" && r.URL == "/shop/pay/now" {
				return
			}
		}
		t.Error("no such record")
	})
}

func TestBounds(t *testing.T) {
	bounded := func(t *testing.T, own paas.Bounds, handler http.HandlerFunc) *bench {
		b := start(t, testConfig())
		b.version++
		route := paas.Route{Tenant: "default", App: "hello", Hosts: []string{"hello.localhost"}, State: paas.AppRunning, Targets: []paas.Target{replica(t, "r", handler)}, Bounds: own}
		if err := b.client.Apply(t.Context(), paas.Table{Version: b.version, Routes: []paas.Route{route}}); err != nil {
			t.Fatal(err)
		}
		return b
	}
	hangs := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	t.Run("an answer that does not begin in the app's time is a 504", func(t *testing.T) {
		b := bounded(t, paas.Bounds{Timeout: 0.1}, hangs)
		status, body := b.get(t, "/")
		if status != 504 {
			t.Errorf("%d", status)
		}
		mustContain(t, body, "hello took the request but did not answer within 100ms")
	})
	t.Run("a body larger than the app's is a 413, with and without a length", func(t *testing.T) {
		b := bounded(t, paas.Bounds{MaxBody: 1 << 10}, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
		for _, body := range []io.Reader{strings.NewReader(strings.Repeat("x", 1025)), io.MultiReader(strings.NewReader(strings.Repeat("x", 200<<10)))} {
			status, text := b.do(t, b.request(t, "POST", "/", body))
			if status != 413 {
				t.Errorf("%d", status)
			}
			mustContain(t, text, "larger than the 1KiB that hello takes")
		}
		if status, _ := b.do(t, b.request(t, "POST", "/", strings.NewReader(strings.Repeat("x", 1024)))); status != 200 {
			t.Errorf("one that fits: %d", status)
		}
	})
	t.Run("silence within an answer cuts it, and the record says why", func(t *testing.T) {
		b := bounded(t, paas.Bounds{Idle: 0.1}, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		})
		resp, err := b.http.Do(b.request(t, "GET", "/", nil))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := io.ReadAll(resp.Body); err == nil {
			t.Error("half an answer is taken for a whole one")
		}
		mustContain(t, b.records.request(t, 1).Msg, "silent for 100ms within its answer")
	})
	t.Run("silence of both sides ends a websocket, a sign of one keeps it", func(t *testing.T) {
		upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
		b := bounded(t, paas.Bounds{Idle: 0.3}, func(w http.ResponseWriter, r *http.Request) {
			c, err := upgrader.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer c.Close()
			for { // it only listens
				if _, _, err := c.ReadMessage(); err != nil {
					return
				}
			}
		})
		ws := b.websocket(t)
		defer ws.Close()
		began := time.Now()
		for range 8 {
			time.Sleep(100 * time.Millisecond) // the talk that is tested, not a wait
			if err := ws.WriteMessage(websocket.TextMessage, []byte("still here")); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := ws.ReadMessage(); err == nil || time.Since(began) < 800*time.Millisecond {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}
