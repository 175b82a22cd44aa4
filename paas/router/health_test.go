package router

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kurama/paas"
)

// balanced is an app with so many targets that are warm, and its log.
func balanced(n int) (*app, *bytes.Buffer) {
	log := &bytes.Buffer{}
	a := newApp("default", "hello", testConfig(), slog.New(slog.NewTextHandler(log, nil)), nil)
	var targets []paas.Target
	for i := range n {
		targets = append(targets, paas.Target{Replica: string(rune('a' + i)), Release: 1, Address: "127.0.0.1:1"})
	}
	a.update(paas.AppRunning, targets)
	time.Sleep(a.cfg.SlowStart)
	return a, log
}

// visit lets a request go to the target that is picked, and be answered after took.
func (a *app) visit(t *testing.T, took time.Duration, resp *http.Response, err error) *target {
	t.Helper()
	x, failed := a.acquire(t.Context(), nil, choice{})
	if failed != nil {
		t.Fatal(failed)
	}
	asked := time.Now()
	time.Sleep(took)
	a.began(x, asked, false, resp, err)
	a.release(x)
	return x
}

var ok = &http.Response{StatusCode: 200}

func TestHealth(t *testing.T) {
	t.Run("a replica that is ten times slower gets a request only now and then", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, _ := balanced(2)
			slow := 0
			for range 1000 {
				x, _ := a.acquire(t.Context(), nil, choice{})
				took := 10 * time.Millisecond
				if x.Replica == "b" {
					took = 100 * time.Millisecond
					slow++
				}
				asked := time.Now()
				time.Sleep(took)
				a.began(x, asked, false, ok, nil)
				a.release(x)
			}
			if slow < 1 || slow > 15 {
				t.Errorf("%d of 1000 went to the slow one", slow)
			}
		})
	})
	t.Run("a difference within noise is none", func(t *testing.T) {
		now := time.Now()
		h := health{latency: 0.019, measured: now}
		if got := h.slowness(now, 0.010); got != 1 {
			t.Errorf("%g", got)
		}
		if got := h.slowness(now, 0.005); got < 3.7 || got > 3.9 {
			t.Errorf("%g", got)
		}
	})
	t.Run("a new one gets a tenth of its part at first, and all of it in the end", func(t *testing.T) {
		h := health{since: time.Now()}
		for age, want := range map[time.Duration]float64{0: 0.1, time.Second: 0.2, 2500 * time.Millisecond: 0.5, 5 * time.Second: 1, time.Hour: 1} {
			if got := h.warmth(h.since.Add(age), 5*time.Second); got != want {
				t.Errorf("after %s: %g", age, got)
			}
		}
		if got := h.warmth(h.since, 0); got != 1 {
			t.Errorf("without slow start: %g", got)
		}
	})
	t.Run("one that fails five in a row is left out, with the reason in the log, and tried again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, log := balanced(3)
			bad, failures := a.targets[1], 0
			for range 100 {
				resp, err := ok, error(nil)
				x, _ := a.acquire(t.Context(), nil, choice{})
				if x == bad {
					resp, err = nil, errors.New("connection reset by peer")
					failures++
				}
				a.began(x, time.Now(), false, resp, err)
				a.release(x)
			}
			if failures != 5 {
				t.Errorf("%d requests went to it", failures)
			}
			if text := log.String(); !strings.Contains(text, "left out") || !strings.Contains(text, "5 requests in a row failed on it, the last because connection reset by peer") {
				t.Error(text)
			}
			time.Sleep(a.cfg.EjectFor)
			for range 9 {
				a.visit(t, 0, ok, nil)
			}
			if !bad.outUntil.IsZero() || !strings.Contains(log.String(), "answers again") {
				t.Errorf("%+v\n%s", bad.health, log)
			}
		})
	})
	t.Run("when all fail none is left out beyond half", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, _ := balanced(4)
			for range 200 {
				a.visit(t, 0, &http.Response{StatusCode: 502}, nil)
			}
			out := 0
			for _, x := range a.targets {
				if x.out(time.Now()) {
					out++
				}
			}
			if out != 2 {
				t.Errorf("%d of 4 are left out", out)
			}
			if a.ejections.Load() != 2 {
				t.Errorf("%d ejections", a.ejections.Load())
			}
		})
	})
	t.Run("an error page of the app, and a client that goes away, are no failures", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, log := balanced(2)
			for range 50 {
				a.visit(t, 0, &http.Response{StatusCode: 500}, nil)
				a.visit(t, 0, nil, errClient)
			}
			if log.Len() > 0 || a.targets[0].pending != 0 || a.targets[1].pending != 0 {
				t.Errorf("%s", log)
			}
		})
	})
	t.Run("one that freezes gets no more requests, and is left out while others answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, log := balanced(2)
			for range 20 {
				a.visit(t, 10*time.Millisecond, ok, nil)
			}
			frozen, _ := a.acquire(t.Context(), nil, choice{})
			asked := time.Now()
			for range 300 {
				if x := a.visit(t, 10*time.Millisecond, ok, nil); x == frozen {
					t.Fatal("it got another request")
				}
			}
			if text := log.String(); !strings.Contains(text, "it has begun no answer for 2s, with 1 pending, while others answer") {
				t.Error(text)
			}
			a.began(frozen, asked, false, ok, nil)
			a.release(frozen)
			if frozen.out(time.Now()) {
				t.Error("it stays out although it answers")
			}
		})
	})
}

// TestASlowReplicaDoesNotSlowTheOthers sends requests over the network.
func TestASlowReplicaDoesNotSlowTheOthers(t *testing.T) {
	b := start(t, testConfig())
	var slow atomic.Int64
	b.route(t, replica(t, "fast", func(w http.ResponseWriter, _ *http.Request) { time.Sleep(time.Millisecond) }),
		replica(t, "slow", func(w http.ResponseWriter, _ *http.Request) {
			slow.Add(1)
			time.Sleep(100 * time.Millisecond)
		}))
	for range 300 {
		if status, _ := b.get(t, "/"); status != 200 {
			t.Fatal(status)
		}
	}
	if n := slow.Load(); n < 1 || n > 10 {
		t.Errorf("%d of 300 requests went to the slow one", n)
	}
}
