package faults

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kurama/logship/record"
	"kurama/logship/wire"
)

// filler makes a line as long as real ones are.
var filler = strings.Repeat("lorem ipsum dolor ", 6)

// sender sends numbered records of one series over the agent's socket, as the
// router and the SDK do, until stop.
type sender struct {
	in           *installation
	app, name    string
	client       *wire.Client
	sent         atomic.Int64
	refused      atomic.Int64 // records that the client had no room for
	quit, gone   chan struct{}
	stopped      sync.Once
	make         func(n int) *record.Record
	cancelClient context.CancelFunc
	clientGone   chan struct{}
}

// numbered is the message of the n-th record of a series.
func numbered(series string, n int) string { return fmt.Sprintf("%s:%d %s", series, n, filler) }

// logs sends log records of app at a rate per second over the platform's socket.
func (in *installation) logs(app, series string, perSecond int) *sender {
	return in.send(app, series, in.folders.Socket("agent.sock"), perSecond, func(n int) *record.Record {
		return logRecord(app, app+"-1-aaaaaa", numbered(series, n))
	})
}

// requests sends request records, as the router does.
func (in *installation) requests(app, series string, perSecond int) *sender {
	return in.send(app, series, in.folders.Socket("agent.sock"), perSecond, func(n int) *record.Record {
		return &record.Record{Kind: record.KindRequest, Level: record.LevelInfo, Tenant: tenant, App: app, Release: 1, Replica: app + "-1-aaaaaa",
			Method: "GET", URL: fmt.Sprintf("/item/%d", n), Route: "/item/<id>", Status: 200, Msg: numbered(series, n),
			Dur: record.Num(float64(n%50) + 1)}
	})
}

// send starts a sender whose client connects to the socket at path.
func (in *installation) send(app, series, path string, perSecond int, make_ func(n int) *record.Record) *sender {
	ctx, cancel := context.WithCancel(context.Background())
	s := &sender{in: in, app: app, name: series, make: make_, quit: make(chan struct{}), gone: make(chan struct{}),
		client:       wire.New(path, wire.Options{Buffer: 1_000_000, Log: slog.New(slog.DiscardHandler)}),
		cancelClient: cancel, clientGone: make(chan struct{})}
	go func() {
		defer close(s.clientGone)
		_ = s.client.Run(ctx) // it runs until cancelled
	}()
	go s.run(perSecond)
	in.t.Cleanup(s.end)
	return s
}

func (s *sender) run(perSecond int) {
	defer close(s.gone)
	began := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; {
		for due := int(time.Since(began).Seconds() * float64(perSecond)); n < due; n++ {
			if !s.client.Send(s.make(n)) {
				s.refused.Add(1)
			}
			s.sent.Add(1)
		}
		select {
		case <-s.quit:
			return
		case <-tick.C:
		}
	}
}

// stop ends the sending and waits until everything is acknowledged.
func (s *sender) stop() series {
	s.in.t.Helper()
	s.stopped.Do(func() { close(s.quit) })
	<-s.gone
	ctx, cancel := context.WithTimeout(s.in.t.Context(), 90*time.Second)
	defer cancel()
	if err := s.client.Flush(ctx); err != nil {
		s.in.t.Errorf("series %s: %v", s.name, err)
	}
	if n := s.refused.Load(); n > 0 {
		s.in.t.Errorf("series %s: the client had no room for %d records", s.name, n)
	}
	return series{app: s.app, name: s.name, n: int(s.sent.Load())}
}

func (s *sender) end() {
	s.stopped.Do(func() { close(s.quit) })
	<-s.gone
	s.cancelClient()
	<-s.clientGone
}
