// Package dashboard is the role that shows live what apps do: it follows the
// stream, keeps the last minutes of every app in memory and sends frames to
// the pages that watch.
package dashboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"kurama/internal/config"
	"kurama/logship/pipeline"
	"kurama/logship/stream"
	"kurama/paas"
)

// ErrUnauthenticated is what Auth returns for a request of nobody known.
var ErrUnauthenticated = errors.New("not signed in")

// Identity is who sent a request.
type Identity struct {
	User   string
	Tenant string // own tenant; an operator may look at any
	Role   paas.Role
	CSRF   string // of the session; empty with a token
	Blind  bool   // a token that is not for reading
	App    string // the one app that a token is for; empty: each
}

// Auth tells who sent a request, by session cookie or bearer token. It returns
// ErrUnauthenticated, wrapped or not, where nobody did; other errors are faults.
type Auth interface {
	Identify(r *http.Request) (Identity, error)
}

// Apps knows which apps there are. App returns paas.ErrNotFound, wrapped,
// where the tenant has none of that name.
type Apps interface {
	App(ctx context.Context, tenant, name string) (paas.App, error)
	Apps(ctx context.Context, tenant string) ([]paas.App, error)
}

// Stream is where the records come from. TailSince reads the batches that the
// stream took at since or later, and then the new ones.
type Stream interface {
	stream.Stater
	TailSince(ctx context.Context, since time.Time) (*stream.Reader, error)
}

// Options are what the dashboard is plugged to.
type Options struct {
	Listener   net.Listener // of port 5005
	Stream     Stream
	Gate       *pipeline.Gate // what apps keep from the live view; nil: nothing
	Auth       Auth
	Apps       Apps
	History    History
	Pages      http.Handler // the dashboard's pages, at / and below
	Policy     string       // content security policy of every answer
	URL        string       // of the dashboard, as people open it
	ConsoleURL string       // where people sign in; empty: the host that was asked for, on ConsolePort
	// ConsolePort is the console's on this host; its pages may open the live view too.
	ConsolePort int
	RouterPort  int    // told in the session
	Domain      string // told in the session
	Log         *slog.Logger
}

// Server is the role dashboard.
type Server struct {
	cfg       config.Dashboard
	opts      Options
	auth      Auth
	hub       *hub
	counters  *counters
	log       *slog.Logger
	upgrader  websocket.Upgrader
	writeWait time.Duration
	attached  atomic.Bool   // the stream is being read
	reached   atomic.Uint64 // position of the last batch; 0: none yet
	open      atomic.Int64
	clients   sync.WaitGroup
	pastSlots chan struct{}   // looks into the past under way
	running   context.Context // ends when the role stops; clients live in it
	stop      context.CancelFunc
}

// New makes the role. It fails where a dependency is missing or a setting is
// out of its bounds.
func New(cfg config.Dashboard, opts Options) (*Server, error) {
	if opts.Listener == nil || opts.Stream == nil || opts.Auth == nil || opts.Apps == nil || opts.History == nil || opts.Pages == nil || opts.Policy == "" {
		return nil, errors.New("the dashboard needs a listener, a stream, auth, apps, a history, pages and their policy")
	}
	if cfg.FrameInterval <= 0 || cfg.History < time.Minute || cfg.LogLines < 1 || cfg.MaxClients < 1 {
		return nil, fmt.Errorf("dashboard: frame_interval (%s) must be above 0, history (%s) at least 1m, log_lines (%d) and max_clients (%d) at least 1",
			cfg.FrameInterval, cfg.History, cfg.LogLines, cfg.MaxClients)
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, opts: opts, auth: opts.Auth, counters: newCounters(opts.Gate), log: opts.Log, writeWait: defaultWriteWait,
		pastSlots: make(chan struct{}, pastAtOnce)}
	s.counters.registry.MustRegister(stream.LagGauge("dashboard", opts.Stream, func() (uint64, bool) {
		seq := s.reached.Load()
		return seq, seq > 0
	}))
	s.hub = newHub(cfg, opts.Gate, s.counters, opts.Log)
	s.upgrader = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &sync.Pool{},
		HandshakeTimeout: 10 * time.Second, CheckOrigin: s.sameHost}
	s.running, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// Addr returns the address that the role listens on.
func (s *Server) Addr() net.Addr { return s.opts.Listener.Addr() }

// Run serves pages and clients until ctx ends; it then says goodbye to every
// client. It returns an error where the listener fails.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		WriteTimeout: time.Minute, MaxHeaderBytes: 64 << 10, // of pages; a websocket has its own deadlines
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	var parts sync.WaitGroup
	parts.Go(func() { s.hub.run(ctx) })
	parts.Go(func() { s.follow(ctx) })
	failed := make(chan error, 1)
	parts.Go(func() { failed <- server.Serve(s.opts.Listener) })
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("serving the dashboard on %s: %w", s.Addr(), err)
	}
	cancel()
	s.stop()
	end, done := context.WithTimeout(context.Background(), 5*time.Second)
	defer done()
	_ = server.Shutdown(end) // what it did not end in time is cut by Close
	_ = server.Close()
	s.clients.Wait()
	parts.Wait()
	return err
}
