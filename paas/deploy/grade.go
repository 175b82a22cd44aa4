package deploy

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"kurama/internal/config"
	"kurama/paas"
)

// inside is what was found in a live replica.
type inside struct {
	UID           int      `json:"uid"`
	GID           int      `json:"gid"`
	Groups        []int    `json:"groups"`
	Capabilities  uint64   `json:"capabilities"`
	NoNewPrivs    bool     `json:"no_new_privs"`
	Seccomp       bool     `json:"seccomp"`
	Writes        []string `json:"writes"`
	Disks         []string `json:"disks"`
	Kernel        []string `json:"kernel"`
	Sockets       []string `json:"sockets"`
	UserNamespace bool     `json:"user_namespace"`
	Memory        string   `json:"memory"`
	Pids          string   `json:"pids"`
	CPU           string   `json:"cpu"`
	IPv6          []string `json:"ipv6"`
	Reached       []string `json:"reached"`
	Version       string   `json:"version"` // of the kernel, as it says itself
}

// twin is how far the trials came that would harm a replica.
type twin struct {
	Cores     float64 `json:"cores"`
	Processes int64   `json:"processes"`
	Disk      int64   `json:"disk"`
	Memory    int64   `json:"memory"`
	Killed    bool    `json:"killed"`
}

// grader collects checks of one place.
type grader struct {
	where  string
	checks []paas.IsolationCheck
}

// check adds one wall: good says what stands, bad what does not.
func (g *grader) check(name string, ok bool, good, bad string) {
	says := bad
	if ok {
		says = good
	}
	g.checks = append(g.checks, paas.IsolationCheck{Name: name, OK: ok, Says: says, Where: g.where})
}

func gradeInside(in inside, limits paas.Limits, tried targets, runtime string) []paas.IsolationCheck {
	g := &grader{where: "replica"}
	own := !slices.ContainsFunc(in.Groups, func(id int) bool { return id != in.GID })
	g.check("user", in.UID >= firstAppUID && in.GID >= firstAppUID && own,
		fmt.Sprintf("The code runs as user %d, in no other group than its own.", in.UID),
		fmt.Sprintf("The code runs as user %d, group %d, in the groups %s: it should have a number of its own from %d on.", in.UID, in.GID, joined(in.Groups), firstAppUID))
	g.check("capabilities", in.Capabilities == 0, "It has no capability, and can get none.", fmt.Sprintf("It has capabilities, or can get them: %#x.", in.Capabilities))
	g.check("no_new_privileges", in.NoNewPrivs, "No program that it starts gains rights.", "A program with the setuid bit gives it more rights: NoNewPrivs is off.")
	g.check("seccomp", in.Seccomp, "Its system calls go through a filter.", "Its system calls go through no filter: seccomp is off.")
	g.check("user_namespace", !in.UserNamespace, "It cannot make a user namespace.", "It can make a user namespace, and be root in it.")
	g.check("root_filesystem", len(in.Writes) == 0 && len(in.Disks) == 0, "It can write nowhere but in its temporary folders.",
		fmt.Sprintf("It can write where it should not: %s.", joined(append(in.Writes, in.Disks...))))
	g.check("kernel", len(in.Kernel) == 0, "The kernel's own files are closed to it.", fmt.Sprintf("It can open files of the kernel: %s.", joined(in.Kernel)))
	g.check("engine_socket", len(in.Sockets) == 0, "The container engine's socket is not there.", fmt.Sprintf("It sees the container engine's socket: %s.", joined(in.Sockets)))
	g.runtime(in.Version, runtime)
	g.limits(in, limits)
	g.network(in, tried)
	return g.checks
}

// ownKernel are the runtimes that put a kernel of their own between an app and
// the host's, by how their names begin.
var ownKernel = []string{"runsc", "kata"}

// runtime says whose kernel answers the app's system calls.
func (g *grader) runtime(version, runtime string) {
	host, _ := os.ReadFile("/proc/version") // unknown: as if it were another
	shared := version == strings.TrimSpace(string(host))
	apart := slices.ContainsFunc(ownKernel, func(name string) bool { return strings.HasPrefix(runtime, name) })
	good := fmt.Sprintf("Runtime %s: its system calls go to a kernel of their own, not to the host's.", runtime)
	if shared {
		good = fmt.Sprintf("Runtime %s: its system calls go to the host's kernel, as those of its neighbours do.", runtime)
	}
	g.check("runtime", !apart || !shared, good, fmt.Sprintf("It was given the runtime %s, and its system calls go to the host's kernel all the same.", runtime))
}

