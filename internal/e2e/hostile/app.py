"""An app that tries what an app must not be able to do, and tells how far it came."""
import ctypes
import errno
import http.client
import json
import os
import signal
import socket
import stat
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask, request

app = Flask(__name__)
libc = ctypes.CDLL(None, use_errno=True)


def refused(number, *args):
    """Return the name of the error of a system call; None where it went through."""
    ctypes.set_errno(0)
    done = libc.syscall(ctypes.c_long(number), *args)
    return None if done >= 0 else errno.errorcode[ctypes.get_errno()]


def attempt(what):
    try:
        what()
        return None
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))


@app.get("/")
def home():
    return "here"


@app.get("/fork")
def fork():
    children, failed = [], None
    try:
        while len(children) < 5000:
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
    except OSError as e:
        failed = errno.errorcode[e.errno]
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)
    return {"processes": len(children), "failed": failed}


@app.get("/memory")
def memory():
    child = os.fork()
    if child == 0:
        with open("/proc/self/oom_score_adj", "w") as f:
            f.write("1000")
        kept = []
        while len(kept) < 4096:
            kept.append(b"x" * (1 << 20))
        os._exit(0)
    state = os.waitpid(child, 0)[1]
    return {"killed": os.WIFSIGNALED(state)}


@app.get("/fill")
def fill():
    found = {}
    for folder in ("/tmp", "/app/instance", "/app/kept"):
        name, written, failed = os.path.join(folder, "fill"), 0, None
        try:
            with open(name, "wb", buffering=0) as f:
                while written < 1 << 30:
                    written += f.write(b"x" * (1 << 20))
        except OSError as e:
            failed = errno.errorcode[e.errno]
        if os.path.exists(name):
            os.unlink(name)
        found[folder] = [written >> 20, failed]
    return found


@app.get("/files")
def files():
    kept, failed = [], None
    try:
        while len(kept) < 100_000:
            kept.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as e:
        failed = errno.errorcode[e.errno]
    for fd in kept:
        os.close(fd)
    return {"open": len(kept), "failed": failed}


def burn_for(seconds, work):
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                work()
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


@app.get("/burn")
def burn():
    burn_for(float(request.args["seconds"]), lambda: sum(range(1000)))
    return {}


@app.get("/flood")
def flood():
    line = b"flood " + b"x" * 200 + b"\n"
    with open("/proc/1/fd/1", "wb", buffering=0) as out:
        burn_for(float(request.args["seconds"]), lambda: out.write(line))
    return {}


@app.get("/reach")
def reach():
    found = []

    def connect(address):
        host, port = address.rsplit(":", 1)
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            found.append(address)
        except OSError:
            pass

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(connect, request.args.getlist("to")))
    return {"reached": found}


@app.get("/ask")
def ask():
    """Ask the router on this tenant's bridge, in the name of any host."""
    connection = http.client.HTTPConnection("hostile.internal", int(os.environ["KURAMA_INTERNAL_PORT"]), timeout=5)
    connection.request("GET", "/", headers={"Host": request.args["host"], "X-Forwarded-For": "127.0.0.1", "X-Kurama-Caller": "neighbour"})
    return {"status": connection.getresponse().status}


@app.get("/search")
def search():
    """Look for a text in every file that can be read, other processes' settings too."""
    wanted, found, looked = request.args["text"].encode(), [], 0
    for top, folders, names in os.walk("/"):
        folders[:] = [f for f in folders if os.path.join(top, f) not in ("/sys", "/usr/lib/python3", "/usr/share")]
        for name in names:
            path = os.path.join(top, name)
            try:
                if not stat.S_ISREG(os.lstat(path).st_mode) or os.lstat(path).st_size > 1 << 20:
                    continue
                if path.startswith("/proc/") and name not in ("environ", "cmdline"):
                    continue
                with open(path, "rb") as f:
                    looked += 1
                    if wanted in f.read(1 << 20):
                        found.append(path)
            except OSError:
                pass
    return {"found": found, "looked": looked, "processes": [p for p in os.listdir("/proc") if p.isdigit()]}


