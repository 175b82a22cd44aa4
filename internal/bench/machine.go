package main

import (
	"os"
	"runtime"
	"strings"
	"time"
)

// machine is where the figures were made.
type machine struct {
	CPU    string  `json:"cpu"`
	Cores  int     `json:"cores"`
	Memory float64 `json:"memory_gib"`
	Kernel string  `json:"kernel"`
	Load   string  `json:"load_before"` // averages over 1, 5 and 15 minutes before the run
}

// look describes this machine; what /proc does not tell stays empty.
func look() machine {
	m := machine{Cores: runtime.NumCPU(), Kernel: firstLine("/proc/sys/kernel/osrelease")}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		if mib, err := kilobytes(text, "MemTotal:"); err == nil {
			m.Memory = mib / 1024
		}
	}
	if fields := strings.Fields(firstLine("/proc/loadavg")); len(fields) >= 3 {
		m.Load = strings.Join(fields[:3], " ")
	}
	return m
}

func firstLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// newReport begins the report of a run.
func newReport() *report { return &report{At: time.Now().UTC().Truncate(time.Second), Machine: look()} }
