package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

const (
	startRounds = 3
	// restFor is how long the platform rests before its memory is read, and
	// then again while its use of the CPU is.
	restFor = 8 * time.Second
)

// measureStart stops the platform and brings it up again, as a second `make
// run` does, and looks at what it holds while nothing happens.
func (b *bench) measureStart(ctx context.Context) error {
	p, err := b.up(ctx)
	if err != nil {
		return err
	}
	if err := p.ensureApp(ctx); err != nil {
		return err
	}
	var starts []float64
	for range startRounds {
		if err := p.stop(); err != nil {
			return err
		}
		began := time.Now()
		if out, err := exec.CommandContext(ctx, b.program, "setup").CombinedOutput(); err != nil {
			return fmt.Errorf("kurama setup: %w: %s", err, out)
		}
		setup := time.Since(began)
		up, err := p.start(ctx)
		if err != nil {
			return err
		}
		starts = append(starts, (setup + up).Seconds())
	}
	b.report.add(figure{Section: "start", Name: "second kurama setup + up, until ready", Unit: "s", Runs: starts,
		Peer: "bound", PeerValue: 5, Aim: valueAtMost(5)})
	if err := p.drained(ctx); err != nil { // the app is back
		return err
	}
	return b.measureRest(ctx, p)
}

// measureRest reads the memory of Kurama's own processes, Postgres and the
// app's container aside, and the CPU that they use with nothing to do.
func (b *bench) measureRest(ctx context.Context, p *platform) error {
	if err := rest(ctx); err != nil {
		return err
	}
	before, err := p.use()
	if err != nil {
		return err
	}
	if err := rest(ctx); err != nil {
		return err
	}
	after, err := p.use()
	if err != nil {
		return err
	}
	held, count, err := p.memory()
	if err != nil {
		return err
	}
	b.report.add(figure{Section: "start", Name: fmt.Sprintf("memory at rest, sum of RSS of %d processes", count), Unit: "MiB",
		Value: held.rss, Peer: "bound", PeerValue: 400, Aim: valueAtMost(400)})
	b.report.add(figure{Section: "start", Name: "memory at rest, shared pages once (PSS)", Unit: "MiB",
		Value: held.pss, Peer: "bound", PeerValue: 400, Aim: valueAtMost(400)})
	used := after.since(before)
	own := used.total - used.of("postgres")
	b.report.add(figure{Section: "start", Name: "CPU at rest, Postgres aside", Unit: "% of a core",
		Value: percent(own, after.at.Sub(before.at)), Peer: "a core", PeerValue: 100})
	return nil
}

func rest(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return errors.Join(errors.New("interrupted while the platform rested"), ctx.Err())
	case <-time.After(restFor):
		return nil
	}
}

// memory sums the memory of Kurama's own processes.
func (p *platform) memory() (sum memory, count int, err error) {
	list, err := tree(p.cmd.Process.Pid)
	if err != nil {
		return sum, 0, err
	}
	for _, one := range list {
		if one.name == "postgres" {
			continue
		}
		m, err := memoryOf(one.pid)
		if err != nil {
			return sum, 0, err
		}
		sum.rss, sum.pss, count = sum.rss+m.rss, sum.pss+m.pss, count+1
	}
	return sum, count, nil
}

// percent is the share of a core that cpu is of a time.
func percent(cpu, of time.Duration) float64 { return 100 * cpu.Seconds() / of.Seconds() }
