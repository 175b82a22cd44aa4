package cgroup

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tree writes the files of a fixture: lines of "path: content", with | for a
// line end.
func tree(t *testing.T, root, text string) {
	t.Helper()
	for line := range strings.Lines(strings.TrimSpace(text)) {
		path, content, _ := strings.Cut(strings.TrimSpace(line), ": ")
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		content = strings.ReplaceAll(strings.ReplaceAll(content, "ROOT", root), "|", "\n")
		if err := os.WriteFile(full, []byte(content+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const version1 = `
proc/self/mountinfo: 31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw|33 31 0:29 / ROOT/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct|34 31 0:30 /outer ROOT/memory rw,relatime shared:1 - cgroup cgroup rw,memory|35 31 0:31 / ROOT/pids rw - cgroup cgroup rw,pids|36 31 0:32 / ROOT/unified rw - cgroup2 cgroup2 rw
proc/7/cgroup: 4:memory:/outer/docker/abc|3:pids:/docker/abc|2:cpu,cpuacct:/docker/abc|1:name=systemd:/|0::/
cpu,cpuacct/docker/abc/cpuacct.usage: 5000000000
cpu,cpuacct/docker/abc/cpu.cfs_quota_us: 50000
cpu,cpuacct/docker/abc/cpu.cfs_period_us: 100000
cpu,cpuacct/docker/abc/cpu.stat: nr_periods 10|nr_throttled 2|throttled_time 30000000
memory/docker/abc/memory.usage_in_bytes: 50000000
memory/docker/abc/memory.limit_in_bytes: 100000000
memory/docker/abc/memory.stat: cache 5|inactive_file 1|total_inactive_file 10000000
memory/docker/abc/memory.memsw.usage_in_bytes: 55000000
memory/docker/abc/memory.memsw.limit_in_bytes: 120000000
pids/docker/abc/pids.current: 12
`

const version2 = `
proc/self/mountinfo: 24 1 0:22 / ROOT/unified rw,nosuid shared:9 - cgroup2 cgroup rw
proc/7/cgroup: 0::/system.slice/docker-abc.scope
unified/system.slice/docker-abc.scope/cpu.stat: usage_usec 5000000|user_usec 1|throttled_usec 30000
unified/system.slice/docker-abc.scope/cpu.max: 50000 100000
unified/system.slice/docker-abc.scope/memory.current: 50000000
unified/system.slice/docker-abc.scope/memory.max: 100000000
unified/system.slice/docker-abc.scope/memory.stat: anon 3|inactive_file 10000000
unified/system.slice/docker-abc.scope/memory.swap.current: 5000000
unified/system.slice/docker-abc.scope/memory.swap.max: 20000000
unified/system.slice/docker-abc.scope/pids.current: 12
`

func read(t *testing.T, root string) Usage {
	t.Helper()
	g, err := Find(filepath.Join(root, "proc"), 7)
	if err != nil {
		t.Fatal(err)
	}
	u, err := g.Read()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestBothVersionsReadTheSame(t *testing.T) {
	for name, fixture := range map[string]string{"version 1": version1, "version 2": version2} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			tree(t, root, fixture)
			u := read(t, root)
			u.At = time.Time{}
			want := Usage{CPU: 5e9, CPULimit: 0.5, Throttled: 30e6, Mem: 40e6, MemLimit: 100e6, Swap: 5e6, SwapLimit: 20e6, Pids: 12}
			if u != want {
				t.Errorf("the reading is %+v", u)
			}
		})
	}
}

func TestWhatIsNotThereIsUnknown(t *testing.T) {
	root := t.TempDir()
	tree(t, root, version1)
	for _, file := range []string{"memory.memsw.usage_in_bytes", "memory.memsw.limit_in_bytes"} {
		os.Remove(filepath.Join(root, "memory/docker/abc", file)) // a kernel without swap accounting
	}
	tree(t, root, `
memory/docker/abc/memory.limit_in_bytes: 9223372036854771712
cpu,cpuacct/docker/abc/cpu.cfs_quota_us: -1`)
	u := read(t, root)
	if u.Swap != Unknown || u.SwapLimit != Unknown || u.MemLimit != Unknown || u.CPULimit != Unknown {
		t.Errorf("the reading is %+v", u)
	}
	f := Between(Usage{}, u, Host{Cores: 4, Mem: 200e6})
	if f.Swap != Unknown || f.CPU != Unknown || f.Mem != 20 || f.CPULimit != 4 || f.MemLimit != 200e6 {
		t.Errorf("the figures are %+v", f)
	}
	os.RemoveAll(filepath.Join(root, "memory"))
	os.RemoveAll(filepath.Join(root, "cpu,cpuacct"))
	g, _ := Find(filepath.Join(root, "proc"), 7)
	if _, err := g.Read(); err == nil {
		t.Error("a group that is gone reads without an error")
	}
}

func TestFiguresArePercentagesOfTheLimits(t *testing.T) {
	at := time.Unix(1000, 0)
	before := Usage{At: at, CPU: 1e9, Throttled: 1e6}
	now := Usage{At: at.Add(2 * time.Second), CPU: 1.5e9, CPULimit: 0.5, Throttled: 3e6, Mem: 25, MemLimit: 100, Swap: 1, SwapLimit: 4}
	f := Between(before, now, Host{Cores: 2, Mem: 1000})
	if math.Abs(f.CPU-50) > 1e-9 || f.Mem != 25 || f.Swap != 25 || f.ThrottledMs != 2 {
		t.Errorf("the figures are %+v", f)
	}
	now.SwapLimit = 0
	if f := Between(before, now, Host{}); f.Swap != 0 {
		t.Errorf("without swap, swap is %v", f.Swap)
	}
	now.CPU = 0 // the group was made anew
	if f := Between(before, now, Host{}); f.CPU != Unknown {
		t.Errorf("after a counter went back, cpu is %v", f.CPU)
	}
}

func TestOnlyFileSystemsOfItsOwnAreCounted(t *testing.T) {
	if used, err := Written("/proc", os.Getpid(), []string{"/etc"}); err != nil || used != Unknown {
		t.Errorf("a folder of the root counts %d bytes, %v", used, err)
	}
	if used, err := Written("/proc", os.Getpid(), []string{"/dev", "/dev"}); err != nil || used < 0 {
		t.Errorf("a file system of its own counts %d bytes, %v", used, err)
	}
	if _, err := Written("/proc", math.MaxInt32, nil); err == nil {
		t.Error("a process that does not exist was looked into")
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"max", "0", "-1", "9223372036854771712", "x", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := parseNumber(s)
		if want, err := strconv.ParseInt(s, 10, 64); ok && n != Unknown && (err != nil || n != want) {
			t.Fatalf("%q reads as %d", s, n)
		}
	})
}
