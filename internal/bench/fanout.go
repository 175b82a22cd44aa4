package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"kurama/internal/config"
)

const (
	viewers    = 1000
	fanoutRate = 100 // request records per second of the app that is watched
	fanoutTime = 12 * time.Second

	crowdViewers   = 5000
	stalledViewers = 50
)

// audience counts what many viewers get.
type audience struct {
	frames, bytes atomic.Int64
	reading       sync.WaitGroup
	conns         []io.Closer
	mu            sync.Mutex
	delays        []float64 // ms from the making of a frame to its arrival
}

// measureFanout watches an app with a thousand websockets and compares the
// dashboard's CPU with that of a process that does nothing but write as many
// blocks of the same size to as many connections.
func (b *bench) measureFanout(ctx context.Context) error {
	p, stop, err := b.asked(ctx, fanoutRate)
	if err != nil {
		return err
	}
	defer stop()
	alone, err := p.during(ctx, "dashboard", fanoutTime/2)
	if err != nil {
		return err
	}
	watched, crowd, err := p.watchedBy(ctx, viewers, 0)
	if err != nil {
		return err
	}
	stop()
	bound, err := boundOfFanout(ctx, crowd.size())
	if err != nil {
		return err
	}
	b.say("each viewer got %.1f frames/s of %d bytes", float64(crowd.frames.Load())/viewers/fanoutTime.Seconds(), crowd.size())
	b.report.add(figure{Section: "fanout", Name: "CPU of the dashboard with 1 000 viewers", Unit: "% of a core", Value: watched,
		Peer: "writing the same bytes", PeerValue: bound})
	b.report.add(figure{Section: "fanout", Name: "CPU of the dashboard with none", Unit: "% of a core", Value: alone,
		Peer: "with 1 000 viewers", PeerValue: watched})
	interval := float64(config.Default().Dashboard.FrameInterval) / float64(time.Millisecond)
	b.report.add(figure{Section: "fanout", Name: "a frame until a viewer has it, p99", Unit: "ms", Value: quantile(crowd.delays, 0.99),
		Peer: "interval of frames", PeerValue: interval})
	return p.settle(ctx)
}

// during returns the share of a core that a role uses over a time.
func (p *platform) during(ctx context.Context, role string, d time.Duration) (float64, error) {
	pid, err := p.process(role)
	if err != nil {
		return 0, err
	}
	return cpuDuring(ctx, pid, d)
}

func cpuDuring(ctx context.Context, pid int, d time.Duration) (float64, error) {
	before, err := use(pid)
	if err != nil {
		return 0, err
	}
	select {
	case <-ctx.Done():
		return 0, errors.Join(errors.New("interrupted while the CPU was watched"), ctx.Err())
	case <-time.After(d):
	}
	after, err := use(pid)
	if err != nil {
		return 0, err
	}
	return percent(after.since(before).total, after.at.Sub(before.at)), nil
}

// asked returns a platform with an app that gets rate requests a second until
// stop, which waits for the last of them.
func (b *bench) asked(ctx context.Context, rate int) (p *platform, stop func(), err error) {
	if p, err = b.up(ctx); err != nil {
		return nil, nil, err
	}
	if err := p.ensureApp(ctx); err != nil {
		return nil, nil, err
	}
	loading, cancel := context.WithCancel(ctx)
	var load sync.WaitGroup
	load.Go(func() { p.requests(loading, rate, 1<<30, ofApp) })
	return p, func() { cancel(); load.Wait() }, nil
}

