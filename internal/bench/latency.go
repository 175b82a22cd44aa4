package main

import (
	"context"
	"fmt"
	"net/url"
	"sort"
	"strconv"
	"sync"
	"time"

	"kurama/logship/record"
	"kurama/logship/wire"
	"kurama/paas"
)

const (
	talkRate = 100 // log lines per second of the app, which are measured
	talkTime = 12 * time.Second
)

// measureLatency lets an app log numbered lines and notes when each is in a
// frame of the live dashboard and when it is a committed row, once at 1 000
// records a second and once at 5 000. The rest of the load is requests.
func (b *bench) measureLatency(ctx context.Context) error {
	p, err := b.up(ctx)
	if err != nil {
		return err
	}
	if err := p.ensureApp(ctx); err != nil {
		return err
	}
	for _, rate := range []int{1000, 5000} {
		if err := p.settle(ctx); err != nil {
			return err
		}
		frames, rows, err := p.talk(ctx, rate, talkTime)
		if err != nil {
			return err
		}
		at := fmt.Sprintf("at %s records/s", number(float64(rate)))
		for _, one := range []struct {
			name  string
			list  []float64
			q     float64
			bound float64
		}{
			{"log call → websocket frame, p50, " + at, frames, 0.5, 150},
			{"log call → websocket frame, p99, " + at, frames, 0.99, 150},
			{"log call → committed row, p50, " + at, rows, 0.5, 300},
			{"log call → committed row, p99, " + at, rows, 0.99, 300},
		} {
			f := figure{Section: "latency", Name: one.name, Unit: "ms", Value: quantile(one.list, one.q), Peer: "bound of p99", PeerValue: one.bound}
			if one.q > 0.9 {
				f.Aim = valueAtMost(one.bound)
			}
			b.report.add(f)
		}
	}
	return nil
}

// talk returns, in milliseconds, how long each line of the app took from the
// log call to a frame and to a row, while the app and others send at the rate
// for a spell of whole seconds. A line that is missing is an error: the slowest
// ones must not be left out.
func (p *platform) talk(ctx context.Context, rate int, spell time.Duration) (frames, rows []float64, err error) {
	mark, seconds := fmt.Sprintf("tick%d-%s", rate, spell), int(spell.Seconds())
	count := talkRate * seconds
	ctx, cancel := context.WithTimeout(ctx, spell+20*time.Second+spell/20)
	defer cancel()
	view, err := p.watch(ctx, appName, mark)
	if err != nil {
		return nil, nil, err
	}
	defer view.close()
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { p.requests(ctx, rate-talkRate, (rate-talkRate)*(seconds+1), ofApp) })
	var marks positions
	watching, stop := context.WithCancel(ctx)
	defer stop()
	watched := make(chan error, 1)
	go func() { watched <- marks.watch(watching, p) }()
	address := p.appURL("/talk?") + url.Values{"rate": {strconv.Itoa(talkRate)}, "count": {strconv.Itoa(count)}, "mark": {mark}}.Encode()
	if _, err := fetch(ctx, address); err != nil {
		return nil, nil, err
	}
	if frames, err = view.wait(ctx, count); err != nil {
		return nil, nil, err
	}
	if err := p.rowsOf(ctx, mark, count, nil); err != nil { // until all are stored
		return nil, nil, err
	}
	stop()
	if err := <-watched; err != nil {
		return nil, nil, err
	}
	err = p.rowsOf(ctx, mark, count, func(seq int64, at time.Time) {
		rows = append(rows, float64(marks.committed(seq).Sub(at))/float64(time.Millisecond))
	})
	return frames, rows, err
}

// ofApp makes a record the app's.
func ofApp(_ int, r *record.Record) { r.App, r.Replica = appName, "" }

// requests sends request records, the i-th as of makes it, at a steady rate until
// n are sent or ctx ends.
func (p *platform) requests(ctx context.Context, rate, n int, of func(i int, r *record.Record)) {
	sender := wire.New(p.folders.Socket("agent.sock"), wire.Options{})
	running, stop := context.WithCancel(ctx)
	defer stop()
	var done sync.WaitGroup
	defer done.Wait()
	done.Go(func() { _ = sender.Run(running) }) // returns nil always
	began, tick := time.Now(), time.NewTicker(2*time.Millisecond)
	defer tick.Stop()
	for sent := 0; sent < n; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for due := min(n, int(time.Since(began).Seconds()*float64(rate))); sent < due; sent++ {
			r := loadRecord(2*sent, time.Now())
			of(sent, &r)
			sender.Send(&r)
		}
	}
	stop()
}

// positions are the moments at which persist's position was seen to have moved.
type positions struct {
	seqs []int64
	at   []time.Time
}

// watch looks every 2 ms, which bounds the error of a moment, until ctx ends.
func (m *positions) watch(ctx context.Context, p *platform) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		var seq int64
		err := p.pool.QueryRow(ctx, `SELECT seq FROM sink_positions WHERE sink = 'persist'`).Scan(&seq)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("watching the position of persist: %w", err)
		}
		if n := len(m.seqs); n == 0 || seq > m.seqs[n-1] {
			m.seqs, m.at = append(m.seqs, seq), append(m.at, time.Now())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// committed returns when the batch seq was seen to be stored. What was never
// seen counts as stored at the last look.
func (m *positions) committed(seq int64) time.Time {
	i := sort.Search(len(m.seqs), func(i int) bool { return m.seqs[i] >= seq })
	return m.at[min(i, len(m.at)-1)]
}

// rowsOf waits until count lines with the mark are stored and hands each to fn.
func (p *platform) rowsOf(ctx context.Context, mark string, count int, fn func(seq int64, at time.Time)) error {
	const from = `FROM records WHERE tenant = $1 AND app = $2 AND kind = $3 AND msg LIKE $4 || ' %'`
	args := []any{paas.DefaultTenant, appName, int16(record.KindLog), mark}
	for n := 0; n != count; {
		if err := p.pool.QueryRow(ctx, "SELECT count(*) "+from, args...).Scan(&n); err != nil {
			return fmt.Errorf("counting the rows of %s (%d of %d): %w", mark, n, count, err)
		}
		if n < count {
			time.Sleep(100 * time.Millisecond)
		}
	}
	if fn == nil {
		return nil
	}
	rows, err := p.pool.Query(ctx, "SELECT seq, ts "+from, args...)
	if err != nil {
		return fmt.Errorf("reading the rows of %s: %w", mark, err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var at time.Time
		if err := rows.Scan(&seq, &at); err != nil {
			return fmt.Errorf("reading the rows of %s: %w", mark, err)
		}
		fn(seq, at)
	}
	return rows.Err()
}
