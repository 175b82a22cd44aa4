import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import venv

from kurama import _record
from kurama._record import capture
from kurama._sender import Sender

from agent import HERE, Agent, environment, run


class Buffer(unittest.TestCase):
    def setUp(self):
        self.agent = Agent(listen=False)
        self.addCleanup(self.agent.close)

    def test_what_is_not_acknowledged_comes_again_with_its_ids(self):
        self.agent.acking = False
        self.agent.listen()
        sender = Sender(self.agent.path)
        for i in range(100):
            sender.put(capture("log", "INFO", "line %d" % i))
        first = self.agent.wait(lambda records: len(records) == 100)
        self.agent.cut()
        sender.put(capture("log", "INFO", "line 100"))
        self.agent.acking = True
        self.agent.listen()
        self.assertTrue(sender.flush(5))
        again = self.agent.connections[-1]
        self.assertIn(again[0], ("!resend 100", "!resend 101"))
        self.assertEqual([json.loads(line)["id"] for line in again[1:101]], [r["id"] for r in first[:100]])
        self.assertEqual([json.loads(line)["msg"] for line in again[1:]], ["line %d" % i for i in range(101)])
        self.assertFalse(sender.busy())

    def test_a_record_on_its_way_is_waited_for(self):
        self.agent.listen()
        sender = Sender(self.agent.path)
        busy, held, line = [], [capture("log", "INFO", "held")], _record.line

        def slow(record):
            busy.append(sender.busy())   # what a process that ends asks
            return line(record)

        def settle(force):
            if held:
                record = held.pop()
                busy.append(sender.busy())
                sender.put(record)

        self.addCleanup(setattr, _record, "line", line)
        _record.line = slow
        sender.put(capture("log", "INFO", "one"))
        self.assertTrue(sender.flush(5))
        sender.before_drain = settle
        sender.ring()
        records = self.agent.wait(lambda rs: len(rs) == 2)
        self.assertEqual(({r["msg"] for r in records}, busy), ({"one", "held"}, [True] * 3))

    def test_a_thread_that_leaves_for_a_fork_that_is_over_is_replaced(self):
        self.agent.listen()
        sender = Sender(self.agent.path)
        sender.queue.append(capture("log", "INFO", "late"))
        sender.running = sender.awake = sender.forking = True
        busy = sender.busy

        def over():   # the fork ends when the thread has left its loop
            sender.forking = False
            return busy()

        sender.busy = over
        sender._run()
        self.agent.wait(lambda rs: [r["msg"] for r in rs] == ["late"])

    def test_acknowledged_lines_do_not_come_again(self):
        self.agent.listen()
        sender = Sender(self.agent.path)
        sender.put(capture("log", "INFO", "one"))
        self.assertTrue(sender.flush(5))
        self.agent.cut()
        self.agent.listen()
        sender.put(capture("log", "INFO", "two"))
        self.assertTrue(sender.flush(5))
        self.assertEqual([r["msg"] for r in self.agent.records()].count("one"), 1)
        self.assertEqual(sender.taken, sender.freed)

    def test_a_full_buffer_drops_the_newest_and_tells_the_count(self):
        sender = Sender(self.agent.path, max_lines=50)
        taken = [sender.put(capture("log", "INFO", str(i))) for i in range(80)]
        self.assertEqual((taken.count(True), taken.count(False)), (50, 30))
        self.agent.listen()
        self.assertTrue(sender.flush(5))
        records = self.agent.records()
        self.assertEqual([r["msg"] for r in records if r["kind"] == "log"], [str(i) for i in range(50)])
        told = [r for r in records if r["kind"] == "event"]
        self.assertEqual([r["extra"] for r in told], [{"event": "dropped", "count": 30}])

    def test_the_buffer_is_bounded_in_bytes_too(self):
        sender = Sender(self.agent.path, max_bytes=10_000)
        taken = [sender.put(capture("log", "INFO", "x" * 1000)) for _ in range(20)]
        self.assertEqual(taken.count(True), 9)

    def test_the_caller_never_waits_for_an_agent_that_hangs(self):
        self.agent.acking = False
        self.agent.listen()
        sender = Sender(self.agent.path)
        before = time.monotonic()
        for i in range(30_000):
            sender.put(capture("log", "INFO", "line"))
        self.assertLess(time.monotonic() - before, 3)
        self.assertGreater(sender.dropped, 9_000)


