package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/logship/stream"
	"kurama/paas"
)

// people is an Auth whose bearer tokens are the names of its entries.
type people map[string]Identity

func (p people) Identify(r *http.Request) (Identity, error) {
	who, ok := p[r.Header.Get("Authorization")]
	if !ok {
		return Identity{}, fmt.Errorf("token: %w", ErrUnauthenticated)
	}
	return who, nil
}

// catalog is an Apps: tenant to names.
type catalog map[string][]string

func (c catalog) App(_ context.Context, tenant, name string) (paas.App, error) {
	for _, app := range c[tenant] {
		if app == name {
			return paas.App{Tenant: tenant, Name: name}, nil
		}
	}
	return paas.App{}, fmt.Errorf("app %q: %w", name, paas.ErrNotFound)
}

func (c catalog) Apps(_ context.Context, tenant string) ([]paas.App, error) {
	var list []paas.App
	for _, app := range c[tenant] {
		list = append(list, paas.App{Tenant: tenant, Name: app})
	}
	return list, nil
}

// fixture is a dashboard on a real stream.
type fixture struct {
	t      testing.TB
	stream *stream.Stream
	server *Server
	sent   int
	dialer websocket.Dialer
}

// narrow dials with a small receive buffer, so that a client that does not
// read is noticed soon.
func narrow(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err == nil {
		err = conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	}
	return conn, err
}

// startStream starts a JetStream server of the test's own.
func startStream(t testing.TB) *stream.Stream {
	t.Helper()
	cfg := config.Default().Stream
	cfg.Listen, cfg.Sync = "127.0.0.1:0", false
	_, url := startServer(t, cfg)
	return connect(t, cfg, url)
}