// measureCrowd watches an app with five thousand websockets, and with some
// beside them that read nothing.
func (b *bench) measureCrowd(ctx context.Context) error {
	p, stop, err := b.asked(ctx, fanoutRate)
	if err != nil {
		return err
	}
	share, crowd, err := p.watchedBy(ctx, crowdViewers, stalledViewers)
	stop()
	if err != nil {
		return err
	}
	b.say("each viewer got %.1f frames/s of %d bytes", float64(crowd.frames.Load())/crowdViewers/fanoutTime.Seconds(), crowd.size())
	b.report.add(figure{Section: "crowd", Name: "CPU of the dashboard with 5 000 viewers", Unit: "% of a core", Value: share, Peer: "bound", PeerValue: 70, Aim: valueAtMost(70)})
	b.report.add(figure{Section: "crowd", Name: "a frame until a viewer has it, p99, beside fifty that read nothing", Unit: "ms", Value: quantile(crowd.delays, 0.99), Peer: "bound", PeerValue: 100, Aim: valueAtMost(100)})
	return p.settle(ctx)
}

// watchedBy opens n websockets, and stalled more that nobody reads, and returns
// the dashboard's share of a core while they watch.
func (p *platform) watchedBy(ctx context.Context, n, stalled int) (float64, *audience, error) {
	a := &audience{}
	defer a.close()
	for i := range n + stalled {
		conn, err := p.dial(ctx, appName)
		if err != nil {
			return 0, nil, fmt.Errorf("viewer %d of %d: %w", i+1, n+stalled, err)
		}
		a.conns = append(a.conns, conn)
		if i >= stalled {
			a.reading.Go(func() { a.view(conn) })
		}
	}
	if _, err := p.during(ctx, "dashboard", 2*time.Second); err != nil { // the snapshots are through
		return 0, nil, err
	}
	a.reset()
	share, err := p.during(ctx, "dashboard", fanoutTime)
	return share, a, err
}

// view reads frames until the connection ends. The viewers run on the cores that
// are measured, so they take from a frame what is needed and throw it away.
func (a *audience) view(conn *websocket.Conn) {
	head := make([]byte, 32)
	for {
		_, frame, err := conn.NextReader()
		if err != nil {
			return
		}
		n, err := io.ReadFull(frame, head)
		if err != nil { // every frame is longer
			return
		}
		rest, err := io.Copy(io.Discard, frame)
		if err != nil {
			return
		}
		a.frames.Add(1)
		a.bytes.Add(int64(n) + rest)
		if made, ok := timeOfFrame(head); ok {
			late := float64(time.Since(made)) / float64(time.Millisecond)
			a.mu.Lock()
			a.delays = append(a.delays, late)
			a.mu.Unlock()
		}
	}
}

// timeOfFrame reads the time at the beginning of a frame, {"t":1763632800250,…
func timeOfFrame(text []byte) (time.Time, bool) {
	rest, ok := bytes.CutPrefix(text, []byte(`{"t":`))
	digits, _, found := bytes.Cut(rest, []byte(","))
	ms, err := strconv.ParseInt(string(digits), 10, 64)
	return time.UnixMilli(ms), ok && found && err == nil
}

func (a *audience) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.delays = a.delays[:0]
	a.frames.Store(0)
	a.bytes.Store(0)
}

// size is the mean size of a frame in bytes.
func (a *audience) size() int { return int(a.bytes.Load() / max(1, a.frames.Load())) }

func (a *audience) close() {
	for _, conn := range a.conns {
		_ = conn.Close()
	}
	a.reading.Wait()
}

// boundOfFanout returns the share of a core of a process that writes blocks of
// size bytes to as many viewers at the same interval.
func boundOfFanout(ctx context.Context, size int) (float64, error) {
	interval := config.Default().Dashboard.FrameInterval.Milliseconds()
	writer, err := startPeer(ctx, "writer", strconv.Itoa(viewers), strconv.Itoa(size), strconv.FormatInt(interval, 10))
	if err != nil {
		return 0, err
	}
	defer writer.stop()
	a := &audience{}
	defer a.close()
	for range viewers {
		conn, err := net.Dial("tcp", writer.address)
		if err != nil {
			return 0, fmt.Errorf("viewing the writer: %w", err)
		}
		a.conns = append(a.conns, conn)
		a.reading.Go(func() { _, _ = io.Copy(io.Discard, conn) }) // until it is closed
	}
	return cpuDuring(ctx, writer.cmd.Process.Pid, fanoutTime/2)
}
