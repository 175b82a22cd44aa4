package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/gorilla/websocket"

	"kurama/paas"
)

// Ended is how a command ended.
type Ended struct {
	End   bool   `json:"end"`
	Exit  int    `json:"exit"`
	Error string `json:"error"` // why it did not come to an end by itself; empty: it did
}

// terminalChunk of input is sent at a time, bytes.
const terminalChunk = 16 << 10

// Attach runs a command at path over a websocket, with its input and output
// tied to the streams; nil where the path stands for what is at the other end. It returns *Problem when the API refuses.
func (c *Client) Attach(ctx context.Context, path string, command []string, s paas.Streams) (Ended, error) {
	query := url.Values{"term": {s.Term}}
	if s.Terminal {
		query.Set("tty", "true")
	}
	if c.Tenant != "" {
		query.Set("tenant", c.Tenant)
	}
	header := http.Header{}
	if c.Token != "" {
		header.Set("Authorization", "Bearer "+c.Token)
	}
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: 2 * dialTimeout}
	conn, resp, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(c.URL, "http")+prefix+path+"?"+query.Encode(), header)
	if errors.Is(err, websocket.ErrBadHandshake) && resp != nil {
		return Ended{}, problemOf(resp)
	}
	if err != nil {
		return Ended{}, c.unreachable(ctx, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // reading does not heed ctx by itself
	t := &attached{conn: conn}
	if command != nil {
		if err := conn.WriteJSON(map[string][]string{"command": command}); err != nil {
			return Ended{}, c.unreachable(ctx, err)
		}
	}
	go t.input(s.In)
	if s.Terminal {
		go t.resize(ctx, s.Sizes)
	}
	end, err := t.output(s)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return end, err
}

// attached is a command at the other end of a websocket.
type attached struct {
	conn *websocket.Conn
	mu   sync.Mutex // held while a message is written
}

func (t *attached) send(kind int, message []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn.WriteMessage(kind, message)
}

// input sends what is read until its end. It is not waited for: nothing ends a
// read from a terminal.
func (t *attached) input(in io.Reader) {
	chunk := make([]byte, terminalChunk)
	for {
		n, err := in.Read(chunk)
		if n > 0 && t.send(websocket.BinaryMessage, chunk[:n]) != nil {
			return
		}
		if err != nil {
			_ = t.send(websocket.TextMessage, []byte(`{"eof":true}`))
			return
		}
	}
}

func (t *attached) resize(ctx context.Context, sizes <-chan paas.Size) {
	for {
		select {
		case size := <-sizes:
			text, _ := json.Marshal(size) // numbers cannot fail
			if t.send(websocket.TextMessage, text) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// output passes on what the command writes until its end.
func (t *attached) output(s paas.Streams) (end Ended, err error) {
	for {
		kind, message, err := t.conn.ReadMessage()
		if err != nil {
			return end, fmt.Errorf("the command broke off: %w", err)
		}
		switch {
		case kind == websocket.TextMessage:
			if err := json.Unmarshal(message, &end); err != nil {
				return end, fmt.Errorf("the end of the command cannot be read: %w", err)
			}
			return end, nil
		case len(message) > 0 && message[0] == 2:
			_, err = s.Err.Write(message[1:])
		case len(message) > 0:
			_, err = s.Out.Write(message[1:])
		}
		if err != nil {
			return end, err
		}
	}
}
