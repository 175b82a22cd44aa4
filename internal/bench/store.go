package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"time"

	"kurama/paas"
)

const (
	storeDays   = 3   // over which the rows lie
	tailRounds  = 200 // questions for the newest page of an app
	findRounds  = 20  // searches of an hour
	dayRounds   = 20  // questions for a day's figures
	busyApp     = "load-busy"
	profiledApp = "routes"
)

// measureStore fills the store and asks it what people ask, over the API.
func (b *bench) measureStore(ctx context.Context) error {
	p, err := b.up(ctx)
	if err != nil {
		return err
	}
	if err := p.storeApps(ctx); err != nil {
		return err
	}
	s := newStore(p, b.rows)
	began := time.Now()
	lines, err := s.fill(ctx)
	if err != nil {
		return err
	}
	b.say("%s rows over %d days stored in %.0f s", number(float64(b.rows)), storeDays, time.Since(began).Seconds())
	if err := s.requests(ctx, profiledRoutes, profiledRoutes*profiledPerMinute, 24*60-4); err != nil {
		return err
	}
	if _, err := p.pool.Exec(ctx, "VACUUM (ANALYZE) records"); err != nil { // as autovacuum does some minutes after a day's last row
		return fmt.Errorf("analysing the store: %w", err)
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	return errors.Join(b.askStore(ctx, s), b.weighStore(ctx, s, lines), b.endDay(ctx, s))
}

// storeApps makes the apps, as the control plane would.
func (p *platform) storeApps(ctx context.Context) error {
	for i := range loadApps + 2 {
		name := "load-" + strconv.Itoa(i)
		if i >= loadApps {
			name = [...]string{busyApp, profiledApp}[i-loadApps]
		}
		if _, err := p.pool.Exec(ctx, `INSERT INTO apps (tenant, name) VALUES ($1, $2) ON CONFLICT DO NOTHING`, paas.DefaultTenant, name); err != nil {
			return fmt.Errorf("making the app %s: %w", name, err)
		}
	}
	return nil
}

// askStore takes the time of each question.
func (b *bench) askStore(ctx context.Context, s *store) error {
	dice := rand.New(rand.NewPCG(1, 2))
	tails, err := s.ask(ctx, tailRounds, func(int) (string, url.Values) {
		app := busyApp
		if i := dice.IntN(loadApps + 1); i < loadApps {
			app = "load-" + strconv.Itoa(i)
		}
		return "/apps/" + app + "/logs", url.Values{"limit": {"100"}}
	})
	if err != nil {
		return err
	}
	finds, err := s.ask(ctx, findRounds, func(i int) (string, url.Values) {
		from := s.from.Add(time.Duration(dice.IntN(storeDays*24-1)) * time.Hour)
		text := "no such words" // the whole hour is read
		if i%2 == 0 {
			text = "user-" + strconv.Itoa(dice.IntN(9999)) + "@"
		}
		return "/apps/" + busyApp + "/logs", url.Values{"q": {text}, "from": {from.Format(time.RFC3339)}, "to": {from.Add(time.Hour).Format(time.RFC3339)}}
	})
	if err != nil {
		return err
	}
	days, err := s.ask(ctx, dayRounds, func(int) (string, url.Values) {
		return "/apps/" + profiledApp + "/profile", url.Values{"window": {"24h"}}
	})
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name  string
		list  []float64
		bound float64
	}{
		{"newest 100 records of an app, p95", tails, 50},
		{fmt.Sprintf("search of an hour of an app (%s rows) for a text, p95", number(float64(s.rows)/2/storeDays/24)), finds, 500},
		{fmt.Sprintf("figures of a day of %d routes, p95", profiledRoutes), days, 100},
	} {
		b.report.add(figure{Section: "store", Name: f.name, Unit: "ms", Value: quantile(f.list, 0.95), Peer: "bound", PeerValue: f.bound, Aim: valueAtMost(f.bound)})
		b.say("%s: p50 %s ms, slowest %s ms", f.name, number(median(f.list)), number(quantile(f.list, 1)))
	}
	return nil
}

// weighStore compares the bytes on disk with those of the same records as lines.
func (b *bench) weighStore(ctx context.Context, s *store, lines float64) error {
	var heap, index float64
	err := s.p.pool.QueryRow(ctx, `SELECT sum(pg_table_size(inhrelid)), sum(pg_indexes_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'records'::regclass`).Scan(&heap, &index)
	if err != nil {
		return fmt.Errorf("weighing the store: %w", err)
	}
	const mib = 1 << 20
	b.report.add(figure{Section: "store", Name: "rows on disk with their indexes", Unit: "MiB", Value: (heap + index) / mib, Peer: "as JSON lines", PeerValue: lines / mib, Aim: ratioAtMost(1.3)})
	b.say("bytes for a row: %s in the table, %s in indexes; %s as a line", number(heap/float64(s.rows)), number(index/float64(s.rows)), number(lines/float64(s.rows)))
	return nil
}

// endDay takes a whole day out of the store, as persist does once it is older
// than the retention.
func (b *bench) endDay(ctx context.Context, s *store) error {
	took, rows, err := s.dropOldest(ctx)
	if err != nil {
		return err
	}
	b.report.add(figure{Section: "store", Name: fmt.Sprintf("end of a day of %s rows", number(rows)), Unit: "s", Value: took.Seconds(), Peer: "bound", PeerValue: 1, Aim: valueAtMost(1)})
	return nil
}

// ask sends questions one after the other and returns how long each took, in
// milliseconds, until the whole answer was there.
func (s *store) ask(ctx context.Context, n int, question func(i int) (path string, query url.Values)) ([]float64, error) {
	var took []float64
	for i := range n {
		path, query := question(i)
		var answer any
		began := time.Now()
		if err := s.p.api.Call(ctx, "GET", path, query, nil, &answer); err != nil {
			return nil, fmt.Errorf("asking %s: %w", path, err)
		}
		took = append(took, float64(time.Since(began))/float64(time.Millisecond))
	}
	return took, nil
}

// room is an error where the disk has too little of it for the rows.
func room(dir string, rows int) error {
	const perRow = 700 // bytes, the write-ahead log included
	free, err := freeBytes(dir)
	if err != nil {
		return err
	}
	if need := int64(rows) * perRow; free < need {
		return fmt.Errorf("%s has %d MiB free, %d rows may need %d MiB: free some, or choose fewer with -rows", dir, free>>20, rows, need>>20)
	}
	return nil
}
