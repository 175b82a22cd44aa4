package logship

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"kurama/logship/cgroup"
	"kurama/logship/engine"
	"kurama/logship/record"
)

const (
	// proc is the folder of the kernel's process information.
	proc = "/proc"
	// firstSpan lies between the two readings of a container that has just begun to run: CPU needs two, and an
	// interpreter takes longer than this to start.
	firstSpan = 100 * time.Millisecond
)

// sample takes samples each interval until ctx ends, and does what else is
// due about once a second.
func (a *Agent) sample(ctx context.Context) error {
	ticker := time.NewTicker(a.cfg.SampleInterval)
	defer ticker.Stop()
	for {
		if err := a.sampleOnce(ctx, time.Now()); err != nil {
			return err
		}
		if err := a.sampleBegun(ctx, ticker.C); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// sampleBegun samples replicas as they begin to run, so that the records of
// their first second have figures too, until the next round is due.
func (a *Agent) sampleBegun(ctx context.Context, due <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-due:
			return nil
		case p := <-a.begun:
			if err := a.sampleReplica(ctx, p, time.Now(), a.host.limits); err != nil {
				return err
			}
			if f := p.figures.Load(); f != nil && !f.cpu.Known {
				time.AfterFunc(firstSpan, func() { a.sampleSoon(p) })
			}
		}
	}
}

// sampleSoon asks for a sample of a replica before the next round.
func (a *Agent) sampleSoon(p *replica) {
	select {
	case a.begun <- p:
	default: // the next round samples it
	}
}

// sampleReplica sends one sample of a replica, if it runs. One that stands by
// is read all the same, so that its first record has figures. The error is ctx's.
func (a *Agent) sampleReplica(ctx context.Context, p *replica, now time.Time, host cgroup.Host) error {
	c, _ := p.state()
	if !c.Running || c.PID == 0 {
		return nil
	}
	r, ok := p.sample(c, now, host)
	if !ok || p.waits() {
		return nil // it has just ended, or not begun
	}
	return a.batches.add(ctx, &r, nil, 0, false)
}

// sampleOnce sends one sample of each running replica and of the host, and
// tells of losses. The error is ctx's.
func (a *Agent) sampleOnce(ctx context.Context, now time.Time) error {
	host := a.host.read(now)
	for _, p := range a.all() {
		if err := a.sampleReplica(ctx, p, now, host.limits); err != nil {
			return err
		}
	}
	r := host.record(a.opts.Host)
	if err := a.batches.add(ctx, &r, nil, 0, false); err != nil {
		return err
	}
	if err := a.tellLosses(ctx); err != nil {
		return err
	}
	a.tidy(now)
	return nil
}

// tidy writes the checkpoint and gives memory back.
func (a *Agent) tidy(now time.Time) {
	if err := a.checkpoint.Save(); err != nil {
		a.log.Error("The checkpoint of the containers' output cannot be written.", "error", err)
	}
	if err := a.allowances.look(now); err != nil {
		a.log.Error("What tenants may log, and have, is not up to date.", "error", err)
	}
	a.seen.expire(now)
	exists, all := map[appKey]bool{}, a.all()
	for _, p := range all {
		exists[appKey{p.who.Tenant, p.who.App}] = true
	}
	a.limits.keep(exists)
	batches, bytes := a.spool.Size()
	a.count.spoolBatches.Set(float64(batches))
	a.count.spoolBytes.Set(float64(bytes))
	a.count.replicas.Set(float64(len(all)))
}

// sample reads the replica's control group and its disk.
func (p *replica) sample(c engine.Container, now time.Time, host cgroup.Host) (record.Record, bool) {
	if p.group == nil || p.pid != c.PID {
		group, err := cgroup.Find(proc, c.PID)
		if err != nil {
			return record.Record{}, false
		}
		p.group, p.pid, p.before = group, c.PID, cgroup.Usage{}
	}
	usage, err := p.group.Read()
	if err != nil {
		p.group = nil
		return record.Record{}, false
	}
	f := cgroup.Between(p.before, usage, host)
	p.before = usage
	written, err := cgroup.Written(proc, c.PID, c.Writable)
	if err != nil {
		written = cgroup.Unknown
	}
	disk := float64(cgroup.Unknown)
	if written >= 0 && c.Disk > 0 {
		disk = 100 * float64(written) / float64(c.Disk)
	}
	four := &figures{cpu: figure(f.CPU), disk: figure(disk), swap: figure(f.Swap), mem: figure(f.Mem)}
	if state, _ := p.state(); state.Running && state.PID == c.PID {
		p.figures.Store(four)
	}
	return record.Record{Time: now, ID: record.NewID(now), Kind: record.KindSample, Tenant: c.Tenant, App: c.App,
		Release: c.Release, Replica: c.Replica, CPU: four.cpu, Disk: four.disk, Swap: four.swap, Mem: four.mem,
		Extra: sampleExtra(f, written, c.Disk)}, true
}

// sampleExtra writes the object of section 4 of docs/design.md.
func sampleExtra(f cgroup.Figures, written, disk int64) []byte {
	if disk == 0 {
		disk = cgroup.Unknown
	}
	return fmt.Appendf(nil, `{"mem_bytes":%s,"mem_limit":%s,"cpu_limit":%s,"disk_bytes":%s,"disk_limit":%s,"throttled_ms":%s,"pids":%s}`,
		orNull(float64(f.MemBytes)), orNull(float64(f.MemLimit)), orNull(f.CPULimit), orNull(float64(written)),
		orNull(float64(disk)), orNull(f.ThrottledMs), orNull(float64(f.Pids)))
}

func orNull(v float64) string {
	if v < 0 {
		return "null"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// figure rounds to two decimals; what is not known stays unknown.
func figure(v float64) record.Number {
	if v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return record.Number{}
	}
	return record.Num(math.Round(v*100) / 100)
}
