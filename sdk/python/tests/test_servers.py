import http.client
import os
import signal
import subprocess
import sys
import time
import unittest
from urllib.parse import unquote

from agent import Agent, environment

TESTS = os.path.dirname(os.path.abspath(__file__))


class Server:
    """gunicorn with the app, on a port of its own."""

    def __init__(self, agent, *options, **env):
        self.agent = agent
        code = "import kurama._boot, sys\nfrom gunicorn.app.wsgiapp import run\nsys.argv[0] = 'gunicorn'\nrun()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "-b", "127.0.0.1:0", *options, "app:app"], cwd=TESTS,
            env=environment(agent.path, **env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            records = agent.wait(lambda rs: any("Listening at" in r["msg"] for r in rs)
                                 and any("Booting worker" in r["msg"] for r in rs))
            line = next(r["msg"] for r in records if "Listening at" in r["msg"])
            self.port = int(line.split(":")[-1].split()[0])
        except BaseException:
            self.stop()
            raise

    def get(self, path, **more):
        """Return status, headers and body."""
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        conn.request("GET", path, headers={"X-Request-ID": "req" + path, **more})
        answer = conn.getresponse()
        body = answer.read().decode()
        conn.close()
        return answer.status, answer.headers, body

    def stop(self):
        """Stop gunicorn and return what it wrote by itself."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=20)[0].decode()


class Servers(unittest.TestCase):
    def serve(self, *options):
        agent = Agent()
        self.addCleanup(agent.close)
        server = Server(agent, *options)
        self.addCleanup(lambda: server.process.poll() is None and server.stop())
        return agent, server

    def of(self, agent, path, count):
        records = agent.wait(lambda rs: sum(r.get("req") == "req" + path for r in rs) >= count)
        return [r for r in records if r.get("req") == "req" + path]

    def check(self, *options):
        agent, server = self.serve(*options)
        asked = time.time_ns()
        status, headers, body = server.get("/hello/ann?x=1")
        taken, cpu, db, route = headers["X-Kurama-Request"].split(" ", 3)
        self.assertEqual((status, body, route, db), (200, "hello ann", "/hello/<name>", "0"))
        self.assertTrue(asked <= int(taken) <= time.time_ns())
        for record in self.of(agent, "/hello/ann?x=1", 2):
            self.assertEqual((record["method"], record["url"], record["route"], record["status"]), ("GET", "/hello/ann?x=1", "/hello/<name>", 200))
            self.assertGreater(record["dur"], 0)
            self.assertEqual(record["extra"]["name"], "ann")

        status, headers, _ = server.get("/broken")
        self.assertEqual(status, 500)
        exc = unquote(headers["X-Kurama-Exc"])
        self.assertTrue(exc.startswith("Traceback") and exc.endswith("RuntimeError: on purpose\nin two lines"), exc)
        failed = self.of(agent, "/broken", 1)
        self.assertEqual([(r["level"], r["status"], r["exc"]) for r in failed], [("ERROR", 500, exc)])

        self.assertEqual(server.get("/stream")[2], "012")
        self.assertEqual([r["msg"] for r in self.of(agent, "/stream", 3)], ["part 0", "part 1", "part 2"])
        self.assertEqual(server.get("/thread")[0], 200)
        status, headers, _ = server.get("/nowhere")
        self.assertEqual((status, len(headers["X-Kurama-Request"].split())), (404, 3))   # no route
        self.assertEqual(server.get("/links")[2], "/hello/ann /hello/ann")
        mounted = {"X-Forwarded-Prefix": "/shop/v2"}
        self.assertEqual(server.get("/links", **mounted)[2], "/shop/v2/hello/ann /hello/ann")
        self.assertAlmostEqual(int(server.get("/burn")[1]["X-Kurama-Request"].split()[1]) / 1e6, 30, delta=15)
        _, cpu, db, _ = server.get("/orders")[1]["X-Kurama-Request"].split(" ", 3)
        self.assertGreater(int(db), 1_000_000)   # ns: it sorts 20 000 rows

        self.assertEqual(server.stop(), "")
        records = agent.wait(lambda rs: any("Shutting down" in r["msg"] for r in rs))
        ids = [r["id"] for r in records]
        self.assertEqual(len(ids), len(set(ids)))
        for record in records:
            if record["extra"].get("logger") == "gunicorn.error":
                self.assertNotIn("req", record)
        for text in ("Starting gunicorn", "Worker exiting", "from a thread"):
            self.assertEqual(sum(text in r["msg"] for r in records), 1, text)

    def test_sync_worker(self):
        self.check("-k", "sync")

    def test_gthread_worker_with_preload(self):
        self.check("-k", "gthread", "--threads", "4", "--preload")

    def test_gevent_worker(self):
        self.check("-k", "gevent")

    def test_a_worker_that_is_killed_is_reported_by_the_master(self):
        agent, server = self.serve("-k", "sync")
        boot = next(r for r in agent.records() if "Booting worker" in r["msg"])
        os.kill(int(boot["msg"].split("pid: ")[1].split()[0].rstrip(")")), signal.SIGKILL)
        agent.wait(lambda rs: sum("Booting worker" in r["msg"] for r in rs) == 2)
        self.assertEqual(server.get("/hello/bob")[0], 200)
        self.of(agent, "/hello/bob", 2)

    def test_an_app_that_cannot_start_says_why(self):
        agent = Agent()
        self.addCleanup(agent.close)
        code = "import kurama._boot, sys\nfrom gunicorn.app.wsgiapp import run\nsys.argv[0] = 'gunicorn'\nrun()"
        done = subprocess.run([sys.executable, "-c", code, "-b", "127.0.0.1:0", "nothere:app"], cwd=TESTS,
                              env=environment(agent.path), capture_output=True, timeout=30)
        self.assertNotEqual(done.returncode, 0)
        # On the container's output: there the platform looks for the reason.
        self.assertIn("ModuleNotFoundError: No module named 'nothere'", done.stderr.decode())
        self.assertTrue(any("Starting gunicorn" in r["msg"] for r in agent.records()))


if __name__ == "__main__":
    unittest.main()
