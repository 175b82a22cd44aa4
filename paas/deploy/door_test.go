package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/paas"
	"kurama/paas/router"
)

// door is the real router in front of a platform's apps.
type door struct {
	*router.Client
	url    string
	client *http.Client
}

// newDoor starts a router and lets p send its tables there.
func newDoor(t *testing.T, p *platform) *door {
	t.Helper()
	dir, err := os.MkdirTemp("", "kd") // short: a socket's path is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	control, err := net.Listen("unix", filepath.Join(dir, "router.sock"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := router.New(config.Default().Router, router.Options{Listener: listener, Control: control, StatePath: filepath.Join(dir, "table.json"),
		Domain: "localhost", Records: p.events, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	d := &door{Client: router.NewClient(filepath.Join(dir, "router.sock")), url: "http://" + listener.Addr().String(),
		client: &http.Client{Transport: transport, Timeout: time.Minute}}
	p.door = d
	return d
}

// get asks an app through the router.
func (d *door) get(ctx context.Context, app, path string) (string, error) {
	return d.ask(ctx, http.MethodGet, app, path)
}

func (d *door) ask(ctx context.Context, method, app, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, d.url+path, nil)
	if err != nil {
		return "", err
	}
	req.Host = app + ".localhost"
	resp, err := d.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", resp.StatusCode, body)
	}
	return string(body), err
}

// visit is one request as its client saw it.
type visit struct {
	began, ended time.Time
	body         string
	err          error
}

// visitors are clients that ask without a pause until leave is called, which
// returns what all of them saw.
func (d *door) visitors(app, path string, n int) (leave func() []visit) {
	ctx, cancel := context.WithCancel(context.Background())
	var mu sync.Mutex
	var seen []visit
	var going sync.WaitGroup
	for range n {
		going.Go(func() {
			for ctx.Err() == nil {
				v := visit{began: time.Now()}
				// A GET that is cut would be tried on another replica, unseen.
				v.body, v.err = d.ask(context.Background(), http.MethodPost, app, path)
				v.ended = time.Now()
				mu.Lock()
				seen = append(seen, v)
				mu.Unlock()
			}
		})
	}
	return func() []visit {
		cancel()
		going.Wait()
		return seen
	}
}

// served fails the test for each visit that was not answered.
func served(t *testing.T, visits []visit) {
	t.Helper()
	var errs []error
	for _, v := range visits {
		if v.err != nil {
			errs = append(errs, fmt.Errorf("began %s, ended %s: %w", v.began.Format(time.StampMilli), v.ended.Format(time.StampMilli), v.err))
		}
	}
	if err := errors.Join(errs...); err != nil || len(visits) == 0 {
		t.Errorf("%d of %d visits failed: %v", len(errs), len(visits), err)
	}
}

// busy waits until each replica of an app has a request in flight, and there
// are n of them.
func (p *platform) busy(app string, n int) []paas.Replica {
	p.t.Helper()
	var replicas []paas.Replica
	p.until(30*time.Second, fmt.Sprintf("%d replicas with requests in flight", n), func() bool {
		replicas = p.Replicas(paas.DefaultTenant, app)
		inFlight, err := p.door.InFlight(p.t.Context())
		if err != nil {
			p.t.Fatal(err)
		}
		for _, r := range replicas {
			if inFlight[r.ID] == 0 {
				return false
			}
		}
		return len(replicas) == n
	})
	return replicas
}
