package cgroup

import "time"

// Host holds what a limit is measured against where a container has none.
type Host struct {
	Cores float64
	Mem   int64 // bytes; Unknown where not known
	Swap  int64 // bytes
}

// Figures is one reading set against the limits. Percentages and times that
// are not known are Unknown.
type Figures struct {
	CPU, Mem, Swap float64 // percent of the limit
	ThrottledMs    float64 // held back since the last reading
	MemBytes       int64
	MemLimit       int64
	CPULimit       float64 // cores
	Pids           int64
}

// Between sets the reading now against its limits; CPU and throttling are
// those since the reading before (zero: there is none).
func Between(before, now Usage, host Host) Figures {
	f := Figures{CPU: Unknown, Mem: Unknown, Swap: Unknown, ThrottledMs: Unknown,
		MemBytes: now.Mem, MemLimit: now.MemLimit, CPULimit: now.CPULimit, Pids: now.Pids}
	if f.CPULimit <= 0 {
		f.CPULimit = host.Cores
	}
	if f.MemLimit == Unknown || host.Mem > 0 && f.MemLimit > host.Mem {
		f.MemLimit = host.Mem
	}
	f.Mem = percent(now.Mem, f.MemLimit)
	f.Swap = swap(now, host)
	elapsed := now.At.Sub(before.At)
	if before.At.IsZero() || elapsed < time.Millisecond {
		return f
	}
	if before.CPU != Unknown && now.CPU >= before.CPU && f.CPULimit > 0 {
		f.CPU = 100 * float64(now.CPU-before.CPU) / float64(elapsed) / f.CPULimit
	}
	if before.Throttled != Unknown && now.Throttled >= before.Throttled {
		f.ThrottledMs = float64(now.Throttled-before.Throttled) / 1e6
	}
	return f
}

func swap(now Usage, host Host) float64 {
	limit := now.SwapLimit
	if now.Swap == Unknown {
		return Unknown
	}
	if limit == Unknown {
		limit = host.Swap
	}
	if limit == 0 {
		return 0 // it has no swap
	}
	return percent(now.Swap, limit)
}

func percent(used, limit int64) float64 {
	if used == Unknown || limit <= 0 {
		return Unknown
	}
	return 100 * float64(used) / float64(limit)
}
