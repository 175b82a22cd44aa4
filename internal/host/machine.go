package host

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/client"
)

// Finding is one thing of the machine that was looked at.
type Finding struct {
	Name  string `json:"name"`
	Says  string `json:"says"`  // what is wrong, and what to do; empty: nothing
	Grave bool   `json:"grave"` // Kurama cannot run, or its walls do not stand
}

// Machine is what Doctor looks at.
type Machine struct {
	Root     string       // "/", where tests have folders of their own
	Engine   *system.Info // nil: the engine does not answer, which is told elsewhere
	Runc     string       // its version as the engine tells it; empty: unknown
	Unsynced bool         // the kernel says that nobody keeps the clock
	Files    uint64       // that a process may have open at most
}

// Look describes this machine, with the engine at address (empty: DOCKER_HOST
// or the default socket).
func Look(ctx context.Context, address string) Machine {
	m := Machine{Root: "/"}
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) == nil {
		m.Files = files.Max
	}
	var clock syscall.Timex
	if state, err := syscall.Adjtimex(&clock); err == nil {
		m.Unsynced = state == clockError
	}
	options := []client.Opt{client.FromEnv, client.WithAPIVersionNegotiation()}
	if address != "" {
		options = append(options, client.WithHost(address))
	}
	docker, err := client.NewClientWithOpts(options...)
	if err != nil {
		return m
	}
	defer func() { _ = docker.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if info, err := docker.Info(ctx); err == nil {
		m.Engine = &info
	}
	if v, err := docker.ServerVersion(ctx); err == nil {
		for _, c := range v.Components {
			if c.Name == "runc" {
				m.Runc = c.Version
			}
		}
	}
	return m
}

// clockError is what adjtimex(2) returns for a clock that nobody keeps.
const clockError = 5

// Doctor says what is wrong with a machine, one finding for each thing that
// was looked at.
func Doctor(m Machine) []Finding {
	d := doctor{m: m}
	d.kernel()
	d.groups()
	d.limits()
	d.filter()
	if m.Engine != nil {
		d.engine()
		d.walls()
	}
	return d.found
}

type doctor struct {
	m     Machine
	found []Finding
}

// check adds a finding; wrong says whether says holds.
func (d *doctor) check(name string, grave, wrong bool, says string, args ...any) {
	f := Finding{Name: name}
	if wrong {
		f.Says, f.Grave = fmt.Sprintf(says, args...), grave
	}
	d.found = append(d.found, f)
}

// read returns a file of the machine, "" where there is none.
func (d *doctor) read(path string) string {
	text, err := os.ReadFile(filepath.Join(d.m.Root, path))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func (d *doctor) there(path string) bool {
	_, err := os.Stat(filepath.Join(d.m.Root, path))
	return err == nil
}

// leastKernel has control groups of version 2 whole, and overlay as it is needed.
const leastKernel = "4.18"

func (d *doctor) kernel() {
	release := d.read("proc/sys/kernel/osrelease")
	d.check("kernel", false, release != "" && older(release, leastKernel), "Linux %s is older than %s, which is the oldest that Kurama was made for. Update the system.", release, leastKernel)
	d.check("clock", false, d.m.Unsynced, "Nobody keeps this machine's clock: records of several machines, certificates and sign-ins need the right time. Install systemd-timesyncd or chrony and let it run.")
	d.check("volumes", false, !d.there("dev/loop-control") && !d.there("sys/module/loop"), "The kernel has no loop devices, which apps' volumes are made of. Run `modprobe loop`, and name loop in /etc/modules.")
}

// older compares versions number by number; what comes after the numbers is
// left out.
func older(version, least string) bool {
	numbers := func(s string) (n []int) {
		for part := range strings.SplitSeq(s, ".") {
			digits := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
			if digits < 0 {
				digits = len(part)
			}
			v, err := strconv.Atoi(part[:digits])
			if err != nil {
				break
			}
			if n = append(n, v); digits < len(part) {
				break
			}
		}
		return n
	}
	return slices.Compare(numbers(version), numbers(least)) < 0
}

// controllers are what replicas are bounded by.
var controllers = []string{"cpu", "memory", "pids"}

// groups looks at the control groups, of either version.
func (d *doctor) groups() {
	var missing []string
	if listed := strings.Fields(d.read("sys/fs/cgroup/cgroup.controllers")); len(listed) > 0 {
		for _, c := range controllers {
			if !slices.Contains(listed, c) {
				missing = append(missing, c)
			}
		}
		d.check("control groups (version 2)", true, len(missing) > 0,
			"The controllers %s are not there, so that replicas would have no bound. Start the kernel without cgroup_disable, and with systemd_unified_cgroup_hierarchy=1 where version 1 holds them.", strings.Join(missing, ", "))
		return
	}
	enabled := map[string]bool{}
	for line := range strings.Lines(d.read("proc/cgroups")) {
		if f := strings.Fields(line); len(f) == 4 {
			enabled[f[0]] = f[3] == "1"
		}
	}
	for _, c := range controllers {
		if !enabled[c] || !d.there(filepath.Join("sys/fs/cgroup", c)) {
			missing = append(missing, c)
		}
	}
	d.check("control groups (version 1)", true, len(missing) > 0,
		"The controllers %s are off or not mounted, so that replicas would have no bound. Start the kernel with cgroup_enable=memory and without cgroup_disable, and mount them (package cgroupfs-mount).", strings.Join(missing, ", "))
}

// Least figures of a machine that carries some tens of apps.
const (
	leastFiles   = 8192
	leastTracked = 65_536
	leastMemory  = 1 << 30
)

func (d *doctor) limits() {
	d.check("open files", false, d.m.Files > 0 && d.m.Files < leastFiles, "A process may have %d files open, and the router needs two for each request under way. Set LimitNOFILE=1048576 in the service, or `ulimit -n`.", d.m.Files)
	tracked, err := strconv.Atoi(cmp.Or(d.read("proc/sys/net/netfilter/nf_conntrack_max"), "none"))
	d.check("tracked connections", false, err == nil && tracked < leastTracked, "The kernel follows %d connections at most, which one busy app uses up for all. Set net.netfilter.nf_conntrack_max=262144 in /etc/sysctl.d.", tracked)
	var kib int64
	for line := range strings.Lines(d.read("proc/meminfo")) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "MemTotal:" {
			kib, _ = strconv.ParseInt(f[1], 10, 64)
		}
	}
	d.check("memory", false, kib > 0 && kib<<10 < leastMemory, "The machine has %d MiB of memory; Kurama alone takes some 400. Apps will be ended for want of it.", kib>>10)
}

// filter looks at what the packet filter counts on.
func (d *doctor) filter() {
	d.check("forwarding", true, d.read("proc/sys/net/ipv4/ip_forward") == "0", "The kernel forwards no packets, so that apps reach nothing. Set net.ipv4.ip_forward=1 in /etc/sysctl.d.")
	d.check("filter between containers", true, d.read("proc/sys/net/bridge/bridge-nf-call-iptables") == "0",
		"Packets between containers pass by the packet filter, so that apps of a tenant reach one another. Set net.bridge.bridge-nf-call-iptables=1 in /etc/sysctl.d, and load br_netfilter.")
}
