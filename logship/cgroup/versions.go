package cgroup

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func (g *Group) read1(u *Usage) {
	u.CPU, _ = g.number("cpuacct", "cpuacct.usage")
	quota, _ := g.number("cpu", "cpu.cfs_quota_us")
	period, _ := g.number("cpu", "cpu.cfs_period_us")
	if quota > 0 && period > 0 {
		u.CPULimit = float64(quota) / float64(period)
	}
	u.Throttled = g.field("cpu", "cpu.stat", "throttled_time")
	u.Pids, _ = g.number("pids", "pids.current")
	used, _ := g.number("memory", "memory.usage_in_bytes")
	u.Mem = without(used, g.field("memory", "memory.stat", "total_inactive_file"))
	u.MemLimit, _ = g.number("memory", "memory.limit_in_bytes")

	// memsw counts memory and swap together; kernels without swap accounting do not have it.
	both, ok := g.number("memory", "memory.memsw.usage_in_bytes")
	limit, limitOK := g.number("memory", "memory.memsw.limit_in_bytes")
	if !ok || !limitOK || used == Unknown {
		return
	}
	u.Swap = max(both-used, 0)
	if limit != Unknown && u.MemLimit != Unknown {
		u.SwapLimit = max(limit-u.MemLimit, 0)
	}
}

func (g *Group) read2(u *Usage) {
	if usec := g.field("", "cpu.stat", "usage_usec"); usec != Unknown {
		u.CPU = usec * 1000
	}
	if usec := g.field("", "cpu.stat", "throttled_usec"); usec != Unknown {
		u.Throttled = usec * 1000
	}
	u.CPULimit = g.cpuMax()
	u.Pids, _ = g.number("", "pids.current")
	used, _ := g.number("", "memory.current")
	u.Mem = without(used, g.field("", "memory.stat", "inactive_file"))
	u.MemLimit, _ = g.number("", "memory.max")
	u.Swap, _ = g.number("", "memory.swap.current")
	u.SwapLimit, _ = g.number("", "memory.swap.max")
}

// cpuMax reads "quota period" of version 2.
func (g *Group) cpuMax() float64 {
	text, err := os.ReadFile(filepath.Join(g.folder[""], "cpu.max"))
	if err != nil {
		return Unknown
	}
	part := strings.Fields(string(text))
	if len(part) != 2 || part[0] == "max" {
		return Unknown
	}
	quota, err := strconv.ParseFloat(part[0], 64)
	period, err2 := strconv.ParseFloat(part[1], 64)
	if err != nil || err2 != nil || period <= 0 {
		return Unknown
	}
	return quota / period
}

// without takes the pages that the kernel would drop first off the usage.
func without(used, inactive int64) int64 {
	if used == Unknown || inactive == Unknown {
		return used
	}
	return max(used-inactive, 0)
}
