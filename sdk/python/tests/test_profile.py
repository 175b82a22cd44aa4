"""The sampling profiler, in each kind of worker."""

import json
import os
import re
import time
import unittest

from agent import Agent, environment, run
from test_servers import Server


def order(agent, seconds, hz=50):
    """Do what the platform does to have a replica sampled."""
    path = os.path.join(agent.dir, "profile.json")
    with open(path + ".new", "w") as file:
        json.dump({"until": time.time() + seconds, "hz": hz}, file)
    os.replace(path + ".new", path)


def stacks(records):
    """Return {stack: samples} and ms of the records of kind profile."""
    found, ms = {}, 0.0
    for record in records:
        extra = record["extra"]
        paths = []
        for parent, frame, *own in extra["nodes"]:
            paths.append((paths[parent] if parent >= 0 else ()) + (extra["frames"][frame],))
            if own:
                found[paths[-1]] = found.get(paths[-1], 0) + own[0]
                ms += own[1]
    return found, ms


class Profile(unittest.TestCase):
    def serve(self, *options, **env):
        agent = Agent()
        self.addCleanup(agent.close)
        server = Server(agent, *options, **env)
        self.addCleanup(lambda: server.process.poll() is None and server.stop())
        return agent, server

    def profiles(self, agent, route):
        return agent.wait(lambda rs: any(r["kind"] == "profile" and r.get("route") == route for r in rs))

    def check(self, *options, path="/slow/1.5", route="/slow/<float:seconds>", inner="wait_for_it ("):
        agent, server = self.serve(*options)
        order(agent, 3)
        for _ in range(2):
            self.assertEqual(server.get(path)[0], 200)
        records = [r for r in self.profiles(agent, route) if r["kind"] == "profile" and r.get("route") == route]
        found, ms = stacks(records)
        self.assertEqual(records[0]["method"], "GET")
        self.assertRegex(records[0]["msg"], r"^\d+ samples of GET %s: " % re.escape(route))
        mine = sum(n for stack, n in found.items() if any(name.startswith(inner) for name in stack))
        self.assertGreater(mine, 0.8 * sum(found.values()))
        for stack in found:
            self.assertTrue(stack[0].startswith("Flask.wsgi_app (flask/app.py:"), stack)
            self.assertFalse(any("kurama" in name for name in stack), stack)
        return records, ms

    def test_samples_of_a_sync_worker_are_of_their_route(self):
        records, ms = self.check("-k", "sync")
        self.assertTrue(500 < ms < 3500, ms)
        self.assertTrue(all(len(json.dumps(r["extra"])) < 64 << 10 for r in records))

    def test_a_threaded_worker_forked_from_a_preloaded_app_is_sampled(self):
        self.check("-k", "gthread", "--threads", "4", "--preload")

    def test_a_gevent_worker_shows_what_computes(self):
        # A greenlet that waits has no thread, so no sample: what is seen is the one that runs.
        self.check("-k", "gevent", path="/compute/1.5", route="/compute/<float:seconds>", inner="compute (")

    def test_a_slow_request_is_sampled_by_itself(self):
        agent, server = self.serve("-k", "sync", KURAMA_SLOW_MS="300")
        self.assertEqual(server.get("/hello/ann")[0], 200)
        self.assertEqual(server.get("/slow/8.0")[0], 200)
        found, _ = stacks(r for r in self.profiles(agent, "/slow/<float:seconds>") if r["kind"] == "profile")
        self.assertTrue(any("wait_for_it" in name for stack in found for name in stack))

    def test_nothing_is_sampled_unless_asked_for(self):
        agent, server = self.serve("-k", "sync")
        order(agent, -1)
        server.get("/slow/1.0")
        server.get("/hello/ann")
        agent.wait(lambda rs: any(r["msg"] == "hello ann" for r in rs))
        self.assertFalse(any(r["kind"] == "profile" for r in agent.records()))

    def test_bounds_hold_and_what_is_beyond_is_counted(self):
        agent = Agent()
        self.addCleanup(agent.close)
        run("""
from kurama import _folded, _state
class Request:
    environ = {"REQUEST_METHOD": "GET"}
    def rule(self): return "/r"
codes = [compile("pass", "/x/site-packages/lib/%s%d.py" % ("m" * 200, n), "exec") for n in range(_folded.MAX_STACKS + 7)]
stacks = _folded.Stacks()
for code in codes:
    stacks.add(Request(), [(code, 0)] * 3, 20.0)
stacks.add(Request(), [(codes[0], 0)] * 5000, 20.0)
stacks.send(_state.sender, 50, 5.0)
_state.sender.flush(10)
""", agent.path)
        records = agent.wait(lambda rs: sum(r["extra"]["samples"] + r["extra"]["dropped"] for r in rs) == 2008)
        self.assertEqual(sum(r["extra"]["dropped"] for r in records), 8)
        self.assertTrue(all(len(json.dumps(r["extra"])) < 60_000 for r in records))

    def test_sampling_a_busy_process_takes_at_most_two_percent_of_a_core(self):
        agent = Agent()
        self.addCleanup(agent.close)
        order(agent, 5)
        done = run(COST, agent.path)
        self.assertLess(float(done.stdout.split()[-1]), 0.02)

    def test_threads_change_sooner_before_a_sample_and_as_the_app_has_it_after(self):
        agent = Agent()
        self.addCleanup(agent.close)
        done = run(SWITCH, agent.path)
        self.assertEqual(done.stdout.split(), ["1", "0.005", "1", "0.002", "0", "0.0001"])


SWITCH = """
import os, sys, threading, time
from kurama import _profile, _state
watch = _profile.Watch(_state.sender, "/nowhere", 0)
def sample(meanwhile=None):
    thread = threading.Thread(target=watch._sample, args=(0, time.time() + 3, 50))
    thread.start()
    if meanwhile: sys.setswitchinterval(meanwhile)
    seen = set()
    while thread.is_alive():
        seen.add(round(sys.getswitchinterval(), 6))
        time.sleep(0.0002)
    os.write(1, b"%d %g " % (_profile.SWITCH in seen, sys.getswitchinterval()))
sample()
sample(0.002)    # the app's own wish
sys.setswitchinterval(0.0001)
sample()         # shorter than ours
"""

COST = """
import os, threading, time
from kurama import _profile
used, sample = [], _profile.Watch._sample
def _sample(self, me, until, hz):
    begun, cpu = time.monotonic(), time.thread_time()
    sample(self, me, until, hz)
    used.append((time.thread_time() - cpu) / (time.monotonic() - begun))
_profile.Watch._sample = _sample
from flask import Flask
app = Flask("busy")
def deep(n, end):
    if n: return deep(n - 1, end)
    while time.monotonic() < end: sum(range(100))
@app.get("/")
def index():
    deep(40, time.monotonic() + 6)
    return "done"
workers = [threading.Thread(target=lambda: app.test_client().get("/")) for _ in range(4)]
for worker in workers: worker.start()
for worker in workers: worker.join()
os.write(1, b"%f" % (used[0]))
"""


if __name__ == "__main__":
    unittest.main()
