package router

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"kurama/logship/record"
	"kurama/paas"
)

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
