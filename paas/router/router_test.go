package router

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kurama/logship/record"
	"kurama/paas"
)

func TestRequest(t *testing.T) {
	t.Run("goes to the app of its host and leaves one record with what the app says", func(t *testing.T) {
		b := start(t, testConfig())
		var seen http.Header
		var host, uri string
		b.route(t, replica(t, "hello-7-aaaaaa", func(w http.ResponseWriter, r *http.Request) {
			seen, host, uri = r.Header.Clone(), r.Host, r.RequestURI
			h := w.Header()
			h.Set("X-Kurama-Route", "/user/<id>")
			h.Set("X-Kurama-CPU", "1.25")
			h.Set("X-Kurama-Queue", "0.5")
			h.Set("X-Kurama-Exc", "Traceback%0A  100%25")
			h.Set("X-Kurama-Other", "x")
			h.Set("X-App", "kept")
			w.WriteHeader(500)
			io.WriteString(w, "broken")
		}))
		r := b.request(t, "GET", "/user/7?q=%20a", nil)
		r.Host = "HELLO.localhost:8080"
		r.Header.Set("X-Request-ID", "abc-1")
		r.Header.Set("X-Kurama-Start", "1")
		r.Header.Set("X_Kurama_Start", "1")
		r.Header.Set("X-Forwarded-For", "10.1.1.1")
		r.Header.Set("Connection", "X-Secret")
		r.Header.Set("X-Secret", "1")
		before := time.Now()
		resp, err := b.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 500 || string(body) != "broken" || resp.Header.Get("X-App") != "kept" || resp.Header.Get("X-Request-ID") != "abc-1" {
			t.Errorf("client got %d %q %v", resp.StatusCode, body, resp.Header)
		}
		for key := range resp.Header {
			if strings.HasPrefix(key, "X-Kurama") {
				t.Errorf("client sees %s", key)
			}
		}
		if host != "HELLO.localhost:8080" || uri != "/user/7?q=%20a" || seen.Get("X-Request-ID") != "abc-1" ||
			seen.Get("X-Forwarded-For") != "10.1.1.1, 127.0.0.1" || seen.Get("X-Forwarded-Proto") != "http" ||
			seen.Get("X-Secret") != "" || seen["X_kurama_start"] != nil {
			t.Errorf("the app got %s %s %v", host, uri, seen)
		}
		var micros int64
		fmt.Sscan(seen.Get("X-Kurama-Start"), &micros)
		if at := time.UnixMicro(micros); at.Before(before.Add(-time.Millisecond)) || at.After(time.Now()) {
			t.Errorf("X-Kurama-Start is %s", at)
		}
		got := b.records.request(t, 1)
		if got.Kind != record.KindRequest || got.Level != record.LevelError || got.Tenant != "default" || got.App != "hello" ||
			got.Release != 7 || got.Replica != "hello-7-aaaaaa" || got.Method != "GET" || got.URL != "/user/7?q=%20a" ||
			got.Route != "/user/<id>" || got.Status != 500 || got.Req != "abc-1" || got.Exc != "Traceback\n  100%" ||
			got.CPUMs != record.Num(1.25) || got.Queue != record.Num(0.5) || got.CPU.Known || !got.Dur.Known || got.Dur.Value <= 0 {
			t.Errorf("record %+v", got)
		}
		mustContain(t, got.Msg, "GET /user/7 500 ", " ms")
	})

	t.Run("lasts until the last byte", func(t *testing.T) {
		b := start(t, testConfig())
		b.route(t, replica(t, "r", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			time.Sleep(60 * time.Millisecond)
			io.WriteString(w, "b")
		}))
		if _, body := b.get(t, "/"); body != "ab" {
			t.Errorf("body %q", body)
		}
		if dur := b.records.request(t, 1).Dur.Value; dur < 55 || dur > 2000 {
			t.Errorf("dur is %v ms", dur)
		}
	})

	t.Run("for an unknown host is told so and leaves no record", func(t *testing.T) {
		b := start(t, testConfig())
		r := b.request(t, "GET", "/", nil)
		r.Host = "nobody.localhost"
		r.Header.Set("Accept", "application/json")
		status, body := b.do(t, r)
		var problem struct {
			Status        int
			Title, Detail string
		}
		if err := json.Unmarshal([]byte(body), &problem); err != nil || status != 404 || problem.Status != 404 {
			t.Errorf("%d %s %v", status, body, err)
		}
		mustContain(t, problem.Detail, "nobody.localhost")
		if n := len(b.records.of(record.KindRequest)); n != 0 {
			t.Errorf("%d records", n)
		}
		r.Host = "localhost:8080"
		r.URL.Path = "/healthz"
		if status, body := b.do(t, r); status != 200 || body != "ok\n" {
			t.Errorf("/healthz: %d %q", status, body)
		}
	})

	t.Run("with a body reaches the app whole, whatever its length and form", func(t *testing.T) {
		cfg := testConfig()
		cfg.MaxBody = 1 << 20
		b := start(t, cfg)
		b.route(t, replica(t, "r", func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, "%s %d %d", r.Method, n, r.ContentLength)
		}))
		for _, size := range []int{0, 1, 4096, inlineBody, inlineBody + 1, 1 << 20} {
			if _, body := b.do(t, b.request(t, "POST", "/", strings.NewReader(strings.Repeat("x", size)))); body != fmt.Sprintf("POST %d %d", size, size) {
				t.Errorf("%d bytes: %q", size, body)
			}
			chunked := io.MultiReader(strings.NewReader(strings.Repeat("x", size)))
			if _, body := b.do(t, b.request(t, "POST", "/", chunked)); body != fmt.Sprintf("POST %d -1", size) && size > 0 {
				t.Errorf("%d bytes, chunked: %q", size, body)
			}
		}
		for _, body := range []io.Reader{strings.NewReader(strings.Repeat("x", 1<<20+1)), io.MultiReader(strings.NewReader(strings.Repeat("x", 3<<20)))} {
			status, page := b.do(t, b.request(t, "POST", "/", body))
			if status != 413 {
				t.Errorf("too large: %d", status)
			}
			mustContain(t, page, "1MiB")
		}
		if status, body := b.get(t, "/"); status != 200 || body != "GET 0 0" {
			t.Errorf("afterwards: %d %q", status, body)
		}
	})

	t.Run("that gets no answer in time ends with 504", func(t *testing.T) {
		cfg := testConfig()
		cfg.RequestTimeout = 50 * time.Millisecond
		b := start(t, cfg)
		b.route(t, replica(t, "r", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		status, body := b.get(t, "/slow")
		if status != 504 {
			t.Errorf("status %d", status)
		}
		mustContain(t, body, "within 50ms")
		if got := b.records.request(t, 1); got.Status != 504 || got.Level != record.LevelError || got.Replica != "r" {
			t.Errorf("record %+v", got)
		}
	})

	t.Run("whose client goes away is cut and recorded as 499", func(t *testing.T) {
		b := start(t, testConfig())
		arrived, gone := make(chan bool), make(chan bool)
		b.route(t, replica(t, "r", func(_ http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-r.Context().Done()
			close(gone)
		}))
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-arrived; cancel() }()
		if _, err := b.http.Do(b.request(t, "GET", "/", nil).WithContext(ctx)); err == nil {
			t.Error("the request did not fail")
		}
		if got := b.records.request(t, 1); got.Status != 499 {
			t.Errorf("status %d", got.Status)
		}
		<-gone
		eventually(t, "release of the replica", func() bool { return b.InFlight()["r"] == 0 })
	})

	t.Run("whose answer breaks off is broken off for the client too", func(t *testing.T) {
		b := start(t, testConfig())
		b.route(t, replica(t, "r", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}))
		resp, err := b.http.Do(b.request(t, "GET", "/", nil))
		if err == nil {
			_, err = io.ReadAll(resp.Body)
		}
		if err == nil {
			t.Error("half an answer looked whole")
		}
		mustContain(t, b.records.request(t, 1).Msg, "broke the answer off")
		eventually(t, "release of the replica", func() bool { return b.InFlight()["r"] == 0 })
	})

	t.Run("to an app that floods headers or speaks no HTTP ends with 502", func(t *testing.T) {
		b := start(t, testConfig())
		for text, want := range map[string]string{
			"HTTP/1.1 200 OK\r\n" + strings.Repeat("X-A: "+strings.Repeat("y", 1000)+"\r\n", 400): "headers are larger",
			"220 smtp.example.com\r\n\r\n": "not HTTP",
		} {
			b.route(t, rawReplica(t, text))
			status, body := b.do(t, b.request(t, "POST", "/", nil))
			if status != 502 {
				t.Errorf("status %d", status)
			}
			mustContain(t, body, want)
		}
	})
}

