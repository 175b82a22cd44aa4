package router

import (
	"net/http"
	"testing"
	"time"

	"kurama/paas"
)

func TestGate(t *testing.T) {
	// gated serves hello with something before it; seen is what its replica got.
	gated := func(t *testing.T, g paas.Gate) (b *bench, seen *[]http.Header) {
		b, seen = start(t, testConfig()), &[]http.Header{}
		target := replica(t, "hello-1-aaaaaa", func(w http.ResponseWriter, r *http.Request) {
			*seen = append(*seen, r.Header.Clone())
			_, _ = w.Write([]byte("hello"))
		})
		b.version++
		table := paas.Table{Version: b.version, Routes: []paas.Route{{Tenant: "default", App: "hello", Hosts: []string{"hello.localhost", "shop.example.org"},
			State: paas.AppRunning, Targets: []paas.Target{target}, Gate: g}}}
		if err := b.client.Apply(t.Context(), table); err != nil {
			t.Fatal(err)
		}
		return b, seen
	}
	ask := func(t *testing.T, b *bench, user, password string) (int, string) {
		r := b.request(t, "GET", "/", nil)
		r.Host = "shop.example.org"
		if user != "" {
			r.SetBasicAuth(user, password)
		}
		return b.do(t, r)
	}
	t.Run("a domain of the app leads to it", func(t *testing.T) {
		b, _ := gated(t, paas.Gate{})
		if status, body := ask(t, b, "", ""); status != 200 || body != "hello" {
			t.Errorf("got %d %q", status, body)
		}
	})
	t.Run("maintenance is told in the app's words", func(t *testing.T) {
		b, seen := gated(t, paas.Gate{Maintenance: true, Message: "Back at <noon>."})
		status, body := ask(t, b, "", "")
		mustContain(t, body, "In maintenance", "Back at &lt;noon&gt;.")
		if status != 503 || len(*seen) > 0 {
			t.Errorf("got %d, the app got %d requests", status, len(*seen))
		}
		if rec := b.records.request(t, 1); rec.Status != 503 || rec.Replica != "" {
			t.Errorf("record: %d %q", rec.Status, rec.Replica)
		}
	})
	t.Run("a private app wants its password, which ends at the router", func(t *testing.T) {
		stored, err := paas.HashBasic("correct horse")
		if err != nil {
			t.Fatal(err)
		}
		b, seen := gated(t, paas.Gate{User: "team", Password: stored})
		for _, wrong := range [][2]string{{"", ""}, {"team", "correct hors"}, {"other", "correct horse"}} {
			if status, _ := ask(t, b, wrong[0], wrong[1]); status != 401 {
				t.Errorf("%q: %d", wrong, status)
			}
		}
		if status, body := ask(t, b, "team", "correct horse"); status != 200 || body != "hello" {
			t.Errorf("got %d %q", status, body)
		}
		if len(*seen) != 1 || (*seen)[0].Get("Authorization") != "" {
			t.Errorf("the app got %v", *seen)
		}
	})
	t.Run("a client that sends too much is held to its rate, others are not", func(t *testing.T) {
		b, _ := gated(t, paas.Gate{Rate: 0.001, Burst: 3})
		counts := map[int]int{}
		for range 5 {
			status, _ := ask(t, b, "", "")
			counts[status]++
		}
		if counts[200] != 3 || counts[429] != 2 {
			t.Errorf("got %v", counts)
		}
		r := b.request(t, "GET", "/", nil)
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		if status, _ := b.do(t, r); status != 200 {
			t.Errorf("another client: %d", status)
		}
	})
}

func TestGateForgetsClients(t *testing.T) {
	g := newGate(paas.Gate{Rate: 1, Burst: 2})
	now := time.Now()
	for n := range maxClients + 10 {
		g.allow(string(rune(n)), now)
	}
	if len(g.clients) > maxClients {
		t.Errorf("%d clients are remembered", len(g.clients))
	}
}

func TestClientKey(t *testing.T) {
	f := func(remote, before, want string) {
		t.Helper()
		r := &http.Request{RemoteAddr: remote, Header: http.Header{}}
		if before != "" {
			r.Header.Set("X-Forwarded-For", before)
		}
		if got := clientKey(r); got != want {
			t.Errorf("%s %s: %s", remote, before, got)
		}
	}
	f("203.0.113.9:1", "", "203.0.113.9")
	f("203.0.113.9:1", "10.0.0.1", "203.0.113.9")
	f("127.0.0.1:1", "10.0.0.1, 203.0.113.9", "203.0.113.9")
	f("127.0.0.1:1", "nonsense", "127.0.0.1")
	f("[2001:db8:1:2:3::4]:1", "", "2001:db8:1:2::/64")
	f("[::ffff:203.0.113.9]:1", "", "203.0.113.9")
}
