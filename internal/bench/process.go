package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU times in /proc: USER_HZ is 100 on every Linux.
const tick = 10 * time.Millisecond

// process is one line of /proc.
type process struct {
	pid, parent int
	name        string        // role of one of Kurama's own, else the program's name
	cpu         time.Duration // its own, user and system
	reaped      time.Duration // of its children that have ended
}

// tree returns pid and all processes below it.
func tree(pid int) ([]process, error) {
	all, err := processes()
	if err != nil {
		return nil, err
	}
	wanted := map[int]bool{pid: true}
	for found := true; found; {
		found = false
		for _, p := range all {
			if wanted[p.parent] && !wanted[p.pid] {
				wanted[p.pid], found = true, true
			}
		}
	}
	var out []process
	for _, p := range all {
		if wanted[p.pid] {
			out = append(out, p)
		}
	}
	return out, nil
}

func processes() ([]process, error) {
	entries, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, fmt.Errorf("listing the processes: %w", err)
	}
	var out []process
	for _, path := range entries {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		if p, err := parseStat(string(text)); err == nil {
			p.name = nameOf(p.pid, p.name)
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("/proc shows no process")
	}
	return out, nil
}

// parseStat reads a line of /proc/<pid>/stat. The name in parentheses may hold
// anything, so the fields are counted from its end.
func parseStat(text string) (process, error) {
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return process{}, fmt.Errorf("%q is no line of /proc/<pid>/stat", text)
	}
	fields := strings.Fields(text[end+1:])
	if len(fields) < 15 {
		return process{}, fmt.Errorf("%q has %d fields behind the name", text, len(fields))
	}
	numbers := make([]int64, 0, 6)
	for _, field := range []string{strings.TrimSpace(text[:open]), fields[1], fields[11], fields[12], fields[13], fields[14]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return process{}, fmt.Errorf("reading /proc/<pid>/stat: %w", err)
		}
		numbers = append(numbers, n)
	}
	return process{pid: int(numbers[0]), parent: int(numbers[1]), name: text[open+1 : end],
		cpu: time.Duration(numbers[2]+numbers[3]) * tick, reaped: time.Duration(numbers[4]+numbers[5]) * tick}, nil
}

// nameOf returns the role of a process of Kurama: its first argument.
func nameOf(pid int, program string) string {
	if program != "kurama" {
		return program
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return program
	}
	if args := bytes.Split(line, []byte{0}); len(args) > 1 {
		return string(args[1])
	}
	return program
}

// usage is what a group of processes has used so far.
type usage struct {
	at    time.Time
	roles map[string]time.Duration // CPU by role; "postgres" is all of the database
	total time.Duration
}

// use returns what pid and everything below it have used. Postgres's server
// processes end: what they used is then counted by the one that started them.
func use(pid int) (usage, error) {
	list, err := tree(pid)
	if err != nil {
		return usage{}, err
	}
	u := usage{at: time.Now(), roles: map[string]time.Duration{}}
	for _, p := range list {
		u.roles[p.name] += p.cpu + p.reaped
		u.total += p.cpu + p.reaped
	}
	return u, nil
}

// since returns what was used between before and u.
func (u usage) since(before usage) usage {
	d := usage{roles: map[string]time.Duration{}, total: u.total - before.total}
	for name, cpu := range u.roles {
		d.roles[name] = cpu - before.roles[name]
	}
	return d
}

// of sums the CPU time of some roles.
func (u usage) of(names ...string) time.Duration {
	var sum time.Duration
	for _, name := range names {
		sum += u.roles[name]
	}
	return sum
}

// memory is what a process holds, in MiB.
type memory struct{ rss, peak, pss float64 }

// memoryOf reads the memory of a process.
func memoryOf(pid int) (memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return memory{}, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	var m memory
	var err1, err2, err3 error
	m.rss, err1 = kilobytes(status, "VmRSS:")
	m.peak, err2 = kilobytes(status, "VmHWM:")
	m.pss, err3 = kilobytes(rollup, "Pss:")
	return m, errors.Join(err1, err2, err3)
}

// kilobytes reads a line such as "VmRSS:  1234 kB" and returns MiB.
func kilobytes(text []byte, key string) (float64, error) {
	for line := range bytes.Lines(text) {
		fields := strings.Fields(string(line))
		if len(fields) < 2 || fields[0] != key {
			continue
		}
		n, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			return 0, fmt.Errorf("reading %s: %w", key, err)
		}
		return n / 1024, nil
	}
	return 0, fmt.Errorf("/proc does not tell %s", key)
}
