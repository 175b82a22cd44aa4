"""Tries what would harm a replica, and tells as JSON how far it came."""
import json, os, signal, sys, time

ask = json.loads(sys.argv[1])


def burn(seconds):
    """Return the cores that four processes got together."""
    began, children = time.monotonic(), []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            while time.monotonic() - began < seconds:
                pass
            os._exit(0)
        children.append(child)
    used = 0.0
    for child in children:
        usage = os.wait4(child, 0)[2]
        used += usage.ru_utime + usage.ru_stime
    return used / (time.monotonic() - began)


def bomb(limit):
    """Return how many processes could be started."""
    children = []
    try:
        while len(children) < limit:
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
    except OSError:
        pass
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)
    return len(children)


def fill(folder, limit):
    """Return how many bytes could be written."""
    name, written, block = os.path.join(folder, "fill"), 0, b"x" * (1 << 20)
    try:
        with open(name, "wb", buffering=0) as f:
            while written < limit:
                written += f.write(block)
    except OSError:
        pass
    os.unlink(name)
    return written


def hog(limit):
    """Return how much memory a process got, and whether it was killed."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        kept = []
        while len(kept) << 20 < limit:
            kept.append(b"x" * (1 << 20))
            os.write(into, b"x")
        os._exit(0)
    os.close(into)
    got = 0
    while piece := os.read(out, 1 << 16):
        got += len(piece)
    state = os.waitpid(child, 0)[1]
    return got << 20, os.WIFSIGNALED(state)


cores = burn(1.0)
processes = bomb(ask["pids"] + 64)
disk = fill("/tmp", ask["disk"] * 2 + (16 << 20))
memory, killed = hog(ask["memory"] * 2)
print(json.dumps({"cores": cores, "processes": processes, "disk": disk, "memory": memory, "killed": killed}))
