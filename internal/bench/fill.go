package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"kurama/logship/record"
	"kurama/paas"
)

const (
	fillRun           = 10_000 // rows of a transaction, as persist's
	fillLanes         = 2
	profiledRoutes    = 20
	profiledPerMinute = 10 // requests of a route
	lineSample        = 64 // of so many records one is written as a line, to know their size
)

// store is the table of records filled with rows as persist lays them: in the
// order of time, app by app within a transaction.
type store struct {
	p        *platform
	rows     int
	from, to time.Time
}

func newStore(p *platform, rows int) *store {
	to := time.Now().UTC().Truncate(time.Minute)
	return &store{p: p, rows: rows, from: to.AddDate(0, 0, -storeDays), to: to}
}

// at is the time of the i-th row.
func (s *store) at(i int) time.Time {
	return s.from.Add(time.Duration(float64(s.to.Sub(s.from)) / float64(s.rows) * float64(i))).Truncate(time.Microsecond)
}

// record is the i-th: every other is the busy app's, the rest is shared.
func (s *store) record(i int) record.Record {
	r := loadRecord(i, s.at(i))
	if i/2%2 == 0 {
		r.App, r.Replica = busyApp, busyApp+"-3-abcdef"
	}
	return r
}

// fill makes the days' partitions and copies the rows. It returns how many
// bytes the records are as lines.
func (s *store) fill(ctx context.Context) (lines float64, err error) {
	if err := room(s.p.data, s.rows); err != nil {
		return 0, err
	}
	for day := s.from.Truncate(24 * time.Hour); day.Before(s.to); day = day.AddDate(0, 0, 1) {
		sql := fmt.Sprintf("CREATE TABLE IF NOT EXISTS records_%s PARTITION OF records FOR VALUES FROM ('%s') TO ('%s')",
			day.Format("20060102"), day.Format(time.RFC3339), day.AddDate(0, 0, 1).Format(time.RFC3339))
		if _, err := s.p.pool.Exec(ctx, sql); err != nil {
			return 0, fmt.Errorf("making a partition: %w", err)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	sampled := make([]int, fillLanes)
	for lane := range fillLanes { // each its own stretch of time
		group.Go(func() error {
			for i := s.rows / fillLanes * lane; i < s.rows/fillLanes*(lane+1); i += fillRun {
				n, err := s.copy(ctx, i, min(i+fillRun, s.rows/fillLanes*(lane+1)))
				if err != nil {
					return err
				}
				sampled[lane] += n
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	return float64(sampled[0]+sampled[1]) * lineSample, nil
}

// copy stores the rows from i up to but without j in one transaction, and
// returns the bytes of the sampled lines.
func (s *store) copy(ctx context.Context, i, j int) (sampled int, err error) {
	run := make([]record.Record, 0, j-i)
	var line []byte
	for n := i; n < j; n++ {
		r := s.record(n)
		if n%lineSample == 0 {
			line = record.Append(line[:0], &r)
			sampled += len(line)
		}
		run = append(run, r)
	}
	slices.SortStableFunc(run, func(a, b record.Record) int { return cmp.Compare(a.App, b.App) })
	columns := []string{"ts", "id", "seq", "release", "cpu", "disk", "swap", "mem", "dur", "queue", "cpu_ms", "status", "kind", "level",
		"tenant", "app", "replica", "method", "url", "route", "req", "msg"}
	_, err = s.p.pool.CopyFrom(ctx, pgx.Identifier{"records"}, columns, pgx.CopyFromSlice(len(run), func(n int) ([]any, error) {
		r := &run[n]
		return []any{r.Time, [16]byte(r.ID), int64(i), int32(r.Release), figureOf(r.CPU), figureOf(r.Disk), figureOf(r.Swap), figureOf(r.Mem),
			figureOf(r.Dur), figureOf(r.Queue), figureOf(r.CPUMs), statusOf(r), int16(r.Kind), int16(r.Level),
			r.Tenant, r.App, r.Replica, r.Method, r.URL, r.Route, r.Req, r.Msg}, nil
	}))
	if err != nil {
		return 0, fmt.Errorf("filling the store: %w", err)
	}
	return sampled, nil
}

func figureOf(n record.Number) *float32 {
	if !n.Known {
		return nil
	}
	v := float32(n.Value)
	return &v
}

func statusOf(r *record.Record) *int16 {
	if r.Status == 0 {
		return nil
	}
	v := int16(r.Status)
	return &v
}

// requests sends requests of one app to the agent, as the router would have, so
// many a minute until two minutes ago, and waits until the profile counts them all.
func (s *store) requests(ctx context.Context, routes, perMinute, minutes int) error {
	work := &load{}
	begin := time.Now().UTC().Add(-time.Duration(minutes+2) * time.Minute)
	for minute := range minutes {
		for i := range perMinute {
			at := begin.Add(time.Duration(minute)*time.Minute + time.Duration(i)*time.Millisecond)
			r := loadRecord(2*(minute*997+i), at)
			r.App, r.Replica, r.Route = profiledApp, profiledApp+"-1-abcdef", "/part/"+strconv.Itoa(i%routes)+"/<id>"
			work.lines = record.Append(work.lines, &r)
			work.records++
		}
	}
	if err := work.send(ctx, s.p.folders.Socket("agent.sock")); err != nil {
		return err
	}
	for counted := 0; counted != work.records; {
		err := s.p.pool.QueryRow(ctx, `SELECT coalesce(sum(requests), 0) FROM rollups WHERE tenant = $1 AND app = $2`, paas.DefaultTenant, profiledApp).Scan(&counted)
		if err != nil {
			return fmt.Errorf("counting the rollups (%d of %d): %w", counted, work.records, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the rollups count %d of %d requests: %w", counted, work.records, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

// dropOldest drops the oldest whole day by the statements that persist uses,
// and returns how long that took and how many rows it had.
func (s *store) dropOldest(ctx context.Context) (took time.Duration, rows float64, err error) {
	day := s.from.Truncate(24*time.Hour).AddDate(0, 0, 1)
	name := "records_" + day.Format("20060102")
	if err := s.p.pool.QueryRow(ctx, "SELECT count(*) FROM "+name).Scan(&rows); err != nil {
		return 0, 0, fmt.Errorf("counting the oldest day: %w", err)
	}
	began := time.Now()
	err = pgx.BeginFunc(ctx, s.p.pool, func(tx pgx.Tx) error {
		for _, sql := range []string{"SET LOCAL lock_timeout = '2s'",
			fmt.Sprintf("DELETE FROM records_default WHERE seq <= (SELECT max(seq) FROM %s WHERE ts >= '%s')", name, day.Add(24*time.Hour-10*time.Minute).Format(time.RFC3339)),
			"DROP TABLE " + name} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		return nil
	})
	return time.Since(began), rows, err
}

// freeBytes returns the room on the disk of dir.
func freeBytes(dir string) (int64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, fmt.Errorf("asking for the room in %s: %w", dir, err)
	}
	return int64(fs.Bavail) * fs.Bsize, nil
}
