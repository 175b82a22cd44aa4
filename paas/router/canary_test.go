package router

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"

	"kurama/logship/record"
	"kurama/paas"
)

// tryOut puts a table with release 7 live and 8 as its canary into force.
func (b *bench) tryOut(t *testing.T, share int, targets ...paas.Target) {
	t.Helper()
	b.version++
	route := paas.Route{Tenant: "default", App: "hello", Hosts: []string{"hello.localhost"}, State: paas.AppRunning, Targets: targets}
	if share > 0 {
		route.Canary = paas.Canary{Release: 8, Share: share}
	}
	if err := b.client.Apply(t.Context(), paas.Table{Version: b.version, Routes: []paas.Route{route}}); err != nil {
		t.Fatal(err)
	}
}

func of(target paas.Target, release int) paas.Target {
	target.Release = release
	return target
}

// client returns what asks as one browser does, which keeps its cookies.
func (b *bench) browser(t *testing.T) func() string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	at := &url.URL{Scheme: "http", Host: "hello.localhost", Path: "/"}
	return func() string {
		t.Helper()
		r := b.request(t, "GET", "/", nil)
		for _, c := range jar.Cookies(at) {
			r.AddCookie(c)
		}
		resp, err := b.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		jar.SetCookies(at, resp.Cookies())
		body, _ := io.ReadAll(resp.Body)
		return string(body)
	}
}

func TestCanary(t *testing.T) {
	b := start(t, testConfig())
	live, canary := of(replica(t, "old", says("old")), 7), of(replica(t, "new", says("new")), 8)
	t.Run("gets its share of the clients, and the records tell which had it", func(t *testing.T) {
		b.tryOut(t, 20, live, canary)
		const clients = 1000
		got := map[string]int{}
		for range clients {
			got[b.browser(t)()]++
		}
		// 1000 draws of 20 %: 200 with a standard deviation of 12.6; six of them is one failure in 500 million runs.
		if n := got["new"]; n < 124 || n > 276 || n+got["old"] != clients {
			t.Errorf("got %v", got)
		}
		told := map[int]int{}
		b.records.request(t, clients)
		for _, r := range b.records.of(record.KindRequest) {
			told[r.Release]++
		}
		if told[8] != got["new"] || told[7] != got["old"] {
			t.Errorf("records %v of %v", told, got)
		}
	})
	t.Run("keeps a client, also while its share grows", func(t *testing.T) {
		browsers := make([]func() string, 40)
		first := map[int]string{}
		for i := range browsers {
			browsers[i] = b.browser(t)
			first[i] = browsers[i]()
		}
		for _, share := range []int{20, 60} {
			b.tryOut(t, share, live, canary)
			for i, ask := range browsers {
				for range 3 {
					if now := ask(); first[i] == "new" && now != "new" || share == 20 && now != first[i] {
						t.Errorf("client %d had %s and gets %s at %d %%", i, first[i], now, share)
					}
				}
			}
		}
	})
	t.Run("whose replicas are gone takes nobody with it", func(t *testing.T) {
		b.tryOut(t, 99, live)
		for range 20 {
			if got := b.browser(t)(); got != "old" {
				t.Errorf("got %q", got)
			}
		}
	})
	t.Run("sets no cookie once it is over, and believes none that it cannot have set", func(t *testing.T) {
		b.tryOut(t, 0, live)
		resp, err := b.http.Do(b.request(t, "GET", "/", nil))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if len(resp.Cookies()) != 0 {
			t.Errorf("cookies %v", resp.Cookies())
		}
		for _, value := range []string{"8.100", "8.-1", "8.x", "7.1", "8", "", "."} {
			r := b.request(t, "GET", "/", nil)
			r.AddCookie(&http.Cookie{Name: "kurama-canary-hello", Value: value})
			if _, c := draw(r, "hello", &paas.Canary{Release: 8, Share: 50}); c == nil {
				t.Errorf("%q is believed", fmt.Sprint(value))
			}
		}
	})
}