// rawReplica answers each connection with text.
func rawReplica(t *testing.T, text string) paas.Target {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					io.WriteString(c, text)
				}
			}()
		}
	}()
	return paas.Target{Replica: "raw", Release: 1, Address: listener.Addr().String()}
}

func TestStreams(t *testing.T) {
	t.Run("pass both ways without waiting for their end", func(t *testing.T) {
		b := start(t, testConfig())
		b.route(t, replica(t, "r", func(w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).EnableFullDuplex()
			lines := bufio.NewScanner(r.Body)
			for lines.Scan() {
				fmt.Fprintf(w, "echo %s\n", lines.Text())
				w.(http.Flusher).Flush()
			}
		}))
		in, out := io.Pipe()
		r := b.request(t, "POST", "/", in)
		go io.WriteString(out, "one\n")
		resp, err := b.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		answers := bufio.NewScanner(resp.Body)
		for _, word := range []string{"two", "three", ""} {
			if !answers.Scan() {
				t.Fatal(answers.Err())
			}
			if word != "" {
				io.WriteString(out, word+"\n")
			}
		}
		if answers.Text() != "echo three" {
			t.Errorf("last answer %q", answers.Text())
		}
		out.Close()
		if answers.Scan() {
			t.Errorf("more: %q", answers.Text())
		}
	})

	t.Run("an early answer arrives although the body is not read", func(t *testing.T) {
		b := start(t, testConfig())
		b.route(t, rawReplica(t, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"))
		in, out := io.Pipe()
		defer out.Close()
		go out.Write(make([]byte, 100))
		status, body := b.do(t, b.request(t, "POST", "/", in))
		if status != 403 || body != "no" {
			t.Errorf("%d %q", status, body)
		}
		eventually(t, "release of the replica", func() bool { return b.InFlight()["raw"] == 0 })
	})

	t.Run("a websocket echoes through the router and is recorded at its end", func(t *testing.T) {
		b := start(t, testConfig())
		b.route(t, echoReplica(t))
		ws := b.websocket(t)
		for i := range 20 {
			text := strings.Repeat("k", i*1000)
			if err := ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := ws.ReadMessage(); err != nil || string(got) != text {
				t.Fatalf("echo of %d bytes: %d bytes, %v", len(text), len(got), err)
			}
		}
		if n := b.InFlight()["ws"]; n != 1 || len(b.records.of(record.KindRequest)) != 0 {
			t.Errorf("in flight %d, records %d", n, len(b.records.of(record.KindRequest)))
		}
		ws.Close()
		if got := b.records.request(t, 1); got.Status != 101 || got.Replica != "ws" || !got.Dur.Known {
			t.Errorf("record %+v", got)
		}
	})

	t.Run("a websocket ends when the router stops", func(t *testing.T) {
		b := start(t, testConfig())
		b.route(t, echoReplica(t))
		ws := b.websocket(t)
		defer ws.Close()
		b.stop()
		if _, _, err := ws.ReadMessage(); err == nil {
			t.Error("still open")
		}
		if got := b.records.request(t, 1); got.Status != 101 {
			t.Errorf("record %+v", got)
		}
	})
}

func echoReplica(t *testing.T) paas.Target {
	t.Helper()
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	return replica(t, "ws", func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			kind, data, err := c.ReadMessage()
			if err != nil || c.WriteMessage(kind, data) != nil {
				return
			}
		}
	})
}

