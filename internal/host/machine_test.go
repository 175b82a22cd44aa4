package host

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/system"
)

// sound is a machine of today, control groups of version 2, with nothing wrong.
func sound(t *testing.T) (Machine, func(name, text string)) {
	t.Helper()
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"proc/sys/kernel/osrelease": "6.1.0-18-amd64\n", "dev/loop-control": "", "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc\n",
		"proc/sys/net/netfilter/nf_conntrack_max": "262144\n", "proc/meminfo": "MemTotal:        8148480 kB\nMemFree: 1 kB\n", "proc/sys/net/ipv4/ip_forward": "1\n",
		"proc/sys/net/bridge/bridge-nf-call-iptables": "1\n", "sys/module/apparmor/parameters/enabled": "Y\n",
	} {
		write(name, text)
	}
	return Machine{Root: root, Runc: "1.2.5", Files: 524_288, Engine: &system.Info{ServerVersion: "28.2.2", Driver: "overlay2", MemoryLimit: true, SwapLimit: true, PidsLimit: true,
		CPUCfsQuota: true, SecurityOptions: []string{"name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"}}}, write
}

func TestDoctor(t *testing.T) {
	t.Run("finds nothing where nothing is wrong", func(t *testing.T) {
		m, _ := sound(t)
		for _, f := range Doctor(m) {
			if f.Says != "" || f.Grave || f.Name == "" {
				t.Errorf("%+v", f)
			}
		}
	})
	f := func(name, want string, grave bool, change func(m *Machine, write func(name, text string))) {
		t.Helper()
		m, write := sound(t)
		change(&m, write)
		found := slices.DeleteFunc(Doctor(m), func(f Finding) bool { return f.Says == "" })
		if len(found) != 1 || found[0].Name != name || !strings.Contains(found[0].Says, want) || found[0].Grave != grave {
			t.Errorf("%s: %+v", name, found)
		}
	}
	f("kernel", "Linux 3.10.0-1160.el7 is older than 4.18", false, func(_ *Machine, w func(string, string)) { w("proc/sys/kernel/osrelease", "3.10.0-1160.el7\n") })
	f("clock", "Nobody keeps", false, func(m *Machine, _ func(string, string)) { m.Unsynced = true })
	f("control groups (version 2)", "memory, pids are not there", true, func(_ *Machine, w func(string, string)) { w("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io\n") })
	f("open files", "1024 files", false, func(m *Machine, _ func(string, string)) { m.Files = 1024 })
	f("tracked connections", "4096 connections", false, func(_ *Machine, w func(string, string)) { w("proc/sys/net/netfilter/nf_conntrack_max", "4096\n") })
	f("memory", "500 MiB", false, func(_ *Machine, w func(string, string)) { w("proc/meminfo", "MemTotal: 512000 kB\n") })
	f("forwarding", "ip_forward=1", true, func(_ *Machine, w func(string, string)) { w("proc/sys/net/ipv4/ip_forward", "0\n") })
	f("filter between containers", "br_netfilter", true, func(_ *Machine, w func(string, string)) { w("proc/sys/net/bridge/bridge-nf-call-iptables", "0\n") })
	f("version of the engine", "Docker 19.03.8 is too old", true, func(m *Machine, _ func(string, string)) { m.Engine.ServerVersion = "19.03.8" })
	f("version of runc", "CVE-2024-21626", true, func(m *Machine, _ func(string, string)) { m.Runc = "1.1.11" })
	f("bound of memory", "cgroup_enable=memory", true, func(m *Machine, _ func(string, string)) { m.Engine.MemoryLimit = false })
	f("bound of swap", "swapaccount=1", false, func(m *Machine, _ func(string, string)) { m.Engine.SwapLimit = false })
	f("bound of processes", "fork bomb", true, func(m *Machine, _ func(string, string)) { m.Engine.PidsLimit = false })
	f("bound of CPU", "CONFIG_CFS_BANDWIDTH", true, func(m *Machine, _ func(string, string)) { m.Engine.CPUCfsQuota = false })
	f("storage", "driver vfs", false, func(m *Machine, _ func(string, string)) { m.Engine.Driver = "vfs" })
	f("seccomp", "filters no system calls", true, func(m *Machine, _ func(string, string)) { m.Engine.SecurityOptions = []string{"name=apparmor"} })
	f("seccomp", "unconfined", true, func(m *Machine, _ func(string, string)) {
		m.Engine.SecurityOptions = []string{"name=apparmor", "name=seccomp,profile=unconfined"}
	})
	f("AppArmor", "does not use it", false, func(m *Machine, _ func(string, string)) {
		m.Engine.SecurityOptions = []string{"name=seccomp,profile=builtin"}
	})
	t.Run("knows control groups of version 1", func(t *testing.T) {
		m, write := sound(t)
		if err := os.RemoveAll(filepath.Join(m.Root, "sys/fs/cgroup")); err != nil {
			t.Fatal(err)
		}
		write("proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t3\t10\t1\nmemory\t0\t1\t0\npids\t4\t10\t1\n")
		write("sys/fs/cgroup/cpu/cpu.shares", "1024")
		write("sys/fs/cgroup/pids/tasks", "")
		found := slices.DeleteFunc(Doctor(m), func(f Finding) bool { return f.Says == "" })
		if len(found) != 1 || !strings.HasPrefix(found[0].Says, "The controllers memory are off") || !found[0].Grave {
			t.Errorf("%+v", found)
		}
	})
	t.Run("says what it can where no engine answers", func(t *testing.T) {
		m, _ := sound(t)
		m.Engine = nil
		if found := Doctor(m); len(found) < 8 {
			t.Errorf("%+v", found)
		}
	})
	t.Run("takes a distribution's mended runc for what it is", func(t *testing.T) {
		m, _ := sound(t)
		m.Runc = "1.1.5+ds1-1+deb12u1"
		for _, f := range Doctor(m) {
			if f.Says != "" {
				t.Errorf("%+v", f)
			}
		}
	})
}