class Process(unittest.TestCase):
    def setUp(self):
        self.agent = Agent()
        self.addCleanup(self.agent.close)

    def messages(self):
        return [r["msg"] for r in sorted(self.agent.records(), key=lambda r: r["ts"])]

    def test_the_last_words_of_a_process_arrive(self):
        run("print('first')\nimport atexit, traceback\natexit.register(print, 'last')\n"
            "try: 1/0\nexcept ZeroDivisionError: traceback.print_exc()", self.agent.path)
        self.assertEqual(self.messages(), ["first", "ZeroDivisionError: division by zero", "last"])
        self.assertEqual(self.agent.connections[0][-1], "!bye")

    def test_what_ends_a_process_is_on_its_stderr(self):
        done = run("print('serving')\n1/0", self.agent.path, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.startswith("Traceback (most recent") and done.stderr.endswith("ZeroDivisionError: division by zero\n"), done.stderr)
        self.assertEqual(self.messages(), ["serving"])

    def test_before_the_first_request_output_is_the_containers(self):
        done = run("import logging, sys\nlogging.basicConfig(level=logging.INFO)\nprint('loading', end='')\nprint(' a model')\n"
                   "logging.info('info')\nlogging.error('bad')\nsilent = logging.getLogger('s'); silent.propagate = False\n"
                   "silent.addHandler(logging.NullHandler()); silent.error('nowhere')\nprint('oops', file=sys.stderr)",
                   self.agent.path, serving=False)
        self.assertEqual((done.stdout, done.stderr), ("loading a model\n", "ERROR:root:bad\noops\n"))
        self.assertEqual(self.messages(), ["info", "nowhere"])

    def test_without_an_agent_the_lines_go_to_stderr_in_the_end(self):
        before = time.monotonic()
        done = run("print('hello')\nimport logging\nlogging.error('bad')", self.agent.dir + "/none.sock")
        self.assertLess(time.monotonic() - before, 5)
        self.assertIn("INFO hello\n", done.stderr)
        self.assertIn("ERROR bad\n", done.stderr)

    def test_a_forked_child_sends_its_own_lines_once(self):
        run("import os, time\nprint('before')\npid = os.fork()\nprint('child' if pid == 0 else 'parent')\n"
            "if pid: os.waitpid(pid, 0)", self.agent.path)
        self.assertEqual(sorted(self.messages()), ["before", "child", "parent"])
        self.assertEqual(len({r["id"] for r in self.agent.records()}), 3)

    def test_a_child_has_nothing_of_what_its_parent_was_writing(self):
        run("import os, sys\nsys.stdout.write('half')\npid = os.fork()\nif pid: os.waitpid(pid, 0)\n"
            "print('child' if pid == 0 else ' and whole')", self.agent.path)
        self.assertEqual(self.messages(), ["child", "half and whole"])

    def test_children_of_multiprocessing_are_heard(self):
        run("import multiprocessing as m\np = m.get_context('fork').Process(target=print, args=('child',))\np.start(); p.join()", self.agent.path)
        self.assertEqual(self.messages(), ["child"])

    def test_a_child_whose_output_is_read_keeps_it(self):
        run("import os\ndel os.environ['KURAMA_OUTPUT']\n"
            "a, b = os.fstat(1), os.fstat(2)\nos.environ['KURAMA_OUTPUT'] = '%d:%d,%d:%d' % (a.st_dev, a.st_ino, b.st_dev, b.st_ino)\n"
            "import subprocess, sys\n"
            "child = 'import kurama._boot; import logging, sys; print(1); logging.warning(2); print(3, file=sys.stderr)'\n"
            "out = subprocess.run([sys.executable, '-c', child], capture_output=True, text=True)\n"
            "assert out.stdout == '1\\n' and out.stderr == 'WARNING:root:2\\n3\\n', out\n"
            "subprocess.run([sys.executable, '-c', 'import kurama._boot, kurama; kurama._state.sender.serving = True; print(4)'])\n", self.agent.path)
        self.assertEqual(self.messages(), ["4"])

    def test_a_signal_handler_may_print(self):
        script = ("import signal, os, threading\nsignal.signal(signal.SIGUSR1, lambda *a: print('signal'))\n"
                  "def shoot():\n  for i in range(200): os.kill(os.getpid(), signal.SIGUSR1)\n"
                  "t = threading.Thread(target=shoot); t.start()\nn = 0\n"
                  "while t.is_alive(): print('main'); n += 1\nprint('end')")
        run(script, self.agent.path)
        self.assertIn("signal", self.messages())
        self.assertEqual(self.messages()[-1], "end")

    def test_the_pth_starts_it_in_a_venv_and_only_with_a_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            venv.create(folder, with_pip=False)
            site = os.path.join(folder, "lib", "python%d.%d" % sys.version_info[:2], "site-packages")
            shutil.copy(os.path.join(HERE, "kurama.pth"), site)
            shutil.copytree(os.path.join(HERE, "kurama"), os.path.join(site, "kurama"))
            python = os.path.join(folder, "bin", "python")
            env = environment(self.agent.path, PYTHONPATH=None)
            script = "import sys; print('kurama._boot' in sys.modules)"
            more = "; import kurama; kurama.log('a', n=1)"
            done = subprocess.run([python, "-c", script + more], env=env, capture_output=True, text=True)
            self.assertEqual((done.stdout, done.stderr), ("True\n", ""))
            self.assertEqual(self.messages(), ["a"])
            del env["KURAMA_SOCKET"]
            done = subprocess.run([python, "-c", script + more], env=env, capture_output=True, text=True)
            self.assertEqual((done.stdout, done.stderr), ("False\nINFO a n=1\n", ""))


if __name__ == "__main__":
    unittest.main()
