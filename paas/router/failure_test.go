package router

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"kurama/logship/record"
	"kurama/paas"
)

func TestFailure(t *testing.T) {
	t.Run("a request that gets no answer in time ends with 504", func(t *testing.T) {
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

	t.Run("a request whose client goes away is cut and recorded as 499", func(t *testing.T) {
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

	t.Run("a request whose answer breaks off is broken off for the client too", func(t *testing.T) {
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

	t.Run("a request to an app that floods headers or speaks no HTTP ends with 502", func(t *testing.T) {
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