@app.get("/calls")
def calls():
    """System calls by their numbers on x86-64."""
    host = int(request.args["pid"])
    buffer = ctypes.create_string_buffer(128)
    memory = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    return {
        "mount": refused(165, b"none", b"/tmp", b"tmpfs", 0, 0),
        "umount": refused(166, b"/tmp", 0),
        "pivot_root": refused(155, b"/tmp", b"/tmp"),
        "unshare users": refused(272, 0x10000000),
        "unshare mounts": refused(272, 0x00020000),
        "setns": refused(308, os.open("/proc/self/ns/net", os.O_RDONLY), 0),
        "ptrace": refused(101, 16, host, 0, 0),
        "kill": refused(62, host, 9),
        "process_vm_readv": refused(310, host, memory, 1, memory, 1, 0),
        "keyctl": refused(250, 0, -3, 0),
        "add_key": refused(248, b"user", b"x", b"x", 1, -3),
        "bpf": refused(321, 0, buffer, 72),
        "perf_event_open": refused(298, buffer, 0, -1, -1, 0),
        "userfaultfd": refused(323, 0),
        "io_uring_setup": refused(425, 8, buffer),
        "kexec_load": refused(246, 0, 0, 0, 0),
        "init_module": refused(175, buffer, 1, b""),
        "open_by_handle_at": refused(304, -100, buffer, 0),
        "reboot": refused(169, 0xFEE1DEAD, 672274793, 0x89ABCDEF, 0),
        "settimeofday": refused(164, buffer, 0),
        "sethostname": refused(170, b"x", 1),
        "swapon": refused(167, b"/tmp/x", 0),
        "setuid": refused(105, 0),
        "setgroups": refused(116, 1, buffer),
        "chroot": refused(161, b"/tmp"),
        "mknod": refused(133, b"/tmp/sda", 0o60600, 0x800),
        "raw socket": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)),
        "packet socket": attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)),
        "vsock": attempt(lambda: socket.socket(40, socket.SOCK_STREAM).connect((2, 22))),
        "port 80": attempt(lambda: socket.socket().bind(("127.0.0.1", 80)) if open("/proc/sys/net/ipv4/ip_unprivileged_port_start").read() != "0\n" else os.open("/none", 0)),
    }


@app.get("/writes")
def writes():
    def program():
        with open("/tmp/program", "wb") as f:
            f.write(open("/bin/true", "rb").read())
        os.chmod("/tmp/program", 0o4755)
        os.execv("/tmp/program", ["/tmp/program"])

    def folder(name):
        return lambda: os.close(os.open(os.path.join(name, "hostile"), os.O_CREAT | os.O_WRONLY))

    def file(name):
        return lambda: os.close(os.open(name, os.O_WRONLY))

    def content(name):
        return lambda: open(name, "rb").read(1) or os.open("/none", 0)

    tried = {name: folder(name) for name in ("/", "/etc", "/usr/bin", "/app", "/opt/deps", "/run", "/run/kurama", "/proc", "/sys", "/dev", "/sys/fs/cgroup")}
    tried |= {name: file(name) for name in ("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/proc/sys/net/ipv4/ip_forward",
                                            "/sys/kernel/uevent_helper", "/proc/self/exe", "/etc/hosts", "/etc/resolv.conf", "/proc/1/oom_score")}
    tried |= {name: content(name) for name in ("/proc/kcore", "/dev/mem", "/dev/kmsg", "/proc/kmsg", "/proc/timer_list", "/proc/sched_debug", "/proc/keys", "/etc/shadow",
                                               "/var/run/docker.sock", "/run/containerd/containerd.sock", "/sys/firmware/acpi")}
    tried["a program of its own with the setuid bit"] = program
    tried["the socket of the log"] = lambda: os.unlink("/run/kurama/log.sock")
    return {name: attempt(what) for name, what in tried.items()}


@app.get("/forge")
def forge():
    line = {"tenant": request.args["tenant"], "app": request.args["app"], "replica": "x", "release": 99, "msg": "forged", "status": 200, "dur": 1}
    text = "".join(json.dumps(line | more) + "\n" for more in (
        {"kind": "request", "url": "/forged"}, {"kind": "log"}, {"kind": "sample", "cpu": 99}, {"kind": "event", "extra": {"event": "crashed"}},
        {"kind": "event", "extra": {"EVENT": "deployed"}}, {"kind": "log", "tenant": request.args["tenant"] + "\u0000", "Tenant": request.args["tenant"]}))
    agent = socket.socket(socket.AF_UNIX)
    agent.settimeout(10)
    agent.connect("/run/kurama/log.sock")
    agent.sendall(text.encode())
    said = b""
    while b"ack 6\n" not in said:
        said += agent.recv(100)
    return {}
