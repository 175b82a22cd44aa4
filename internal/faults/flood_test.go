package faults

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"kurama/logship/record"
	"kurama/logship/stream"
)

// TestAFloodIsCountedAndHarmsNoNeighbour lets one app send far more than its
// rate over its socket and its stdout at once.
func TestAFloodIsCountedAndHarmsNoNeighbour(t *testing.T) {
	in := install(t, nil).start("calm", "flood", "shout")
	flood := in.container("flood-1-aaaaaa", "-wait")
	calm := in.logs("calm", "s", 200)
	watch := in.watchLatency("calm")
	pause(t, 2*time.Second)
	before := watch.p99()
	n, shouts := 150_000, 75_000 // as lines of the engine's files 15 MiB, of which it keeps 20
	if *long {
		n, shouts = 3_000_000, 8_000_000 // about 1 GB
	}
	shout := in.container("shout-1-aaaaaa", "-burst", fmt.Sprint(shouts))
	loud := in.replicaLogs("flood", flood.replica, "s", 0)
	refused := 0 // by the client, whose buffer was full: it counts and tells each
	for i := range n {
		for !loud.client.Send(logRecord("", "", numbered("s", i))) {
			refused++
			pause(t, time.Millisecond)
		}
	}
	loud.stop()
	during := watch.p99()
	in.verify(calm.stop())
	in.accounted("flood", n+refused)
	in.accounted("shout", shouts)
	shout.finish()
	t.Logf("p99 from log call to stream of the neighbour: %v before, %v during the flood of %d records and %d lines", before, during, n, shouts)
	if during > time.Second {
		t.Errorf("the neighbour's p99 rose from %v to %v", before, during)
	}
}

// accounted waits until what is stored of app and what was told to be dropped
// make n together. What the engine removed before the agent had looked, which
// takes a machine that gives the agent no CPU for a while, can only be guessed:
// then the sum may be off by as much.
func (in *installation) accounted(app string, n int) {
	in.t.Helper()
	began := time.Now()
	eventually(in.t, arrival, func() error {
		stored, dropped, guessed, err := in.account(app)
		if off := stored + dropped - n; err == nil && max(off, -off) > guessed {
			err = fmt.Errorf("%d records of %s are stored and %d were told to be dropped (%d of them guessed), %d were sent", stored, app, dropped, guessed, n)
		}
		if err == nil {
			in.t.Logf("%s: %d sent, %d stored, %d told to be dropped, %d of them guessed (%.1f s)", app, n, stored, dropped, guessed, time.Since(began).Seconds())
		}
		return err
	})
}

// account returns how many numbered records of app are stored, and how many
// were told to be dropped.
func (in *installation) account(app string) (stored, dropped, guessed int, err error) {
	err = in.pool.QueryRow(in.t.Context(), `SELECT count(*) FILTER (WHERE msg ~ '^\w+:\d+ '),
		coalesce(sum((extra->>'count')::int) FILTER (WHERE extra->>'event' = 'dropped'), 0),
		coalesce(sum((extra->>'count')::int) FILTER (WHERE extra->>'event' = 'dropped' AND msg LIKE '%about so many%'), 0)
		FROM records WHERE tenant = $1 AND app = $2`, tenant, app).Scan(&stored, &dropped, &guessed)
	return stored, dropped, guessed, err
}

// latency is how long the records of an app take to the stream.
type latency struct {
	mu   sync.Mutex
	list []time.Duration
}

// watchLatency follows the stream until the test ends.
func (in *installation) watchLatency(app string) *latency {
	in.t.Helper()
	token, err := in.folders.StreamToken()
	must(in.t, err)
	client, err := stream.Connect(in.t.Context(), in.cfg.Stream, "nats://"+in.cfg.Stream.Listen, token, slog.New(slog.DiscardHandler))
	must(in.t, err)
	var tail *stream.Reader
	eventually(in.t, arrival, func() error {
		tail, err = client.Tail(in.t.Context())
		return err
	})
	l := &latency{}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { l.follow(ctx, tail, app) })
	in.t.Cleanup(func() {
		cancel()
		done.Wait()
		tail.Close()
		client.Close()
	})
	return l
}

func (l *latency) follow(ctx context.Context, tail *stream.Reader, app string) {
	for {
		batches, err := tail.Next(ctx, 64, time.Second)
		if err != nil {
			return
		}
		for _, b := range batches {
			_ = record.Each(b.Lines(new([]byte)), func(r *record.Record) error {
				if r.App == app {
					l.mu.Lock()
					l.list = append(l.list, b.At.Sub(r.Time))
					l.mu.Unlock()
				}
				return nil
			})
		}
	}
}

// p99 returns the 99th percentile since the last call.
func (l *latency) p99() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.list
	l.list = nil
	if len(list) == 0 {
		return time.Hour
	}
	slices.Sort(list)
	return list[len(list)*99/100].Round(time.Millisecond)
}
