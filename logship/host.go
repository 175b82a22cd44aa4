package logship

import (
	"runtime"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/disk"
	"github.com/shirou/gopsutil/v3/mem"

	"kurama/logship/cgroup"
	"kurama/logship/record"
)

// hostReader reads the host's own figures.
type hostReader struct {
	dir    string // its disk is the one measured
	before cpu.TimesStat
	limits cgroup.Host // as of the last reading
}

// hostUsage is one reading.
type hostUsage struct {
	at     time.Time
	cpu    record.Number
	disk   record.Number
	swap   record.Number // unknown where the host has none
	mem    record.Number
	limits cgroup.Host
}

func (h *hostReader) read(now time.Time) hostUsage {
	u := hostUsage{at: now, cpu: h.cpu(), limits: cgroup.Host{Cores: float64(runtime.NumCPU()), Mem: cgroup.Unknown}}
	if m, err := mem.VirtualMemory(); err == nil && m.Total > 0 {
		u.limits.Mem = int64(m.Total)
		u.mem = figure(100 * float64(m.Total-min(m.Available, m.Total)) / float64(m.Total))
		if m.SwapTotal > 0 {
			u.limits.Swap = int64(m.SwapTotal)
			u.swap = figure(100 * float64(m.SwapTotal-min(m.SwapFree, m.SwapTotal)) / float64(m.SwapTotal))
		}
	}
	if d, err := disk.Usage(h.dir); err == nil {
		u.disk = figure(d.UsedPercent)
	}
	h.limits = u.limits
	return u
}

// cpu returns the percentage of all cores since the last call, unknown at the
// first.
func (h *hostReader) cpu() record.Number {
	times, err := cpu.Times(false)
	if err != nil || len(times) == 0 {
		return record.Number{}
	}
	before, now := h.before, times[0]
	h.before = now
	idle := now.Idle + now.Iowait - before.Idle - before.Iowait
	all := total(now) - total(before)
	if before.CPU == "" || all <= 0 {
		return record.Number{}
	}
	return figure(100 * max(all-idle, 0) / all)
}

// total adds up a reading; guests' time is counted within user's.
func total(t cpu.TimesStat) float64 {
	return t.User + t.System + t.Idle + t.Nice + t.Iowait + t.Irq + t.Softirq + t.Steal
}

func (u hostUsage) record(host string) record.Record {
	return record.Record{Time: u.at, ID: record.NewID(u.at), Kind: record.KindSample, Replica: host,
		CPU: u.cpu, Disk: u.disk, Swap: u.swap, Mem: u.mem}
}
