package autoscaler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/logship/record"
	"kurama/logship/stream"
	"kurama/paas"
	"kurama/paas/store"
)

// events keeps what the autoscaler sends.
type events struct {
	mu   sync.Mutex
	sent []string
}

func (e *events) Send(r *record.Record) bool {
	var extra struct {
		Event    string
		From, To int
	}
	_ = json.Unmarshal(r.Extra, &extra)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent = append(e.sent, fmt.Sprintf("%s %s %d %d %s", extra.Event, r.App, extra.From, extra.To, r.Msg))
	return true
}

func startStream(t *testing.T) *stream.Stream {
	t.Helper()
	cfg := config.Default().Stream
	cfg.Listen = "127.0.0.1:0"
	server, err := stream.NewServer(cfg, t.TempDir(), "secret", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = server.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	s, err := stream.Connect(ctx, cfg, server.URL(), "secret", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// quietPast is a past of 5 requests a minute.
type quietPast struct{ asked []string }

func (p *quietPast) Minutes(_ context.Context, tenant, app string, from, to time.Time) ([]int, error) {
	p.asked = append(p.asked, tenant+"/"+app+" "+to.Sub(from).String())
	if app == "lost" {
		return nil, errors.New("no such table")
	}
	counts := make([]int, int(to.Sub(from)/time.Minute))
	for i := range counts {
		counts[i] = 300
	}
	return counts, nil
}

func TestThePastOfAnAppIsReadOnce(t *testing.T) {
	policies := &swiftApps{}
	for _, app := range []string{"hello", "lost", "other"} {
		p := paas.DefaultPolicy()
		if p.Name = paas.PolicySwift; app == "other" {
			p.Name = paas.PolicyStep
		}
		policies.list = append(policies.list, paas.ScaledApp{Tenant: "default", App: app, Desired: 1, Release: 1, Policy: p})
	}
	past := &quietPast{}
	a := New(config.Default().Autoscaler, Options{Store: policies, Past: past})
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for i := range 5 {
		if err := a.runOnce(t.Context(), now.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
		if i == 0 && len(past.asked) != 1 {
			t.Errorf("%d pasts were read in one round", len(past.asked))
		}
	}
	if want := "default/hello 49h0m0s default/lost 49h0m0s"; strings.Join(past.asked, " ") != want {
		t.Errorf("asked %q", past.asked)
	}
}

// swiftApps are apps that nothing is decided for.
type swiftApps struct{ list []paas.ScaledApp }

func (s *swiftApps) ScaledApps(context.Context) ([]paas.ScaledApp, error) { return s.list, nil }

func (s *swiftApps) Apply(context.Context, paas.Decision) (bool, error) { return true, nil }

// TestTheLoopScalesABusyAppUp runs the role against a real database and a real
// stream, with the shortest windows a policy may have.
func TestTheLoopScalesABusyAppUp(t *testing.T) {
	pool, str, ctx := pgtest.New(t), startStream(t), context.Background()
	cfg := config.Default().Autoscaler
	cfg.Interval = 100 * time.Millisecond
	policies := store.NewPolicies(pool, cfg.Default())
	exec(t, pool, "INSERT INTO tenants (name) VALUES ('default') ON CONFLICT DO NOTHING",
		"INSERT INTO apps (tenant, name, state, release, desired) VALUES ('default','busy','running',1,1), ('default','idle','running',1,1), ('default','new','new',0,1)")
	for _, app := range []string{"busy", "idle"} {
		p := cfg.Default()
		p.Max, p.LoadWindow, p.TimeWindow, p.Cooldown = 3, 10, 10, 1
		if err := policies.Scale(ctx, "default", app, 1, &p); err != nil {
			t.Fatal(err)
		}
	}
	listen, err := pgx.Connect(ctx, pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer listen.Close(ctx)
	if _, err := listen.Exec(ctx, "LISTEN kurama_apps"); err != nil {
		t.Fatal(err)
	}
	sent, l := &events{}, listener(t)
	run(t, New(cfg, Options{Store: policies, Stream: str, Sender: sent, Listener: l}))
	var list []paas.Decision
	for n, deadline := 0, time.Now().Add(20*time.Second); len(list) < 2; n++ {
		if time.Now().After(deadline) {
			t.Fatalf("decisions within 20 s: %+v", list)
		}
		publish(t, str, n)
		time.Sleep(50 * time.Millisecond)
		if list, err = policies.Decisions(ctx, "default", "busy", 10); err != nil {
			t.Fatal(err)
		}
	}
	if first := list[1]; first.From != 1 || first.To != 2 || !strings.HasPrefix(first.Reason, "1 → 2 replicas: p95 of load over ") ||
		!strings.HasSuffix(first.Reason, " is 97 % (limit 85 %).") || first.Inputs["load_p95"] != 97 {
		t.Errorf("%+v", first)
	}
	var desired, idle int
	if err := pool.QueryRow(ctx, "SELECT (SELECT desired FROM apps WHERE name='busy'), (SELECT desired FROM apps WHERE name='idle')").Scan(&desired, &idle); err != nil || desired != 3 || idle != 1 {
		t.Errorf("busy wants %d, idle %d: %v", desired, idle, err)
	}
	waiting, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if n, err := listen.WaitForNotification(waiting); err != nil || n.Payload != "default/busy" {
		t.Errorf("notification %+v, %v", n, err)
	}
	sent.mu.Lock()
	if len(sent.sent) != 2 || sent.sent[0] != "scaled busy 1 2 "+list[1].Reason {
		t.Errorf("events %q", sent.sent)
	}
	sent.mu.Unlock()
	resp, err := http.Get("http://" + l.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); !strings.Contains(string(body), `kurama_autoscaler_decisions_total{direction="up"} 2`) {
		t.Errorf("%s", body)
	}
}

func listener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func run(t *testing.T, a *Autoscaler) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := a.Run(ctx); err != nil {
			t.Errorf("the autoscaler ended with %v", err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
}

// publish puts a busy and an idle sample on the stream.
func publish(t *testing.T, s *stream.Stream, n int) {
	t.Helper()
	now := time.Now()
	var batch []byte
	for app, cpu := range map[string]float64{"busy": 97, "idle": 60} {
		batch = record.Append(batch, &record.Record{Time: now, ID: record.NewID(now), Kind: record.KindSample, Tenant: "default", App: app, Release: 1,
			Replica: app + "-1-abcdef", CPU: record.Num(cpu)})
	}
	if _, err := s.Publish(context.Background(), "host", fmt.Sprint("t-", n), batch, 2); err != nil {
		t.Fatal(err)
	}
}

func exec(t *testing.T, pool interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if err := pool.QueryRow(context.Background(), sql).Scan(); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			t.Fatal(err)
		}
	}
}
