// Package alert watches the stream of records for conditions that users set on
// their apps, and sends a mail when one begins to hold and when it is over.
//
// Figures and waits follow the time of the stream: while the service is behind
// (after a restart), it evaluates as of the time of the batch it reads, up to
// ten minutes back; once it has caught up, by the clock. It begins ninety
// seconds before the last evaluated batch, so that the windows are full when
// evaluation goes on. The state of the rules, the messages and the position on
// the stream are written in one transaction: a crash neither loses nor doubles
// a message.
package alert

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"kurama/internal/config"
	"kurama/logship/pipeline"
	"kurama/logship/record"
	"kurama/logship/stream"
)

// Sender takes event records for the stream; wire.Client is one. Send never
// blocks; false means dropped.
type Sender interface {
	Send(r *record.Record) bool
}

// Options are what the service works with. Pool and Stream must be given.
type Options struct {
	Pool       *pgxpool.Pool
	Stream     *stream.Stream
	Gate       *pipeline.Gate // what apps keep from the service; nil: nothing
	Sender     Sender         // nil: no event records
	SMTP       config.SMTP
	Data       string       // folder of all state; messages without SMTP go to its outbox
	ConsoleURL string       // address of the console, for the link in a message
	Listener   net.Listener // serves /healthz, /readyz and /metrics; nil: none
	Log        *slog.Logger // nil: discarded
	Now        func() time.Time
}

// Service is the role alert.
type Service struct {
	cfg      config.Alert
	opts     Options
	log      *slog.Logger
	delivery *delivery
	metrics  *metrics
	calm     time.Duration // a condition that has not held for this is over
	queued   chan struct{} // something was queued: deliver now
}

// New returns the service; Run starts it.
func New(cfg config.Alert, opts Options) *Service {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Service{cfg: cfg, opts: opts, log: opts.Log, metrics: newMetrics(opts.Stream, opts.Gate),
		calm: max(calmMin, cfg.Interval), queued: make(chan struct{}, 1)}
	s.delivery = &delivery{cfg: cfg, smtp: opts.SMTP, outbox: filepath.Join(opts.Data, "outbox"), pool: opts.Pool,
		log: opts.Log, now: opts.Now, counted: s.metrics.delivered}
	return s
}

// Run watches and delivers until ctx ends; then it returns nil. While the
// database or the stream is away it waits and goes on where it was.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if s.opts.Listener != nil {
		g.Go(func() error { return s.metrics.serve(ctx, s.opts.Listener) })
	}
	g.Go(func() error { s.persistently(ctx, "watching the stream", s.follow); return nil })
	g.Go(func() error { s.persistently(ctx, "delivering messages", s.deliver); return nil })
	return g.Wait()
}

// persistently calls fn again a second after each failure, and tells of the
// first failure and of the recovery.
func (s *Service) persistently(ctx context.Context, what string, fn func(context.Context, func()) error) {
	failed := false
	well := func() {
		if failed {
			failed = false
			s.log.Info("Alerts are well again.", "at", what)
		}
	}
	for ctx.Err() == nil {
		err := fn(ctx, well)
		if ctx.Err() != nil {
			return
		}
		if !failed {
			failed = true
			s.log.Error("Alerts are held up and will go on by themselves.", "at", what, "error", err)
		}
		wait(ctx, time.Second, nil)
	}
}

// deliver runs the delivery loop until an error.
func (s *Service) deliver(ctx context.Context, well func()) error {
	for ctx.Err() == nil {
		if err := s.delivery.runOnce(ctx); err != nil {
			return err
		}
		well()
		wait(ctx, time.Second, s.queued)
	}
	return nil
}

// follow watches the stream from the stored position until an error. All that
// is in memory begins anew with it.
func (s *Service) follow(ctx context.Context, well func()) error {
	w := &watcher{Service: s, seen: newWatch(), rules: map[string]*running{}}
	if err := w.open(ctx); err != nil {
		return err
	}
	defer w.reader.Close()
	defer s.metrics.ready.Store(false)
	for ctx.Err() == nil {
		if err := w.runOnce(ctx); err != nil {
			return err
		}
		well()
	}
	return nil
}

// wait returns after d, when kick is signalled, or when ctx ends.
func wait(ctx context.Context, d time.Duration, kick <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-kick:
	case <-timer.C:
	}
}
