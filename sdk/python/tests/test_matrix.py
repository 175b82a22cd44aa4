"""Every kind of gunicorn worker, with the agent going away under load: no line
is lost, none has two ids, and no request waits for the platform."""

import itertools
import json
import threading
import time
import unittest

from agent import Agent
from test_servers import Server

CLIENTS = 4
EACH = 40       # requests of a client
PATIENCE = 8    # s that the slowest request may take on a busy machine; a wait for the agent has no end


class Matrix(unittest.TestCase):
    def test_each_kind_of_worker_keeps_every_line_while_the_agent_is_away(self):
        for kind, preload in itertools.product(("sync", "gthread", "gevent"), (False, True)):
            with self.subTest(kind=kind, preload=preload):
                self.check(["-k", kind, "-w", "2"] + (["--threads", "4"] if kind == "gthread" else []) + (["--preload"] if preload else []))

    def check(self, options):
        agent = Agent()
        self.addCleanup(agent.close)
        server = Server(agent, *options)
        self.addCleanup(lambda: server.process.poll() is None and server.stop())
        slowest, failed = [0.0], []

        def ask(client):
            for i in range(EACH):
                before = time.monotonic()
                status = server.get("/every/%d-%d" % (client, i))[0]
                slowest[0] = max(slowest[0], time.monotonic() - before)
                if status != 200:
                    failed.append(status)

        clients = [threading.Thread(target=ask, args=(client,)) for client in range(CLIENTS)]
        for thread in clients:
            thread.start()
        agent.wait(lambda rs: sum(r["msg"].startswith("logged") for r in rs) > CLIENTS)
        agent.cut()
        while sum(thread.is_alive() for thread in clients) > CLIENTS // 2:
            time.sleep(0.01)
        agent.listen()
        for thread in clients:
            thread.join()
        spilled = server.stop()
        want = {"%s %d-%d" % (way, client, i) for way in ("logged", "printed", "threaded", "forked")
                for client in range(CLIENTS) for i in range(EACH)}
        # A child that ends while there is no agent leaves its lines on the container's own output.
        lines = spilled.split("\n")
        again = [json.loads(line[1:]) for line in lines if line.startswith("\x1e")]   # sent, and not acknowledged
        missing = want.difference([line.split(" ", 2)[-1] for line in lines], [record["msg"] for record in again])
        deadline = time.monotonic() + 20
        while missing and time.monotonic() < deadline:
            time.sleep(0.05)
            missing = missing.difference(r["msg"] for r in agent.records())
        self.assertEqual(sorted(missing), [])
        records = agent.records() + again
        ids = {}
        for record in records:  # one that was not acknowledged comes again, with the id that it had
            if record["msg"] in want:
                ids.setdefault(record["msg"], set()).add(record["id"])
        self.assertEqual([msg for msg, all_ids in ids.items() if len(all_ids) > 1], [])
        self.assertEqual(failed, [])
        self.assertLess(slowest[0], PATIENCE)


if __name__ == "__main__":
    unittest.main()
