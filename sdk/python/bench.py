"""What Kurama's library costs in process: a request without log lines, a log line, and the sampling profiler.

Runs plain Flask and StreamHandler logging, and the same under the library with an agent in
a process of its own, in turns; prints medians in microseconds as JSON. cpu_us is all of the process, with the sender's thread.
What sampling costs is the CPU time of requests that compute for a millisecond, from four threads, while they are sampled and
while they are not, in many short turns in one process; how much of their time the samples stand for is told beside it.
    python3 bench.py [--rounds 5] [--requests 20000] [--lines 10000]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

AGENT = """
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1]); server.listen()
print("ready", flush=True)
while True:
    sock, _ = server.accept()
    count = 0
    while True:
        try:
            data = sock.recv(1 << 20)
            if not data: break
            count += data.count(b"\\n")
            sock.sendall(b"ack %d\\n" % count)
        except OSError:
            break
"""

WORK = """
import sys
if sys.argv[1] != "plain":
    import kurama._boot
import json, logging, os, threading, time
from flask import Flask
requests, lines = int(sys.argv[2]), int(sys.argv[3])
app = Flask("bench")

@app.get("/user/<name>")
def user(name):
    return "hello"

environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/user/ann", "RAW_URI": "/user/ann", "QUERY_STRING": "", "SERVER_NAME": "localhost",
    "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.input": None, "wsgi.errors": sys.stderr,
    "HTTP_HOST": "localhost", "HTTP_X_REQUEST_ID": "0192f0c5-2a6b-7c3d-8e4f-5a6b7c8d9e0f", "HTTP_X_KURAMA_START": "1763632800000000"}

def start_response(status, headers, exc_info=None):
    pass

def request():
    body = app.wsgi_app(dict(environ), start_response)
    for _ in body: pass
    body.close()

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
log = logging.getLogger("bench")

def line():
    log.info("order %d paid by %s in %.1f ms", 4711, "ann@example.com", 12.5)

def measure(work, count):
    for _ in range(count // 10): work()
    time.sleep(0.1)
    cpu, batches = time.process_time(), []
    for _ in range(count // 250):
        begun = time.perf_counter()
        for _ in range(250): work()
        batches.append((time.perf_counter() - begun) / 250 * 1e6)
    if "kurama._state" in sys.modules:
        sys.modules["kurama._state"].sender.flush(5)
    # The median of batches: a neighbour on the machine spoils some, not all.
    return {"us": sorted(batches)[len(batches) // 2], "cpu_us": (time.process_time() - cpu) / count * 1e6}

@app.get("/compute")
def compute():
    return str(sum(i * i for i in range(12_000)))

def crowd(seconds):
    # Four threads ask for /compute, again 3 ms after each answer: the CPU time of a request and the time in requests, in seconds.
    counts, spent, asked, end = [0] * 4, [0.0] * 4, dict(environ, PATH_INFO="/compute", RAW_URI="/compute"), time.monotonic() + seconds
    def ask(n):
        while (begun := time.monotonic()) < end:
            body = app.wsgi_app(dict(asked), start_response)
            for _ in body: pass
            body.close()
            counts[n] += 1
            spent[n] += time.monotonic() - begun
            time.sleep(0.003)
    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    cpu = time.process_time()
    for t in threads: t.start()
    for t in threads: t.join()
    return (time.process_time() - cpu) / sum(counts), sum(spent)

def sampling(rounds=5, seconds=1.0):
    from kurama import _folded
    seen, add = [0.0], _folded.Stacks.add
    def adding(self, request, stack, ms):
        seen[0] += ms / 1000
        add(self, request, stack, ms)
    _folded.Stacks.add = adding
    order = os.path.join(os.path.dirname(os.environ["KURAMA_SOCKET"]), "profile.json")
    crowd(0.3)
    costs, spent = [], 0.0
    for _ in range(rounds):
        before, _ = crowd(seconds)
        with open(order + ".new", "w") as file:
            json.dump({"until": time.time() + seconds + 1.2, "hz": 50}, file)
        os.replace(order + ".new", order)
        time.sleep(0.7)                       # until the order was seen
        during, within = crowd(seconds)
        time.sleep(0.8)                       # until it is over
        spent += within
        after, _ = crowd(seconds)
        costs.append(2 * during / (before + after) - 1)
    return {"percent": 100 * sorted(costs)[rounds // 2], "met": seen[0] / spent}

if sys.argv[1] == "sampling":
    out = sampling()
else:
    out = {"request": measure(request, requests), "line": measure(line, lines)}
if sys.argv[1] == "kurama":
    out["dropped"] = kurama._state.sender.dropped
os.write(3, json.dumps(out).encode())
"""


def run(kind, args, agent):
    """Return the figures of one process."""
    env = dict(os.environ, PYTHONPATH=HERE)
    env.pop("KURAMA_SOCKET", None)
    if kind != "plain":
        env.update(KURAMA_SOCKET=agent, KURAMA_OUTPUT="*")
    read, write = os.pipe()
    with open(os.path.join(os.path.dirname(agent), "stderr"), "w") as stderr:
        subprocess.run([sys.executable, "-c", "import os; os.dup2(%d, 3)\n%s" % (write, WORK), kind, str(args.requests), str(args.lines)],
                       env=env, stdout=subprocess.DEVNULL, stderr=stderr, pass_fds=[write], check=True)
    os.close(write)
    with os.fdopen(read) as figures:
        return json.load(figures)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--lines", type=int, default=10_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kb") as folder:
        path = os.path.join(folder, "log.sock")
        agent = subprocess.Popen([sys.executable, "-c", AGENT, path], stdout=subprocess.PIPE)
        try:
            agent.stdout.readline()
            rounds = [(run("plain", args, path), run("kurama", args, path)) for _ in range(args.rounds)]
            sampling = run("sampling", args, path)
        finally:
            agent.kill()
            agent.wait()

    def median(which, work, figure):
        return round(statistics.median(r[which][work][figure] for r in rounds), 2)

    def added(work, figure):
        return round(statistics.median(r[1][work][figure] - r[0][work][figure] for r in rounds), 2)

    print(json.dumps({
        "python": sys.version.split()[0], "rounds": args.rounds,
        "request_plain_us": median(0, "request", "us"), "request_kurama_us": median(1, "request", "us"),
        "request_added_us": added("request", "us"),
        "request_added_percent": round(100 * added("request", "us") / median(0, "request", "us"), 1),
        "request_added_cpu_us": added("request", "cpu_us"),
        "line_streamhandler_us": median(0, "line", "us"), "line_kurama_us": median(1, "line", "us"),
        "line_streamhandler_cpu_us": median(0, "line", "cpu_us"), "line_kurama_cpu_us": median(1, "line", "cpu_us"),
        "sampling_cpu_percent": round(sampling["percent"], 2), "sampling_time_met": round(sampling["met"], 3),
        "dropped": sum(r[1]["dropped"] for r in rounds),
    }, indent=2))


if __name__ == "__main__":
    main()
