package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"kurama/paas"
)

const (
	ingestRounds  = 3
	ingestRecords = 300_000
)

// others are the roles that read the stream beside persist.
var others = []string{"archive", "profile", "alert", "dashboard", "autoscaler"}

// leg is one way of rows into Postgres.
type leg struct {
	rates []float64            // rows per second
	cpu   []float64            // seconds of CPU per million rows, Postgres included
	roles map[string][]float64 // the same for each role
	sizes []float64            // rows per transaction of persist
}

// add takes a round of ingestRecords rows; used is of those who took part.
func (l *leg) add(took time.Duration, used map[string]time.Duration) {
	if l.roles == nil {
		l.roles = map[string][]float64{}
	}
	perMillion := func(cpu time.Duration) float64 { return cpu.Seconds() / ingestRecords * 1e6 }
	var total time.Duration
	for role, cpu := range used {
		total += cpu
		l.roles[role] = append(l.roles[role], perMillion(cpu))
	}
	l.rates = append(l.rates, ingestRecords/took.Seconds())
	l.cpu = append(l.cpu, perMillion(total))
}

// measureIngest sends records to the agent's socket until the last is a
// committed row, and copies the same rows into a table of the same kind in the
// same Postgres by psql and by pgx, in turns.
func (b *bench) measureIngest(ctx context.Context) error {
	p, err := b.up(ctx)
	if err != nil {
		return err
	}
	bare, err := p.newBare(ctx)
	if err != nil {
		return err
	}
	defer bare.close()
	var whole, alone, text, binary leg
	for round := range ingestRounds {
		if err := p.ingest(ctx, fmt.Sprintf("%d-whole", round), &whole); err != nil {
			return err
		}
		if round == 0 { // the rows that the bare copies take
			if err := bare.export(ctx, p); err != nil {
				return err
			}
		}
		if err := p.ingestAlone(ctx, fmt.Sprintf("%d-alone", round), &alone); err != nil {
			return err
		}
		if err := bare.round(ctx, p, bare.psql, &text); err != nil {
			return err
		}
		if err := bare.round(ctx, p, bare.pgx, &binary); err != nil {
			return err
		}
	}
	b.say("persist stored %s rows per transaction, %s with the other sinks paused", number(median(whole.sizes)), number(median(alone.sizes)))
	b.reportIngest(&whole, &alone, &text, &binary)
	return nil
}

func (b *bench) reportIngest(whole, alone, text, binary *leg) {
	rates := func(name string, l *leg, peer string, against *leg, goal *aim) {
		b.report.add(figure{Section: "ingest", Name: name, Unit: "rows/s", Runs: l.rates, Peer: peer, PeerRuns: against.rates, Aim: goal})
	}
	const all, one = "agent's socket → row, every sink at work", "agent's socket → row, other sinks paused"
	rates(all, whole, "psql text COPY", text, ratioAtLeast(0.7))
	rates(all, whole, "pgx binary COPY", binary, nil)
	rates(one, alone, "psql text COPY", text, ratioAtLeast(0.7))
	rates(one, alone, "pgx binary COPY", binary, nil)
	cpu := func(name string, cost []float64, goal *aim) {
		b.report.add(figure{Section: "ingest", Name: name, Unit: "CPU s per million", Runs: cost, Peer: "psql text COPY", PeerRuns: text.cpu, Aim: goal})
	}
	cpu("cost with every sink and Postgres", whole.cpu, nil)
	cpu("cost with the other sinks paused", alone.cpu, valueAtMost(8))
	for _, role := range append([]string{"postgres"}, pipeline...) {
		cpu("of every sink's: "+role, whole.roles[role], nil)
	}
}

// ingest sends a load through the whole platform. The partition is emptied
// before and the disk is at rest, as for the bare copies.
func (p *platform) ingest(ctx context.Context, mark string, l *leg) error {
	if err := p.fresh(ctx); err != nil {
		return err
	}
	work := newLoad(ingestRecords, mark)
	before, err := p.use()
	if err != nil {
		return err
	}
	took, err := p.through(ctx, work)
	if err != nil {
		return err
	}
	after, err := p.use()
	if err != nil {
		return err
	}
	l.add(took, after.since(before).roles)
	return p.countRows(ctx, l)
}

// ingestAlone does the same while the other readers of the stream are stopped.
func (p *platform) ingestAlone(ctx context.Context, mark string, l *leg) (err error) {
	if err := p.settle(ctx); err != nil {
		return err
	}
	var pids []int
	for _, role := range others {
		pid, err := p.process(role)
		if err != nil {
			return err
		}
		pids = append(pids, pid)
	}
	defer func() { // whatever happened, and they catch up before anything else is measured
		for _, pid := range pids {
			err = errors.Join(err, syscall.Kill(pid, syscall.SIGCONT))
		}
		if err == nil {
			err = p.settle(ctx)
		}
	}()
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			return fmt.Errorf("pausing a sink: %w", err)
		}
	}
	return p.ingest(ctx, mark, l)
}

// fresh empties the partitions and lets the database write out what it holds.
func (p *platform) fresh(ctx context.Context) error {
	if err := p.settle(ctx); err != nil {
		return err
	}
	for _, sql := range []string{"TRUNCATE records", "CHECKPOINT"} {
		if _, err := p.pool.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// lookEvery is the pause between two looks for the last row. Each look costs
// Postgres a part of a millisecond, which counts for Kurama.
const lookEvery = 10 * time.Millisecond

// through sends a load and returns the time from its first byte until its last
// record can be read as a row.
func (p *platform) through(ctx context.Context, work *load) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sent := make(chan error, 1)
	began := time.Now()
	go func() { sent <- work.send(ctx, p.folders.Socket("agent.sock")) }()
	for {
		var there bool
		err := p.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM records WHERE tenant = $1 AND app = $2 AND ts >= $3)`, paas.DefaultTenant, work.last, work.began).Scan(&there)
		if err != nil {
			return 0, fmt.Errorf("looking for the last row: %w", err)
		}
		if there {
			took := time.Since(began)
			return took, <-sent
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("the last record is no row: %w", ctx.Err())
		case <-time.After(lookEvery):
		}
	}
}

// countRows checks that each record of the load is a row, once, and notes by
// how many transactions they came.
func (p *platform) countRows(ctx context.Context, l *leg) error {
	var rows, ids, transactions int
	err := p.pool.QueryRow(ctx, `SELECT count(*), count(DISTINCT id), count(DISTINCT xmin::text) FROM records WHERE `+ofLoad).
		Scan(&rows, &ids, &transactions)
	if err != nil {
		return fmt.Errorf("counting the rows: %w", err)
	}
	if rows != ingestRecords || ids != ingestRecords {
		return fmt.Errorf("%d records became %d rows with %d ids", ingestRecords, rows, ids)
	}
	l.sizes = append(l.sizes, float64(rows)/float64(transactions))
	return nil
}

// ofLoad chooses the rows of a load, the platform's own samples aside.
const ofLoad = `tenant = '` + paas.DefaultTenant + `' AND (app LIKE 'load-%' OR app LIKE 'last-%')`
