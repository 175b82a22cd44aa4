// Package logship is the agent of a host: it takes the records of the router
// and of the replicas, samples what they use, reads their output, and ships
// all of it to the stream in batches. What it acknowledged is never lost:
// it is on the stream, or fsynced in the spool.
package logship

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/logship/spool"
	"kurama/logship/stdout"
	"kurama/logship/stream"
)

// grace bounds the publishing of what is left when the agent ends; the rest
// goes to the spool.
const grace = 3 * time.Second

// Options says where the agent lives and what it works with.
type Options struct {
	Host     string         // name of the host; empty: the system's
	RunDir   string         // folder of sockets: agent.sock, replicas/<replica>/log.sock
	SpoolDir string         // folder of the spool, of stdout.json and of logged.json
	Limits   string         // file of what tenants may log in a day (LogLimits); empty: no bound
	Stream   *stream.Stream // where batches go
	Engine   Engine         // nil: no containers on this host
	Listener net.Listener   // of /metrics, /healthz and /readyz; nil: none. Run closes it
	Log      *slog.Logger   // nil is slog.Default
}

// Agent is the role logship.
type Agent struct {
	cfg        config.Logship
	opts       Options
	log        *slog.Logger
	began      time.Time
	engine     Engine
	causes     causes
	batches    *batcher
	spool      *spool.Spool
	ship       *shipper
	seen       *seen
	losses     *losses
	limits     *limits
	allowances *allowances
	checkpoint *stdout.Checkpoint
	count      *metrics
	host       hostReader
	ready      atomic.Bool
	listed     atomic.Bool   // the engine was asked once for all replicas
	doubting   atomic.Bool   // the stream could not be read back, and that was told
	begun      chan *replica // replicas that run and have no figures yet

	// Set by Run.
	sources context.Context // ends when nothing more is taken
	reading sync.WaitGroup  // whatever adds to batches
	acking  sync.WaitGroup  // whatever tells clients
	stop    chan struct{}   // closed when the last acknowledgements are due

	mu       sync.RWMutex
	replicas map[string]*replica // by container
	named    map[string]*replica // by replica
}

// New opens the spool and the checkpoint. Nothing listens before Run.
func New(cfg config.Logship, opts Options) (*Agent, error) {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.Host == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("asking for the host's name: %w", err)
		}
		opts.Host = host
	}
	waiting, err := spool.Open(opts.SpoolDir, int64(cfg.SpoolMax))
	if err != nil {
		return nil, err
	}
	checkpoint, err := stdout.OpenCheckpoint(filepath.Join(opts.SpoolDir, "stdout.json"))
	if err != nil {
		opts.Log.Warn("The checkpoint of the containers' output is lost; their output is read from the start.", "error", err)
	}
	a := &Agent{cfg: cfg, opts: opts, log: opts.Log, began: time.Now(), engine: opts.Engine, spool: waiting, checkpoint: checkpoint,
		count: newMetrics(), host: hostReader{dir: opts.SpoolDir}, stop: make(chan struct{}),
		replicas: map[string]*replica{}, named: map[string]*replica{}, begun: make(chan *replica, 64),
		causes: causes{rate: fmt.Sprintf("the app sends more than %d a second (logship.rate_limit)", cfg.RateLimit),
			day: "the apps of its tenant have logged as much as they may in a day (`kurama quota` says how much), and what they log until midnight (UTC) is dropped"}}
	if a.allowances, err = openAllowances(opts.Limits, opts.SpoolDir, a.began); err != nil {
		opts.Log.Warn("What tenants have logged today is counted from now on.", "error", err)
	}
	a.limits = &limits{rate: rate.Limit(cfg.RateLimit), burst: cfg.RateBurst, apps: map[appKey]*rate.Limiter{}}
	a.losses = &losses{total: func(n int) { a.count.dropped.Add(float64(n)) }, counts: map[loss]int{}, slow: a.causes.day, told: map[loss]time.Time{}}
	a.batches = newBatcher(cfg.BatchRecords, int(cfg.BatchBytes), cfg.BatchDelay, batchNames(a.began))
	a.seen = &seen{tail: opts.Stream, host: opts.Host, spool: waiting, began: a.began}
	a.ship = &shipper{stream: opts.Stream, host: opts.Host, spool: waiting, batches: a.batches, seen: a.seen, losses: a.losses,
		count: a.count, log: opts.Log, spooled: make(chan struct{}, 1)}
	return a, nil
}

// batchNames gives out the ids of batches: <agent id>-<number>.
func batchNames(now time.Time) func() string {
	agent, number := record.NewID(now).String(), 0
	return func() string {
		number++
		return fmt.Sprintf("%s-%d", agent, number)
	}
}

// Run takes and ships records until ctx ends, then ships or spools what it has
// and returns nil.
func (a *Agent) Run(ctx context.Context) error {
	sources, cancel := context.WithCancel(ctx)
	defer cancel()
	a.sources = sources
	platform, err := listenUnix(filepath.Join(a.opts.RunDir, "agent.sock"), 0o600)
	if err != nil {
		return err
	}
	a.ready.Store(true)
	shipping, cancelShipping := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelShipping()
	var ship, drain sync.WaitGroup
	ship.Go(func() { a.ship.run(shipping) })
	drain.Go(func() { a.ship.drain(shipping) })

	failed := make(chan error, 2)
	a.accept(platform, nil)
	a.reading.Go(func() { a.batches.run(sources) })
	a.reading.Go(func() { failed <- a.sample(sources) })
	if a.engine != nil {
		a.reading.Go(func() { a.watch(sources) })
	}
	if a.opts.Listener != nil {
		a.reading.Go(func() { failed <- a.serveHTTP(sources, a.opts.Listener) })
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	cancel()
	late := time.AfterFunc(grace, cancelShipping)
	defer late.Stop()
	a.reading.Wait()
	_, _ = a.batches.release(context.Background(), a.losses.take) // the shipper takes batches until they are closed
	a.batches.close()
	ship.Wait()
	cancelShipping()
	drain.Wait()
	close(a.stop)
	a.acking.Wait()
	if saveErr := a.checkpoint.Save(); saveErr != nil {
		a.log.Error("The checkpoint of the containers' output cannot be written.", "error", saveErr)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// all returns the replicas there are.
func (a *Agent) all() []*replica {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Collect(maps.Values(a.replicas))
}

// readBack makes everything taken so far durable and then reads back what the
// host shipped since the time since, so that seen knows it. It reports whether
// the stream could not be asked; the error is ctx's.
func (a *Agent) readBack(ctx context.Context, since time.Time) (doubt bool, err error) {
	done, err := a.batches.flush(ctx)
	if err != nil {
		return false, err
	}
	select {
	case <-done:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	loading, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	if err := a.seen.load(loading, since); err != nil {
		if !a.doubting.Swap(true) {
			a.log.Warn("The stream cannot be read back; what is sent again is checked before it is published.", "error", err)
		}
		return true, ctx.Err()
	}
	a.doubting.Store(false)
	return false, nil
}