// startServer starts a stream in a folder of its own and returns how to stop
// it before the test ends, and its address.
func startServer(t testing.TB, cfg config.Stream) (stop func(), url string) {
	t.Helper()
	server, err := stream.NewServer(cfg, t.TempDir(), "secret", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return running(t, server.Run), server.URL()
}

func connect(t testing.TB, cfg config.Stream, url string) *stream.Stream {
	t.Helper()
	s, err := stream.Connect(t.Context(), cfg, url, "secret", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// running runs fn until the test ends, or stop is called, and waits for it then.
func running(t testing.TB, fn func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func settings() config.Dashboard {
	cfg := config.Default().Dashboard
	cfg.FrameInterval = 20 * time.Millisecond
	return cfg
}

// setup starts a dashboard; change may alter it before it runs.
func setup(t testing.TB, s *stream.Stream, cfg config.Dashboard, change func(*Server)) *fixture {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := New(cfg, Options{
		Listener: listener, Stream: s,
		Auth: people{
			"Bearer ann":      {User: "ann", Tenant: "acme", Role: paas.RoleViewer},
			"Bearer bob":      {User: "bob", Tenant: "bee", Role: paas.RoleOwner},
			"Bearer ops":      {User: "ops", Tenant: "default", Role: paas.RoleOperator, CSRF: "token"},
			"Bearer deployer": {User: "ann", Tenant: "acme", Role: paas.RoleDeveloper, Blind: true},
			"Bearer hellos":   {User: "ann", Tenant: "acme", Role: paas.RoleViewer, App: "hello"},
		},
		History: remembered{},
		Apps:    catalog{"acme": {"hello", "shop"}, "bee": {"hello", "secret"}},
		Pages:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<div id=app>") }),
		Policy:  "default-src 'self'", ConsolePort: 5001, URL: "http://localhost:5005", RouterPort: 8080, Domain: "localhost",
	})
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(server)
	}
	running(t, server.Run)
	f := &fixture{t: t, stream: s, server: server}
	f.poll("the dashboard reads the stream", func() bool { return server.attached.Load() })
	return f
}

// value reads a counter or a gauge.
func value(m prometheus.Metric) float64 {
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		return 0
	}
	return out.GetCounter().GetValue() + out.GetGauge().GetValue()
}

// poll waits until fn is true.
func (f *fixture) poll(what string, fn func() bool) {
	f.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !fn(); <-tick.C {
		if time.Now().After(deadline) {
			f.t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// publish puts records on the stream as one batch.
func (f *fixture) publish(records ...record.Record) {
	f.t.Helper()
	publish(f.t, f.stream, &f.sent, records...)
}

func publish(t testing.TB, s *stream.Stream, sent *int, records ...record.Record) {
	t.Helper()
	var data []byte
	for i := range records {
		data = record.Append(data, &records[i])
	}
	*sent++
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if _, err = s.Publish(t.Context(), "host", fmt.Sprintf("test-%d", *sent), data, len(records)); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// dial opens the live view as the named person.
func (f *fixture) dial(person, query string, header http.Header) (*websocket.Conn, *http.Response, error) {
	h := http.Header{"Authorization": {"Bearer " + person}}
	maps.Copy(h, header)
	return f.dialer.Dial("ws://"+f.server.Addr().String()+"/api/live?"+query, h)
}

// watch opens the live view and gathers what its frames tell.
func (f *fixture) watch(person, query string) *page {
	f.t.Helper()
	conn, _, err := f.dial(person, query, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = conn.Close() })
	return &page{f: f, conn: conn, points: map[int64]pointJSON{}}
}

type pointJSON struct {
	T, Req, S2, S3, S4, S5 int64
	P50, P95, P99          *float64
	Inflight, Replicas     *float64
}

type frameJSON struct {
	T        int64
	App      string
	Tenant   string
	Snapshot bool
	Points   []pointJSON
	Figures  []struct {
		Replica string
		T       int64
		CPU     *float64
	}
	Host   []struct{ T int64 }
	Routes []struct {
		App, Method, Route string
		Requests, Errors   int
		P95                *float64
	}
	Window   *struct{ Requests, Errors int }
	Total    *struct{ Requests, Logs int }
	Logs     []record.Record
	Dropped  int
	Relogged bool
	Events   []struct{ Event, Msg string }
	Apps     []struct {
		App      string
		Errors   int
		Replicas *float64
	}
}

// page does what the page in the browser does: it keeps what frames tell.
type page struct {
	f       *fixture
	conn    *websocket.Conn
	frames  int
	points  map[int64]pointJSON
	last    frameJSON // latest of each part
	logs    []record.Record
	dropped int
}

// read takes one frame.
func (p *page) read() frameJSON {
	p.f.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, data, err := p.conn.ReadMessage()
	if err != nil {
		p.f.t.Fatalf("after %d frames: %v", p.frames, err)
	}
	var f frameJSON
	if err := json.Unmarshal(data, &f); err != nil {
		p.f.t.Fatalf("the frame %s: %v", data, err)
	}
	p.take(f)
	return f
}

func (p *page) take(f frameJSON) {
	p.frames++
	for _, pt := range f.Points {
		p.points[pt.T] = pt
	}
	p.logs = append(p.logs, f.Logs...)
	p.dropped += f.Dropped
	if f.Routes != nil {
		p.last.Routes = f.Routes
	}
	if f.Window != nil {
		p.last.Window = f.Window
	}
	if f.Total != nil {
		p.last.Total = f.Total
	}
	if f.Apps != nil {
		p.last.Apps = f.Apps
	}
	p.last.Events = append(p.last.Events, f.Events...)
	p.last.Figures = append(p.last.Figures, f.Figures...)
}

// until reads frames until fn is true.
func (p *page) until(what string, fn func() bool) {
	p.f.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !fn(); p.read() {
		if time.Now().After(deadline) {
			p.f.t.Fatalf("not within 20 s: %s; total %+v", what, p.last.Total)
		}
	}
}

func (p *page) sum() (s pointJSON) {
	for _, pt := range p.points {
		s.Req += pt.Req
		s.S2, s.S3, s.S4, s.S5 = s.S2+pt.S2, s.S3+pt.S3, s.S4+pt.S4, s.S5+pt.S5
	}
	return s
}

// request makes a request record of acme's hello.
func request(at time.Time, status int, ms float64) record.Record {
	level := record.LevelInfo
	switch {
	case status >= 500:
		level = record.LevelError
	case status >= 400:
		level = record.LevelWarning
	}
	return record.Record{Time: at, ID: record.NewID(at), Kind: record.KindRequest, Level: level, Tenant: "acme", App: "hello", Release: 1,
		Replica: "hello-1-aaaaaa", Method: "GET", URL: "/item/7?q=1", Route: "/item/<id>", Status: status,
		Msg: fmt.Sprintf("GET /item/7 %d %.1f ms", status, ms), Dur: record.Num(ms), CPUMs: record.Num(ms / 10), DBMs: record.Num(ms / 4), Bytes: record.Num(2048)}
}

func logLine(at time.Time, level record.Level, msg string) record.Record {
	return record.Record{Time: at, ID: record.NewID(at), Kind: record.KindLog, Level: level, Tenant: "acme", App: "hello", Release: 1,
		Replica: "hello-1-aaaaaa", URL: "/item/7", Route: "/item/<id>", Msg: msg}
}

func sample(at time.Time, replica string, cpu float64) record.Record {
	return record.Record{Time: at, ID: record.NewID(at), Kind: record.KindSample, Tenant: "acme", App: "hello", Release: 1, Replica: replica,
		CPU: record.Num(cpu), Disk: record.Num(1), Mem: record.Num(40)}
}

func queue(at time.Time, inflight, queued int) record.Record {
	return record.Record{Time: at, ID: record.NewID(at), Kind: record.KindSample, Tenant: "acme", App: "hello", Replica: "router",
		Extra: fmt.Appendf(nil, `{"inflight":%d,"queued":%d,"requests":9,"targets":2}`, inflight, queued)}
}
