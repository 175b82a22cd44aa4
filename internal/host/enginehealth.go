package host

import (
	"slices"
	"strings"
)

// Least versions: of the engine, for what Kurama asks of it; of runc, because a
// process in a container can take the host over in older ones (CVE-2024-21626).
const (
	leastEngine = "20.10"
	leastRunc   = "1.1.12"
)

func (d *doctor) engine() {
	e := d.m.Engine
	d.check("version of the engine", true, older(e.ServerVersion, leastEngine), "Docker %s is too old: %s or newer is needed. Update it.", e.ServerVersion, leastEngine)
	// A distribution mends an old version and says so behind its number.
	mended := strings.ContainsAny(d.m.Runc, "+~")
	d.check("version of runc", true, d.m.Runc != "" && !mended && older(d.m.Runc, leastRunc), "runc %s has CVE-2024-21626, by which an app takes the host over. Update it to %s or newer.", d.m.Runc, leastRunc)
	d.check("bound of memory", true, !e.MemoryLimit, "The engine cannot bound memory: one app could take all of it. Start the kernel with cgroup_enable=memory.")
	d.check("bound of swap", false, !e.SwapLimit, "The engine cannot bound swap, so that an app that is out of memory goes on on the disk. Start the kernel with swapaccount=1, or turn swap off.")
	d.check("bound of processes", true, !e.PidsLimit, "The engine cannot bound processes: a fork bomb would hit the whole machine. A kernel with CONFIG_CGROUP_PIDS is needed.")
	d.check("bound of CPU", true, !e.CPUCfsQuota, "The engine cannot bound CPU. A kernel with CONFIG_CFS_BANDWIDTH is needed.")
	d.check("storage", false, slices.Contains([]string{"vfs", "devicemapper", "aufs"}, e.Driver), "The engine's storage driver %s is slow or gone from newer ones. Use overlay2.", e.Driver)
}

func (d *doctor) walls() {
	e := d.m.Engine
	has := func(name string) bool {
		return slices.ContainsFunc(e.SecurityOptions, func(o string) bool { return slices.Contains(strings.Split(o, ","), "name="+name) })
	}
	open := slices.ContainsFunc(e.SecurityOptions, func(o string) bool {
		return strings.HasPrefix(o, "name=seccomp") && strings.Contains(o, "profile=unconfined")
	})
	d.check("seccomp", true, !has("seccomp") || open, "The engine filters no system calls. A kernel with CONFIG_SECCOMP_FILTER is needed, and no `seccomp-profile: unconfined` in /etc/docker/daemon.json.")
	d.check("AppArmor", false, d.read("sys/module/apparmor/parameters/enabled") == "Y" && !has("apparmor"), "The kernel has AppArmor and the engine does not use it. Install the package apparmor and restart the engine.")
}