// firstAppUID is the lowest user id that an app may have.
const firstAppUID = 20000

// cpuPeriod is that of the kernel's CPU quota, µs.
const cpuPeriod = 100_000

// limits compares what the control group says with what the release asks for.
func (g *grader) limits(in inside, limits paas.Limits) {
	memory, err := strconv.ParseInt(in.Memory, 10, 64)
	g.check("memory_limit", err == nil && memory == limits.Memory, fmt.Sprintf("Its memory ends at %s.", config.Bytes(limits.Memory)),
		fmt.Sprintf("Its memory should end at %s, and the control group says %q.", config.Bytes(limits.Memory), in.Memory))
	g.check("process_limit", in.Pids == strconv.FormatInt(limits.Pids, 10), fmt.Sprintf("It can have %d processes and threads.", limits.Pids),
		fmt.Sprintf("It should have at most %d processes and threads, and the control group says %q.", limits.Pids, in.Pids))
	quota, _, _ := strings.Cut(in.CPU, " ")
	n, err := strconv.ParseFloat(quota, 64)
	g.check("cpu_limit", err == nil && math.Abs(n/cpuPeriod-limits.CPU) < 0.01, fmt.Sprintf("Its CPU ends at %g cores.", limits.CPU), fmt.Sprintf("Its CPU should end at %g cores, and the control group says %q.", limits.CPU, in.CPU))
}

// network says which of the addresses that were tried were reached. What could
// not be tried, for there was nobody, is not on the card.
func (g *grader) network(in inside, tried targets) {
	for _, c := range []struct {
		name, what string
		addresses  []string
	}{
		{"other_tenants", "replicas of other tenants", tried.tenants},
		{"neighbours", "other replicas of its tenant", tried.neighbours},
		{"host", "addresses of the host", tried.host},
		{"metadata", "addresses of cloud metadata", tried.metadata},
	} {
		if len(c.addresses) == 0 {
			continue
		}
		var open []string
		for _, a := range c.addresses {
			if slices.Contains(in.Reached, a) {
				open = append(open, a)
			}
		}
		g.check(c.name, len(open) == 0, fmt.Sprintf("None of %d %s was reached.", len(c.addresses), c.what),
			fmt.Sprintf("%d of %d %s were reached: %s.", len(open), len(c.addresses), c.what, joined(open)))
	}
	g.check("ipv6", len(in.IPv6) == 0, "It has no IPv6 address that would lead around the filter.", fmt.Sprintf("It has IPv6 addresses on %s, which no rule filters.", joined(in.IPv6)))
}

// cpuSlack is what a second of measuring may show beyond the limit: the kernel
// gives CPU out in slices of a tenth of a second.
const cpuSlack = 1.3

func gradeTwin(t twin, limits paas.Limits) []paas.IsolationCheck {
	g := &grader{where: "twin"}
	g.check("cpu_hog", t.Cores > 0 && t.Cores <= limits.CPU*cpuSlack, fmt.Sprintf("Four busy processes got %.2f cores together.", t.Cores),
		fmt.Sprintf("Four busy processes got %.2f cores together, and the limit is %g.", t.Cores, limits.CPU))
	g.check("fork_bomb", t.Processes > 0 && t.Processes < limits.Pids, fmt.Sprintf("A fork bomb ended at %d processes.", t.Processes),
		fmt.Sprintf("A fork bomb came to %d processes, and the limit is %d.", t.Processes, limits.Pids))
	g.check("disk_fill", t.Disk > 0 && t.Disk <= limits.Disk, fmt.Sprintf("Filling the disk ended at %s.", mebibytes(t.Disk)),
		fmt.Sprintf("Filling the disk came to %s, and the limit is %s.", mebibytes(t.Disk), mebibytes(limits.Disk)))
	g.check("memory_hog", t.Killed && t.Memory > 0 && t.Memory <= limits.Memory, fmt.Sprintf("A process that took memory without end was ended at %s.", mebibytes(t.Memory)),
		fmt.Sprintf("A process got %s of memory, and the limit is %s.", mebibytes(t.Memory), mebibytes(limits.Memory)))
	return g.checks
}

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }
