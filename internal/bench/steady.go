package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"kurama/logship/record"
	"kurama/paas"
)

// steadyMax bounds -hold, so that the section has a limit too.
const steadyMax = 2 * time.Hour

// gatherSeconds is what profile gathers before it stores: profile.flush_interval
// of the defaults, and a second for doing so.
const gatherSeconds = 6

// measureSteady holds the rate of the section agent for as long as -hold says:
// requests, and among them the lines of an app, whose way is timed. It tells
// how far the sinks fell behind meanwhile and at its end, and checks that each
// record became a row.
func (b *bench) measureSteady(ctx context.Context) error {
	p, err := b.up(ctx)
	if err != nil {
		return err
	}
	if err := p.ensureApp(ctx); err != nil {
		return err
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	before, err := p.use()
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	behind := &backlog{}
	watched := make(chan error, 1)
	go func() { watched <- behind.watch(watching, p) }()
	frames, rows, err := p.talk(ctx, agentRate, b.steady)
	stop()
	if err != nil {
		return err
	}
	after, err := p.use()
	if err != nil {
		return err
	}
	if err := <-watched; err != nil {
		return err
	}
	requests, began := steadyRequests(b.steady), before.at
	if err := p.stored(ctx, requests, began); err != nil {
		return err
	}
	wall := after.at.Sub(before.at)
	if rate := float64(requests+len(rows)) / wall.Seconds(); rate < 0.9*agentRate {
		return fmt.Errorf("only %.0f of %d records/s went through, so the figures would be of another load", rate, agentRate)
	}
	b.say("%s records in %s", number(float64(requests+len(rows))), wall.Round(time.Second))
	b.reportSteady(behind, after.since(before), wall, frames, rows)
	return p.settle(ctx)
}

// steadyRequests is how many requests talk sends beside the lines.
func steadyRequests(spell time.Duration) int {
	return (agentRate - talkRate) * (int(spell.Seconds()) + 1)
}

func (b *bench) reportSteady(behind *backlog, used usage, wall time.Duration, frames, rows []float64) {
	add := func(name string, value float64, unit, peer string, bound float64, goal *aim) {
		b.report.add(figure{Section: "steady", Name: name, Unit: unit, Value: value, Peer: peer, PeerValue: bound, Aim: goal})
	}
	second, gathered := behind.perSecond(), gatherSeconds*behind.perSecond()
	add("batches that the slowest reader was behind, at the end", behind.last, "batches", "a second's batches", second, valueAtMost(second))
	add("the same, at most", behind.most, "batches", "a second's batches", second, nil)
	add("batches that profile was behind, at the end", behind.lastProfile, "batches", "what it gathers", gathered, valueAtMost(gathered))
	add("the same, at most", behind.mostProfile, "batches", "what it gathers", gathered, nil)
	add("batches in the agent's spool, at most", behind.spooled, "batches", "bound", 0, valueAtMost(0))
	add("CPU of the agent", percent(used.of("logship"), wall), "% of a core", "bound", 6, valueAtMost(6))
	add("memory of the agent (RSS), at most", behind.held, "MiB", "bound", 40, valueAtMost(40))
	add("CPU of the whole pipeline, Postgres aside", percent(used.of(pipeline...), wall), "% of a core", "bound", 25, valueAtMost(25))
	add("of it or beside it: postgres", percent(used.of("postgres"), wall), "% of a core", "a core", 100, nil)
	add("log call → websocket frame, p50", quantile(frames, 0.5), "ms", "bound of p99", 150, nil)
	add("log call → websocket frame, p99", quantile(frames, 0.99), "ms", "bound of p99", 150, valueAtMost(150))
	add("log call → committed row, p50", quantile(rows, 0.5), "ms", "bound of p99", 300, nil)
	add("log call → committed row, p99", quantile(rows, 0.99), "ms", "bound of p99", 300, valueAtMost(300))
}

// backlog is what was seen to wait, once a second.
type backlog struct {
	last, most  float64 // batches that the slowest reader of the stream, but profile, had before it
	lastProfile float64 // that profile had: it stores what it has gathered, every few seconds
	mostProfile float64
	spooled     float64 // batches in the agent's spool, at most
	held        float64 // MiB of the agent, at most
	batches     float64 // batches that the stream took meanwhile
	began, seen time.Time
}

// perSecond is how many batches the stream took in a second.
func (l *backlog) perSecond() float64 { return l.batches / max(1, l.seen.Sub(l.began).Seconds()) }

// watch looks until ctx ends.
func (l *backlog) watch(ctx context.Context, p *platform) error {
	pid, err := p.process("logship")
	if err != nil {
		return err
	}
	first, err := p.newest(ctx)
	if err != nil {
		return err
	}
	l.began = time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := l.look(ctx, p, pid, first)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// look takes one look; first is the newest batch as of the first one.
func (l *backlog) look(ctx context.Context, p *platform, pid int, first int64) error {
	var now struct {
		Roles []struct {
			Name string   `json:"name"`
			Lag  *float64 `json:"lag"` // batches
		} `json:"roles"`
	}
	if err := p.api.Call(ctx, http.MethodGet, "/status", nil, nil, &now); err != nil {
		return fmt.Errorf("asking how far the sinks are: %w", err)
	}
	held, err := memoryOf(pid)
	if err != nil {
		return err
	}
	newest, err := p.newest(ctx)
	if err != nil {
		return err
	}
	l.batches, l.seen, l.held, l.last = float64(newest-first), time.Now(), max(l.held, held.rss), 0
	for _, role := range now.Roles {
		switch {
		case role.Lag == nil:
		case role.Name == "logship":
			l.spooled = max(l.spooled, *role.Lag)
		case role.Name == "profile":
			l.lastProfile = *role.Lag
		default:
			l.last = max(l.last, *role.Lag)
		}
	}
	l.most, l.mostProfile = max(l.most, l.last), max(l.mostProfile, l.lastProfile)
	return nil
}

// newest is the position of persist, which at a steady rate moves as the
// stream does.
func (p *platform) newest(ctx context.Context) (seq int64, err error) {
	err = p.pool.QueryRow(ctx, `SELECT seq FROM sink_positions WHERE sink = 'persist'`).Scan(&seq)
	if err != nil {
		return 0, fmt.Errorf("reading the position of persist: %w", err)
	}
	return seq, nil
}

// stored waits until n requests that the app has answered since began are rows.
func (p *platform) stored(ctx context.Context, n int, began time.Time) error {
	for rows := 0; rows < n; {
		err := p.pool.QueryRow(ctx, `SELECT count(*) FROM records WHERE tenant = $1 AND app = $2 AND kind = $3 AND ts >= $4`,
			paas.DefaultTenant, appName, int16(record.KindRequest), began).Scan(&rows)
		if err != nil {
			return fmt.Errorf("counting the rows of the requests (%d of %d): %w", rows, n, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d requests are rows: %w", rows, n, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}
