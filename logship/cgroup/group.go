// Package cgroup reads what a container uses out of its control group,
// version 1 or 2, and sets it against its limits.
package cgroup

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage is one reading. Figures that could not be read are Unknown.
type Usage struct {
	At        time.Time
	CPU       int64   // nanoseconds used since the group was made
	CPULimit  float64 // cores; Unknown where there is no limit
	Throttled int64   // nanoseconds that it was held back since it was made
	Mem       int64   // bytes without those the kernel would drop first (inactive file pages)
	MemLimit  int64   // bytes; Unknown where there is no limit
	Swap      int64   // bytes
	SwapLimit int64   // bytes; 0 where it may not swap, Unknown where there is no limit
	Pids      int64
}

// Unknown stands for a figure that could not be read or has no limit.
const Unknown = -1

// unlimited is the least value by which version 1 says "no limit".
const unlimited = math.MaxInt64 / 4096 * 4096 / 2

// Group is the control group of one container.
type Group struct {
	version2 bool
	folder   map[string]string // by controller; version 2 has one, under ""
}

// Find returns the control group of the process pid. proc is the folder of
// the host's /proc.
func Find(proc string, pid int) (*Group, error) {
	mounts, err := mountPoints(filepath.Join(proc, "self/mountinfo"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "cgroup"))
	if err != nil {
		return nil, fmt.Errorf("finding the control group of process %d: %w", pid, err)
	}
	g := &Group{folder: map[string]string{}}
	for line := range strings.Lines(string(text)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(part[1], ",") {
			if m, ok := mounts[controller]; ok {
				g.folder[controller] = m.folder(part[2])
			}
		}
	}
	switch {
	case g.folder["memory"] != "":
		return g, nil
	case g.folder[""] != "":
		g.version2 = true
		return g, nil
	}
	return nil, fmt.Errorf("process %d is in no control group that counts memory", pid)
}

// mountPoint is where a hierarchy is mounted, and which part of it.
type mountPoint struct{ root, path string }

func (m mountPoint) folder(group string) string {
	if below, ok := strings.CutPrefix(group, m.root); ok && m.root != "/" {
		group = below
	}
	return filepath.Join(m.path, group)
}

// mountPoints reads the hierarchies by controller; version 2 is under "".
func mountPoints(file string) (map[string]mountPoint, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("finding the control groups: %w", err)
	}
	found := map[string]mountPoint{}
	for line := range strings.Lines(string(text)) {
		before, after, ok := strings.Cut(line, " - ")
		place, fs := strings.Fields(before), strings.Fields(after)
		if !ok || len(place) < 5 || len(fs) < 3 {
			continue
		}
		m := mountPoint{root: place[3], path: place[4]}
		switch fs[0] {
		case "cgroup":
			for option := range strings.SplitSeq(fs[2], ",") {
				found[option] = m
			}
		case "cgroup2":
			found[""] = m
		}
	}
	return found, nil
}

// Read takes a reading. The error is of the group as a whole being gone;
// single figures that cannot be read are Unknown.
func (g *Group) Read() (Usage, error) {
	u := Usage{At: time.Now(), CPU: Unknown, CPULimit: Unknown, Throttled: Unknown, Mem: Unknown, MemLimit: Unknown,
		Swap: Unknown, SwapLimit: Unknown, Pids: Unknown}
	if g.version2 {
		g.read2(&u)
	} else {
		g.read1(&u)
	}
	if u.CPU == Unknown && u.Mem == Unknown {
		return u, errors.New("the control group is gone")
	}
	return u, nil
}

// number reads a file that holds one number; "max" and version 1's huge
// numbers are no limit. ok is false where it cannot be read.
func (g *Group) number(controller, file string) (n int64, ok bool) {
	text, err := os.ReadFile(filepath.Join(g.folder[controller], file))
	if err != nil {
		return Unknown, false
	}
	return parseNumber(string(bytes.TrimSpace(text)))
}

func parseNumber(text string) (n int64, ok bool) {
	if text == "max" {
		return Unknown, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return Unknown, false
	}
	if n >= unlimited {
		return Unknown, true
	}
	return n, true
}

// field reads one "key value" line of a file; Unknown where there is none.
func (g *Group) field(controller, file, key string) int64 {
	text, err := os.ReadFile(filepath.Join(g.folder[controller], file))
	if err != nil {
		return Unknown
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), key+" "); ok {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return Unknown
			}
			return n
		}
	}
	return Unknown
}
