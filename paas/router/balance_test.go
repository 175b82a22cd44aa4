package router

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kurama/logship/record"
	"kurama/paas"
)

func TestBalancing(t *testing.T) {
	t.Run("a refused connection is tried on another replica, for any method", func(t *testing.T) {
		b := start(t, testConfig())
		b.route(t, refusing(t, "dead"), replica(t, "alive", func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
		for range 20 {
			if status, body := b.do(t, b.request(t, "POST", "/", strings.NewReader("kept"))); status != 200 || body != "kept" {
				t.Fatalf("%d %q", status, body)
			}
		}
	})

	t.Run("a replica that closes without an answer: GET goes on to another, POST does not", func(t *testing.T) {
		b := start(t, testConfig())
		b.route(t, rawReplica(t, ""), replica(t, "alive", says("hello")))
		for range 10 {
			if status, _ := b.get(t, "/"); status != 200 {
				t.Fatalf("GET got %d", status)
			}
		}
		b.route(t, rawReplica(t, ""))
		if status, body := b.do(t, b.request(t, "POST", "/", strings.NewReader("x"))); status != 502 || !strings.Contains(body, "closed the connection") {
			t.Errorf("POST got %d %s", status, body)
		}
	})

	t.Run("a lone replica that refuses is asked again until it listens", func(t *testing.T) {
		b := start(t, testConfig())
		dead := refusing(t, "late")
		b.route(t, dead)
		go func() {
			eventually(t, "first try", func() bool { return b.retries.Load() > 0 })
			listener, err := net.Listen("tcp", dead.Address)
			if err != nil {
				t.Error(err)
				return
			}
			server := &http.Server{Handler: says("late")}
			t.Cleanup(func() { server.Close() })
			server.Serve(listener)
		}()
		if status, body := b.get(t, "/"); status != 200 || body != "late" {
			t.Errorf("%d %q", status, body)
		}
	})

	t.Run("requests beyond the limit of a replica wait, beyond the queue are refused", func(t *testing.T) {
		cfg := testConfig()
		cfg.InFlight, cfg.QueueLimit = 2, 3
		b := start(t, cfg)
		leave := make(chan bool)
		var now, most atomic.Int64
		b.route(t, replica(t, "r", func(w http.ResponseWriter, _ *http.Request) {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			<-leave
			now.Add(-1)
		}))
		statuses := make(chan int, 5)
		for range 5 {
			go func() { status, _ := b.get(t, "/"); statuses <- status }()
		}
		a := b.table.Load().apps[0]
		eventually(t, "two at work and three waiting", func() bool {
			inflight, queued, _ := a.load()
			return inflight == 2 && queued == 3
		})
		resp, err := b.http.Do(b.request(t, "GET", "/", nil))
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
			t.Errorf("the sixth got %d %v", resp.StatusCode, resp.Header)
		}
		mustContain(t, string(page), "3 requests wait")
		b.sample(time.Now())
		samples := b.records.of(record.KindSample)
		if len(samples) == 0 || samples[len(samples)-1].Replica != "router" || !strings.Contains(string(samples[len(samples)-1].Extra), `"inflight":2,"queued":3,`) {
			t.Errorf("samples %+v", samples)
		}
		close(leave)
		for range 5 {
			if status := <-statuses; status != 200 {
				t.Errorf("one that waited got %d", status)
			}
		}
		if most.Load() > 2 {
			t.Errorf("%d at once", most.Load())
		}
	})

	t.Run("the least loaded replica is taken", func(t *testing.T) {
		b := start(t, testConfig())
		leave := make(chan bool)
		defer close(leave)
		b.route(t, replica(t, "a", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/stay" {
				<-leave
			}
			io.WriteString(w, "a")
		}))
		go b.http.Do(b.request(t, "GET", "/stay", nil))
		eventually(t, "arrival", func() bool { return b.InFlight()["a"] == 1 })
		a := b.table.Load().apps[0].targets[0].Target
		b.route(t, a, replica(t, "b", says("b")))
		for range 10 {
			if _, body := b.get(t, "/"); body != "b" {
				t.Fatalf("went to %s", body)
			}
		}
	})
}

func TestApp(t *testing.T) {
	t.Run("whose replicas are on their way holds requests until one is there", func(t *testing.T) {
		b := start(t, testConfig())
		b.routeState(t, paas.AppDeploying)
		got := make(chan string)
		go func() { _, body := b.get(t, "/"); got <- body }()
		a := b.table.Load().apps[0]
		eventually(t, "hold", func() bool { _, queued, _ := a.load(); return queued == 1 })
		b.route(t, replica(t, "r", says("here")))
		if body := <-got; body != "here" {
			t.Errorf("held request got %q", body)
		}
		if queue := b.records.request(t, 1).Queue; !queue.Known || queue.Value <= 0 {
			t.Errorf("queue %v", queue)
		}
	})

	t.Run("that sleeps is woken at once, and the request that wakes it is held", func(t *testing.T) {
		b := start(t, testConfig())
		b.routeState(t, paas.AppAsleep)
		got := make(chan string)
		go func() { _, body := b.get(t, "/"); got <- body }()
		eventually(t, "knock", func() bool { return len(b.records.of(record.KindSample)) > 0 })
		if s := b.records.of(record.KindSample)[0]; s.App != "hello" || !strings.Contains(string(s.Extra), `"queued":1,"concurrency":1.000,`) || !strings.Contains(string(s.Extra), `"targets":0`) {
			t.Errorf("%s %s", s.App, s.Extra)
		}
		b.route(t, replica(t, "r", says("awake")))
		if body := <-got; body != "awake" {
			t.Errorf("held request got %q", body)
		}
	})

	t.Run("that does not come up in time answers 503", func(t *testing.T) {
		cfg := testConfig()
		cfg.HoldTimeout = 30 * time.Millisecond
		b := start(t, cfg)
		b.routeState(t, paas.AppRunning)
		status, body := b.get(t, "/")
		if status != 503 {
			t.Errorf("status %d", status)
		}
		mustContain(t, body, "within 30ms")
	})

	t.Run("without replicas says why at once", func(t *testing.T) {
		b := start(t, testConfig())
		for state, want := range map[paas.AppState]string{
			paas.AppStopped: "scaled to 0", paas.AppNew: "no release yet", paas.AppFailed: "no healthy replica",
		} {
			b.routeState(t, state)
			status, body := b.get(t, "/")
			if status != 503 {
				t.Errorf("%s: %d", state, status)
			}
			mustContain(t, body, want)
		}
	})

	t.Run("that fails while requests wait lets them know", func(t *testing.T) {
		b := start(t, testConfig())
		b.routeState(t, paas.AppDeploying)
		got := make(chan int)
		go func() { status, _ := b.get(t, "/"); got <- status }()
		a := b.table.Load().apps[0]
		eventually(t, "hold", func() bool { _, queued, _ := a.load(); return queued == 1 })
		b.routeState(t, paas.AppFailed)
		if status := <-got; status != 503 {
			t.Errorf("status %d", status)
		}
	})
}
