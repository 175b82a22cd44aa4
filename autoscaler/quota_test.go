package autoscaler

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/paas"
)

// full is a store whose one app wants more than its tenant's quota allows.
type full struct {
	app   paas.ScaledApp
	tried atomic.Int64
}

func (f *full) ScaledApps(context.Context) ([]paas.ScaledApp, error) {
	return []paas.ScaledApp{f.app}, nil
}

func (f *full) Apply(context.Context, paas.Decision) (bool, error) {
	f.tried.Add(1)
	return false, &paas.Invalid{Reason: "The quota is full."}
}

// lines is a log that can be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

func TestAFullQuotaIsToldOnceAndHoldsNothingUp(t *testing.T) {
	str, cfg := startStream(t), config.Default().Autoscaler
	cfg.Interval = 50 * time.Millisecond
	p := cfg.Default()
	p.Max, p.LoadWindow, p.TimeWindow, p.Cooldown = 3, 10, 10, 1
	f := &full{app: paas.ScaledApp{Tenant: "default", App: "busy", Desired: 1, Release: 1, Policy: p}}
	sent, log := &events{}, &lines{}
	run(t, New(cfg, Options{Store: f, Stream: str, Sender: sent, Log: slog.New(slog.NewTextHandler(log, nil))}))
	for n, deadline := 0, time.Now().Add(20*time.Second); f.tried.Load() < 3; n++ {
		if time.Now().After(deadline) {
			t.Fatalf("tried %d times within 20 s", f.tried.Load())
		}
		publish(t, str, n)
		time.Sleep(50 * time.Millisecond)
	}
	if n := log.count("The quota is full."); n != 1 {
		t.Errorf("told %d times", n)
	}
	if n := log.count("Autoscaling is held up"); n != 0 {
		t.Errorf("held up %d times", n)
	}
	sent.mu.Lock()
	defer sent.mu.Unlock()
	if len(sent.sent) != 0 {
		t.Errorf("events %q", sent.sent)
	}
}
