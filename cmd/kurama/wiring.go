package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"kurama/internal/config"
	"kurama/internal/postgres"
	"kurama/internal/role"
	"kurama/logship/pipeline"
	"kurama/logship/stream"
	"kurama/logship/wire"
	"kurama/paas"
	"kurama/paas/store"
	"kurama/services/alert"
	"kurama/services/sink"
)

// lastWords bounds how long a role that ends waits for the agent to take its
// last records.
const lastWords = 2 * time.Second

// roleConns are the connections that a role needs at least: persist holds two
// for good, and reads pipelines and deletes beside them.
const roleConns = 4

// fewThreads are the roles that a quarter of the cores is enough for, since
// nearly all of their work is one goroutine's. With more threads of Go, each
// message on its way from the connection to there wakes one and puts it to
// sleep again. GOMAXPROCS overrides it.
var fewThreads = map[string]bool{"logship": true, "archive": true, "alert": true, "profile": true, "autoscaler": true}

// runner is what every role is.
type runner interface {
	Run(ctx context.Context) error
}

// wiring gives a role what it is plugged to and closes it afterwards.
type wiring struct {
	name    string
	cfg     config.Config
	folders config.Folders
	log     *slog.Logger
	closers []func()
	keys    store.Keys // set by openKeys
}

// roleCommand makes the subcommand that runs one role alone.
func roleCommand(s *settings, name, short string, make func(context.Context, *wiring) (runner, error)) *cobra.Command {
	return &cobra.Command{
		Use:   name,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, folders, err := s.load()
			if err != nil {
				return err
			}
			if fewThreads[name] && os.Getenv("GOMAXPROCS") == "" {
				runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)/4))
			}
			w := &wiring{name: name, cfg: cfg, folders: folders, log: logger(cfg, name)}
			defer w.close()
			if err := folders.Make(); err != nil {
				return diskSentence(err)
			}
			r, err := make(cmd.Context(), w)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			go slimLater(cmd.Context())
			return r.Run(cmd.Context())
		},
	}
}

func (w *wiring) onClose(f func()) { w.closers = append(w.closers, f) }

func (w *wiring) close() {
	for i := len(w.closers) - 1; i >= 0; i-- {
		w.closers[i]()
	}
}

// pool opens the database, and waits for one that does not answer: a role that
// ended instead would come back later and later.
func (w *wiring) pool(ctx context.Context) (*pgxpool.Pool, error) {
	dsn, err := postgres.DSN(w.cfg.Database, w.folders.Run)
	if err != nil {
		return nil, err
	}
	pool, err := postgres.Await(ctx, dsn, max(w.cfg.Database.MaxConns, roleConns), w.log)
	if err != nil {
		return nil, err
	}
	w.onClose(pool.Close)
	return pool, nil
}

// tenantPool opens the database for queries on behalf of tenants, once pool has
// found that it answers.
func (w *wiring) tenantPool(ctx context.Context) (*pgxpool.Pool, error) {
	dsn, err := postgres.DSN(w.cfg.Database, w.folders.Run)
	if err != nil {
		return nil, err
	}
	pool, err := postgres.OpenTenants(ctx, dsn, w.cfg.Database.MaxConns)
	if err != nil {
		return nil, err
	}
	w.onClose(pool.Close)
	return pool, nil
}

// stream connects to the embedded or the external stream.
func (w *wiring) stream(ctx context.Context) (*stream.Stream, error) {
	url, token := w.cfg.Stream.URL.Reveal(), ""
	if url == "" {
		secret, err := w.folders.StreamToken()
		if err != nil {
			return nil, err
		}
		url, token = "nats://"+w.cfg.Stream.Listen, secret
	}
	st, err := stream.Connect(ctx, w.cfg.Stream, url, token, w.log)
	if err != nil {
		return nil, err
	}
	w.onClose(st.Close)
	return st, nil
}

// ops is the socket of a role that has no port of its own.
func (w *wiring) ops() (net.Listener, error) {
	return role.SocketListener(opsSocket(w.folders.Run, w.name))
}

// sender runs a client of the agent's platform socket beside the role.
func (w *wiring) sender(buffer int) *wire.Client {
	c := wire.New(w.folders.Socket("agent.sock"), wire.Options{Buffer: buffer, Log: w.log})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Run(ctx) }()
	w.onClose(func() {
		last, stop := context.WithTimeout(context.Background(), lastWords)
		defer stop()
		if err := c.Flush(last); err != nil {
			w.log.Warn("The agent did not take the last records before the role ended.", "error", err)
		}
		cancel()
		<-done
	})
	return c
}

// sink gathers what a service on the stream needs.
func (w *wiring) sink(ctx context.Context, service paas.Service) (sink.Deps, error) {
	pool, err := w.pool(ctx)
	if err != nil {
		return sink.Deps{}, err
	}
	st, err := w.stream(ctx)
	if err != nil {
		return sink.Deps{}, err
	}
	gate, err := w.gate(ctx, pool, service)
	if err != nil {
		return sink.Deps{}, err
	}
	ln, err := w.ops()
	return sink.Deps{Stream: st, Pool: pool, Gate: gate, Log: w.log, Listener: ln}, err
}

// gate stands before a service and follows what apps have set up. It is known
// before the service takes its first record.
func (w *wiring) gate(ctx context.Context, pool *pgxpool.Pool, service paas.Service) (*pipeline.Gate, error) {
	g := pipeline.New(service, alert.CompileFilter)
	if err := g.Refresh(ctx, pool, w.log); err != nil {
		return nil, err
	}
	following, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); g.Follow(following, pool, w.log) }()
	w.onClose(func() { cancel(); <-done })
	return g, nil
}

// instance is the name of this installation.
func (w *wiring) instance() (string, error) { return w.folders.Instance() }
