package router

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kurama/logship/record"
	"kurama/paas"
)

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
