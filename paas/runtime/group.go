package runtime

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// groups is where the kernel's control groups are mounted.
const groups = "/sys/fs/cgroup"

// kernel reads and writes control groups of version 1 or 2. A group is named
// by its path below the root of the hierarchy.
type kernel struct {
	root     string
	version2 bool
}

func findKernel(root string) kernel {
	_, err := os.Stat(filepath.Join(root, "cgroup.controllers"))
	return kernel{root: root, version2: err == nil}
}

// folder is that of a group for a controller; version 2 has one for all.
func (k kernel) folder(controller, group string) string {
	if k.version2 {
		return filepath.Join(k.root, group)
	}
	return filepath.Join(k.root, controller, group)
}

// below returns the groups in a group whose names match the pattern.
func (k kernel) below(group, pattern string) []string {
	found, _ := filepath.Glob(filepath.Join(k.folder("cpu", group), pattern, "cgroup.procs"))
	for i, f := range found {
		found[i] = filepath.Join(group, filepath.Base(filepath.Dir(f)))
	}
	return found
}

// used returns the CPU time that a group has taken, with all below it.
func (k kernel) used(group string) (time.Duration, error) {
	if k.version2 {
		micros, err := k.field("cpu", group, "cpu.stat", "usage_usec")
		return time.Duration(micros) * time.Microsecond, err
	}
	text, err := os.ReadFile(filepath.Join(k.folder("cpuacct", group), "cpuacct.usage"))
	if err != nil {
		return 0, fmt.Errorf("CPU time of %s: %w", group, err)
	}
	nanos, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	return time.Duration(nanos), err
}

// field reads a number of a file of lines of a name and a number.
func (k kernel) field(controller, group, file, name string) (int64, error) {
	path := filepath.Join(k.folder(controller, group), file)
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("control group %s: %w", group, err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no line %s", path, name)
}

// sharesPerWeight makes a weight of version 2, of which 100 is the usual one, a share of version 1, of which it is 1024.
const sharesPerWeight = 10.24

// weigh sets the weight of a group beside its neighbours; 100 is the usual one.
func (k kernel) weigh(group string, weight float64) error {
	if k.version2 {
		return k.write(group, "cpu.weight", strconv.Itoa(max(1, int(math.Round(weight)))))
	}
	return k.write(group, "cpu.shares", strconv.Itoa(max(2, int(weight*sharesPerWeight))))
}

const (
	cpuPeriod = 100_000 // of a CPU quota, µs; the engine's
	leastCPU  = 1_000   // that the kernel takes for one, µs
)

// bound sets how many cores a group may use at the most.
func (k kernel) bound(group string, cores float64) error {
	quota := strconv.Itoa(max(leastCPU, int(cores*cpuPeriod)))
	if k.version2 {
		return k.write(group, "cpu.max", quota+" "+strconv.Itoa(cpuPeriod))
	}
	return k.write(group, "cpu.cfs_quota_us", quota)
}

func (k kernel) write(group, file, value string) error {
	if err := os.WriteFile(filepath.Join(k.folder("cpu", group), file), []byte(value), 0o644); err != nil {
		return fmt.Errorf("control group %s: %w", group, err)
	}
	return nil
}
