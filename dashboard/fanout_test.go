package dashboard

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// pair returns a client as the hub knows it and the browser's end of its connection.
func pair(t *testing.T) (*client, *websocket.Conn) {
	t.Helper()
	upgraded := make(chan *websocket.Conn, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var up websocket.Upgrader
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
		}
		upgraded <- conn
	}))
	t.Cleanup(server.Close)
	browser, _, err := websocket.DefaultDialer.Dial(strings.Replace(server.URL, "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{conn: <-upgraded}
	c.attach()
	t.Cleanup(func() { _, _ = browser.Close(), c.conn.Close() })
	_ = browser.SetReadDeadline(time.Now().Add(time.Minute))
	return c, browser
}

func TestFramesOnTheirWay(t *testing.T) {
	w := &writer{}
	w.attempt = w.try
	text := func(n int) []byte { return bytes.Repeat([]byte("x"), n) }
	t.Run("arrive as they are, whatever their length", func(t *testing.T) {
		c, browser := pair(t)
		for _, n := range []int{0, 1, 125, 126, 65535, 65536, 100_000} {
			c.pending.Store(true)
			got := make(chan int, 1)
			go func() {
				_, text, _ := browser.ReadMessage()
				got <- len(text)
			}()
			c.offer(textFrame(text(n)), w)
			if c.pending.Load() { // a host may take less of the longest at once
				if err := c.finish(<-c.slot, time.Minute); err != nil {
					t.Fatal(err)
				}
			}
			if m := <-got; m != n {
				t.Errorf("%d bytes arrive as %d", n, m)
			}
		}
	})
	t.Run("are not waited for where nobody reads, and nothing comes between their parts", func(t *testing.T) {
		c, browser := pair(t)
		const long = 64 << 20 // more than buffers hold
		c.pending.Store(true)
		c.offer(textFrame(text(long)), w)
		if !c.pending.Load() || len(c.slot) != 1 {
			t.Fatal("64 MiB went out at once")
		}
		if err := c.control(websocket.PingMessage, nil, time.Second); err != nil {
			t.Fatal(err)
		}
		finished := make(chan error, 1)
		go func() { finished <- c.finish(<-c.slot, time.Minute) }()
		if _, got, err := browser.ReadMessage(); len(got) != long || err != nil {
			t.Errorf("%d bytes arrive: %v", len(got), err)
		}
		if err := <-finished; err != nil || c.pending.Load() {
			t.Errorf("%v, and the frame is still on its way: %v", err, c.pending.Load())
		}
	})
	t.Run("end with an error where the client is gone", func(t *testing.T) {
		c, browser := pair(t)
		_ = browser.Close()
		frame := textFrame(text(1 << 20))
		for deadline := time.Now().Add(30 * time.Second); ; {
			c.pending.Store(true)
			c.offer(frame, w)
			if c.pending.Load() && c.finish(<-c.slot, time.Minute) != nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("no error comes")
			}
		}
	})
}
