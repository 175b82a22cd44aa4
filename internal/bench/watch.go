package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// view is one viewer of the live dashboard that notes when numbered log lines
// are in a frame.
type view struct {
	conn   *websocket.Conn
	prefix string // of the lines' messages; their number comes behind it

	mu    sync.Mutex
	after map[int]time.Duration // from the log call to the first frame with the line
	err   error
	moved chan struct{}
}

// dial opens a websocket of the dashboard as the administrator.
func (p *platform) dial(ctx context.Context, app string) (*websocket.Conn, error) {
	header := http.Header{"Authorization": {"Bearer " + p.api.Token}}
	address := "ws://" + p.dashboard + "/api/live?" + url.Values{"app": {app}}.Encode()
	dialer := websocket.Dialer{HandshakeTimeout: 45 * time.Second, ReadBufferSize: 8 << 10} // a frame in one read
	conn, resp, err := dialer.DialContext(ctx, address, header)
	if err != nil {
		if resp != nil {
			return nil, fmt.Errorf("the dashboard answered %s: %w", resp.Status, err)
		}
		return nil, fmt.Errorf("opening the live view: %w", err)
	}
	return conn, nil
}

// watch opens the live view of an app and notes the lines that begin with mark.
func (p *platform) watch(ctx context.Context, app, mark string) (*view, error) {
	conn, err := p.dial(ctx, app)
	if err != nil {
		return nil, err
	}
	v := &view{conn: conn, prefix: mark + " ", after: map[int]time.Duration{}, moved: make(chan struct{}, 1)}
	go v.read()
	return v, nil
}

func (v *view) close() { _ = v.conn.Close() }

func (v *view) read() {
	for {
		_, text, err := v.conn.ReadMessage()
		now := time.Now()
		v.mu.Lock()
		if err != nil {
			v.err = err
		} else if bytes.Contains(text, []byte(v.prefix)) {
			v.note(text, now)
		}
		v.mu.Unlock()
		select {
		case v.moved <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// note takes the lines of a frame.
func (v *view) note(text []byte, now time.Time) {
	var frame struct {
		Logs []struct {
			TS  time.Time `json:"ts"`
			Msg string    `json:"msg"`
		} `json:"logs"`
	}
	if err := json.Unmarshal(text, &frame); err != nil {
		v.err = fmt.Errorf("reading a frame: %w", err)
		return
	}
	for _, l := range frame.Logs {
		rest, ok := strings.CutPrefix(l.Msg, v.prefix)
		digits, _, _ := strings.Cut(rest, ":")
		i, err := strconv.Atoi(digits)
		if !ok || err != nil {
			continue
		}
		if _, seen := v.after[i]; !seen {
			v.after[i] = now.Sub(l.TS)
		}
	}
}

// wait returns the delays in milliseconds once all count lines were seen.
func (v *view) wait(ctx context.Context, count int) ([]float64, error) {
	for {
		v.mu.Lock()
		n, err := len(v.after), v.err
		v.mu.Unlock()
		switch {
		case n == count:
			return v.delays(), nil
		case err != nil:
			return nil, fmt.Errorf("the live view broke off after %d of %d lines: %w", n, count, err)
		}
		select {
		case <-v.moved:
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d lines came in a frame: %w", n, count, ctx.Err())
		}
	}
}

func (v *view) delays() []float64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := make([]time.Duration, 0, len(v.after))
	for _, d := range v.after {
		list = append(list, d)
	}
	return milliseconds(list)
}
