"""Tells as JSON what the process it runs in may do. It harms nothing: a file
that could be made is removed again."""
import ctypes, json, os, socket, sys, threading

ask = json.loads(sys.argv[1])


def read(*names):
    for name in names:
        try:
            with open(name) as f:
                return f.read().strip()
        except OSError:
            pass
    return None


def makes(folder):
    name = os.path.join(folder, ".kurama-isolation")
    try:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.unlink(name)
        return True
    except OSError:
        return False


def opens(name, flags):
    try:
        fd = os.open(name, flags)
    except OSError:
        return False
    try:
        return flags != os.O_RDONLY or len(os.read(fd, 1)) > 0
    except OSError:
        return False
    finally:
        os.close(fd)


def reach(address, found):
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        found.append(address)
    except OSError:
        pass


def reached(addresses):
    found = []
    threads = [threading.Thread(target=reach, args=(a, found)) for a in addresses]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sorted(found)


def user_namespace():
    child = os.fork()
    if child == 0:
        os._exit(0 if ctypes.CDLL(None).unshare(0x10000000) == 0 else 1)
    return os.waitpid(child, 0)[1] == 0


def writable_disks():
    found = []
    for line in open("/proc/self/mountinfo"):
        left, right = line.split(" - ")
        kind = right.split()[0]
        where, options = left.split()[4:6]
        if "rw" in options.split(",") and kind not in ("tmpfs", "proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2"):
            found.append(where)
    return found


status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().split("\n") if ":\t" in line)
quota = read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu.max")
print(json.dumps({
    "uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(),
    "capabilities": int(status["CapEff"], 16) | int(status["CapPrm"], 16) | int(status["CapBnd"], 16),
    "no_new_privs": status.get("NoNewPrivs", "").strip() == "1",
    "seccomp": status.get("Seccomp", "").strip() == "2",
    "writes": [d for d in ("/", "/etc", "/usr", "/var", "/app", "/opt/deps", "/run", "/run/kurama", "/sys", "/proc") if makes(d)],
    "disks": writable_disks(),
    "kernel": [n for n in ("/proc/kcore", "/dev/mem", "/dev/kmsg", "/proc/sched_debug", "/proc/timer_list") if opens(n, os.O_RDONLY)]
              + [n for n in ("/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches") if opens(n, os.O_WRONLY)],
    "sockets": [n for n in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock") if os.path.exists(n)],
    "user_namespace": user_namespace(),
    "memory": read("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"),
    "pids": read("/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/pids.max"),
    "cpu": quota,
    "ipv6": [line.split()[5] for line in (read("/proc/net/if_inet6") or "").split("\n") if line and line.split()[5] != "lo"],
    "version": read("/proc/version") or "",
    "reached": reached(ask["addresses"]),
}))