func (b *bench) websocket(t *testing.T) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(b.url, "http")+"/ws", http.Header{"Host": {"hello.localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

func TestTable(t *testing.T) {
	t.Run("is swapped under load without a failed request", func(t *testing.T) {
		b := start(t, testConfig())
		slow := func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "0") {
				time.Sleep(2 * time.Millisecond)
			}
			io.Copy(w, r.Body)
		}
		targets := make([]paas.Target, 6)
		for i := range targets {
			targets[i] = replica(t, fmt.Sprintf("r%d", i), slow)
		}
		b.route(t, targets[0])
		var failed, served atomic.Int64
		stop := make(chan struct{})
		var clients sync.WaitGroup
		for c := range 32 {
			clients.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					method, body := "GET", io.Reader(nil)
					if i%3 == 0 {
						method, body = "POST", strings.NewReader("body")
					}
					resp, err := b.http.Do(b.request(t, method, fmt.Sprintf("/%d/%d", c, i), body))
					if err != nil || resp.StatusCode != 200 {
						failed.Add(1)
					}
					if err == nil {
						io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
					served.Add(1)
				}
			})
		}
		for swap := range 50 {
			before := served.Load()
			b.route(t, targets[swap%6], targets[(swap+1)%6])
			eventually(t, "traffic between swaps", func() bool { return served.Load() > before+10 })
		}
		close(stop)
		clients.Wait()
		if failed.Load() > 0 || served.Load() < 500 {
			t.Errorf("%d of %d requests failed", failed.Load(), served.Load())
		}
		eventually(t, "one record per request", func() bool { return int64(len(b.records.of(record.KindRequest))) == served.Load() })
		eventually(t, "drain", func() bool {
			counts, err := b.client.InFlight(t.Context())
			return err == nil && len(counts) == 2
		})
	})

	t.Run("lets requests in flight end at replicas that left it", func(t *testing.T) {
		b := start(t, testConfig())
		arrived, leave := make(chan bool), make(chan bool)
		old := replica(t, "old", func(w http.ResponseWriter, _ *http.Request) {
			close(arrived)
			<-leave
			io.WriteString(w, "old")
		})
		b.route(t, old)
		answer := make(chan string)
		go func() {
			_, body := b.get(t, "/")
			answer <- body
		}()
		<-arrived
		b.route(t, replica(t, "new", says("new")))
		if counts, err := b.client.InFlight(t.Context()); err != nil || counts["old"] != 1 {
			t.Errorf("in flight %v %v", counts, err)
		}
		if _, body := b.get(t, "/"); body != "new" {
			t.Errorf("new requests go to %q", body)
		}
		if err := b.client.Apply(t.Context(), paas.Table{Version: b.version + 1}); err != nil {
			t.Fatal(err)
		}
		if counts, _ := b.client.InFlight(t.Context()); counts["old"] != 1 || len(counts) != 1 {
			t.Errorf("in flight after the app left: %v", counts)
		}
		close(leave)
		if body := <-answer; body != "old" {
			t.Errorf("the request in flight got %q", body)
		}
		eventually(t, "drain", func() bool {
			counts, err := b.client.InFlight(t.Context())
			return err == nil && len(counts) == 0
		})
	})

	t.Run("is refused when older, and survives a restart", func(t *testing.T) {
		b := start(t, testConfig())
		b.version = 41
		b.route(t, replica(t, "r", says("hello")))
		if err := b.client.Apply(t.Context(), paas.Table{Version: 42}); err != nil {
			t.Errorf("the same version again: %v", err)
		}
		b.route(t, replica(t, "r", says("hello")))
		if err := b.client.Apply(t.Context(), paas.Table{Version: 42}); !errors.Is(err, paas.ErrConflict) {
			t.Errorf("an older table: %v", err)
		}
		b.stop()
		again := startAt(t, testConfig(), b.state)
		if status, body := again.get(t, "/"); status != 200 || body != "hello" {
			t.Errorf("after the restart: %d %q", status, body)
		}
		if err := again.client.Apply(t.Context(), paas.Table{Version: 42}); !errors.Is(err, paas.ErrConflict) {
			t.Errorf("an older table after the restart: %v", err)
		}
		again.version = 43
		again.route(t, replica(t, "r2", says("next")))
		if _, body := again.get(t, "/"); body != "next" {
			t.Errorf("after the next table: %q", body)
		}
	})

	t.Run("with one host for two apps is refused", func(t *testing.T) {
		b := start(t, testConfig())
		err := b.client.Apply(t.Context(), paas.Table{Version: 1, Routes: []paas.Route{
			{Tenant: "a", App: "x", Hosts: []string{"h"}}, {Tenant: "b", App: "x", Hosts: []string{"H"}}}})
		if err == nil || !strings.Contains(err.Error(), "two apps, a/x and b/x") {
			t.Errorf("%v", err)
		}
	})
}

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
