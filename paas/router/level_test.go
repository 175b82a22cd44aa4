package router

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurama/logship/record"
	"kurama/paas"
)

func TestLevel(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(1_000_000 + ms)) }
	f := func(l *level, ms int, want float64) {
		t.Helper()
		if got := l.mean(at(ms)); got < want-1e-9 || got > want+1e-9 {
			t.Errorf("at %d ms: %g, want %g", ms, got, want)
		}
	}
	l := &level{}
	f(l, 0, 0)
	l.add(1, at(0))
	l.add(1, at(500))
	l.add(-1, at(750))
	f(l, 1000, 1.25)
	f(l, 2000, 1)
	l.add(-1, at(2000))
	f(l, 2000, 0)
	f(l, 3000, 0)
}

func TestSamples(t *testing.T) {
	records := &sink{}
	unused, err := net.Listen("tcp", "127.0.0.1:0") // the router is not run: its own samples would come between
	if err != nil {
		t.Fatal(err)
	}
	defer unused.Close()
	rt, err := New(testConfig(), Options{Listener: unused, Control: unused, StatePath: filepath.Join(t.TempDir(), "table.json"), Domain: "localhost", Records: records})
	if err != nil {
		t.Fatal(err)
	}
	target := replica(t, "r", func(http.ResponseWriter, *http.Request) { time.Sleep(20 * time.Millisecond) })
	if err := rt.Apply(paas.Table{Version: 1, Routes: []paas.Route{{Tenant: "default", App: "hello", Hosts: []string{"hello.localhost"},
		State: paas.AppRunning, Targets: []paas.Target{target}}}}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	sampled := func(after time.Duration) string {
		before := len(records.of(record.KindSample))
		rt.sample(now.Add(after))
		var said []string
		for _, r := range records.of(record.KindSample)[before:] {
			said = append(said, string(r.Extra))
		}
		return strings.Join(said, " ")
	}
	t.Run("an app that nothing is asked of says so every ten seconds", func(t *testing.T) {
		for _, tt := range []struct {
			after time.Duration
			says  bool
		}{{0, true}, {time.Second, false}, {9 * time.Second, false}, {10 * time.Second, true}, {11 * time.Second, false}} {
			if got := sampled(tt.after); (got != "") != tt.says || tt.says && !strings.Contains(got, `"concurrency":0.000,"requests":0,"targets":1`) {
				t.Errorf("after %s: %q", tt.after, got)
			}
		}
	})
	t.Run("a request is told at once, and its end too", func(t *testing.T) {
		answer := httptest.NewRecorder()
		if rt.ServeHTTP(answer, httptest.NewRequest("GET", "http://hello.localhost/", nil)); answer.Code != 200 {
			t.Fatal(answer.Code)
		}
		if got := sampled(12 * time.Second); !strings.Contains(got, `"requests":1`) || strings.Contains(got, `"concurrency":0.000`) {
			t.Errorf("got %q", got)
		}
		if got := sampled(13 * time.Second); !strings.Contains(got, `"concurrency":0.000,"requests":0`) {
			t.Errorf("got %q", got)
		}
	})
}
