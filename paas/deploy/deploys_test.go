package deploy_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kurama/paas"
)

var deploys = flag.Int("deploys", 4, "deploys in a row of TestDeploysFailNoRequest")

// slowApp takes a second to start, answers at once, after seconds, and on an
// upgraded connection, which it echoes (Flask itself refuses routes to a websocket).
const slowApp = `import time
time.sleep(1)
from flask import Flask, request
app = Flask(__name__)

@app.route("/", methods=["GET", "POST"])
def home():
    return "version %d"

@app.route("/long", methods=["POST"])
def long():
    time.sleep(5)
    return "done"

@app.get("/ws")
def ws():
    sock = request.environ["gunicorn.socket"]
    sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
    while data := sock.recv(1024):
        sock.sendall(data)
    return ""
`

// load is what clients saw while deploys went on.
type load struct {
	mu     sync.Mutex
	took   []time.Duration // of the quick requests
	long   int
	echoes int
	failed []error
}

func (l *load) note(err error, add func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed = append(l.failed, fmt.Errorf("%s: %w", time.Now().Format(time.StampMilli), err))
		return
	}
	add()
}

// steady sends 100 requests a second, on time whatever becomes of the others,
// beside long requests and websockets, until ctx ends; all that began is waited
// for. Half of them are POST, which nobody may send twice.
func (l *load) steady(ctx context.Context, d *door) {
	var all sync.WaitGroup
	all.Go(func() {
		for ctx.Err() == nil {
			_, err := d.ask(context.Background(), http.MethodPost, "slow", "/long")
			l.note(err, func() { l.long++ })
		}
	})
	all.Go(func() {
		for ctx.Err() == nil {
			n, err := d.talk("slow", 4*time.Second)
			l.note(err, func() { l.echoes += n })
		}
	})
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		all.Go(func() {
			began := time.Now()
			_, err := d.ask(context.Background(), []string{http.MethodGet, http.MethodPost}[n%2], "slow", "/")
			l.note(err, func() { l.took = append(l.took, time.Since(began)) })
		})
		<-ticker.C
	}
	all.Wait()
}

// talk keeps an upgraded connection for a time, says something each 100 ms and
// waits for its echo. It returns how often that went well.
func (d *door) talk(app string, span time.Duration) (echoes int, err error) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(span + 20*time.Second))
	if _, err = fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s.localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", app); err != nil {
		return 0, err
	}
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		return 0, fmt.Errorf("upgrade: %v, %w", resp, err)
	}
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(span); time.Now().Before(end); echoes++ {
		word := []byte(fmt.Sprintf("word %d", echoes))
		back := make([]byte, len(word))
		_, err1 := conn.Write(word)
		_, err2 := io.ReadFull(in, back)
		if err := errors.Join(err1, err2); err != nil || string(back) != string(word) {
			return echoes, fmt.Errorf("echo %d was %q: %v", echoes, back, err)
		}
		<-ticker.C
	}
	return echoes, nil
}

// TestDeploysFailNoRequest changes an app that starts slowly again and again:
// new sources, new settings, rollbacks. `make deploys` does so fifty times.
func TestDeploysFailNoRequest(t *testing.T) {
	p := newPlatform(t, nil)
	d := newDoor(t, p)
	p.run()
	source := func(n int) paas.Upload { return p.upload(map[string]string{"app.py": fmt.Sprintf(slowApp, n)}) }
	p.live("slow", source(0))
	ctx, cancel := context.WithCancel(t.Context())
	var l load
	ended := make(chan struct{})
	go func() { l.steady(ctx, d); close(ended) }()
	began := time.Now()
	for n := range *deploys {
		p.change(n, source)
	}
	took := time.Since(began)
	cancel()
	<-ended
	if err := errors.Join(l.failed...); err != nil {
		t.Errorf("%d requests failed: %v", len(l.failed), err)
	}
	slices.Sort(l.took)
	if len(l.took) == 0 || l.echoes == 0 {
		t.Fatal("nobody asked")
	}
	at := func(share float64) time.Duration {
		return l.took[int(share*float64(len(l.took)-1))].Round(10 * time.Microsecond)
	}
	t.Logf("%d changes in %s: %d requests (p50 %s, p99 %s, longest %s), %d of 5 s, %d echoes; %d failed",
		*deploys, took.Round(time.Second), len(l.took), at(0.5), at(0.99), at(1), l.long, l.echoes, len(l.failed))
}

// change makes the n-th change of the app and waits until it is live.
func (p *platform) change(n int, source func(int) paas.Upload) {
	p.t.Helper()
	var rel paas.Release
	var err error
	switch n % 4 {
	case 1:
		if err = p.store.SetEnv(p.t.Context(), paas.DefaultTenant, "slow", map[string]string{"N": fmt.Sprint(n)}); err == nil {
			rel, err = p.Redeploy(p.t.Context(), paas.DefaultTenant, "slow", "tester")
		}
	case 3:
		rel, err = p.Rollback(p.t.Context(), paas.DefaultTenant, "slow", 0, "tester")
	default:
		rel, err = p.Deploy(p.t.Context(), paas.DefaultTenant, "slow", "tester", source(n+1))
	}
	if err != nil {
		p.t.Fatal(err)
	}
	if rel = p.ended(rel); rel.State != paas.ReleaseLive {
		p.t.Fatalf("change %d is %s: %s", n, rel.State, rel.Reason)
	}
}
