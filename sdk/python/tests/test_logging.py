import unittest

from agent import Agent, run


class Logging(unittest.TestCase):
    def setUp(self):
        self.agent = Agent()
        self.addCleanup(self.agent.close)

    def logged(self, script, **more):
        done = run("import logging, sys\n" + script, self.agent.path, **more)
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        return self.agent.records()

    def test_each_record_arrives_once_whatever_the_handlers(self):
        records = self.logged(
            "logging.basicConfig(level=logging.DEBUG)\n"
            "own = logging.getLogger('own'); own.propagate = False\n"
            "own.addHandler(logging.StreamHandler(sys.stdout)); own.addHandler(logging.StreamHandler(sys.__stderr__))\n"
            "own.info('own %s', 1)\nlogging.getLogger('a.b').debug('deep')\nlogging.critical('end')\n")
        self.assertEqual([(r["level"], r["msg"], r["extra"]) for r in records], [
            ("INFO", "own 1", {"logger": "own"}), ("DEBUG", "deep", {"logger": "a.b"}), ("CRITICAL", "end", {"logger": "root"})])

    def test_levels_still_hold(self):
        records = self.logged("logging.info('no')\nlogging.warning('yes')\nlogging.log(35, 'between')")
        self.assertEqual([(r["level"], r["msg"]) for r in records], [("WARNING", "yes"), ("WARNING", "between")])

    def test_fields_tracebacks_and_bad_arguments(self):
        records = self.logged(
            "logging.error('with', extra={'order': 7, 'what': {'a': [1]}})\n"
            "try: 1/0\nexcept ZeroDivisionError: logging.exception('failed')\n"
            "logging.error('%d', 'x')\n")
        self.assertEqual(records[0]["extra"], {"logger": "root", "order": 7, "what": {"a": [1]}})
        self.assertTrue(records[1]["exc"].startswith("Traceback") and records[1]["exc"].endswith("ZeroDivisionError: division by zero"))
        self.assertIn("TypeError", records[2]["exc"])

    def test_handlers_of_any_kind_print_no_second_line(self):
        records = self.logged(
            "import logging.handlers, queue\n"
            "class Printer(logging.Handler):\n  def emit(self, record): print('again', self.format(record))\n"
            "log = logging.getLogger('x'); log.addHandler(Printer())\n"
            "q = queue.Queue(); log.addHandler(logging.handlers.QueueHandler(q))\n"
            "listener = logging.handlers.QueueListener(q, logging.StreamHandler()); listener.start()\n"
            "log.warning('once')\nlistener.stop()\nprint('printed')")
        self.assertEqual([r["msg"] for r in records], ["once", "printed"])

    def test_a_handler_that_writes_to_a_file_goes_on(self):
        import os
        import tempfile
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "app.log")
            self.logged("logging.basicConfig(filename=%r)\nlogging.warning('both')" % path)
            with open(path) as file:
                self.assertEqual(file.read(), "WARNING:root:both\n")

    def test_the_own_functions(self):
        records = self.logged(
            "import kurama\nkurama.log('m', level='warn', a=1)\nkurama.log('n', level=40)\nkurama.event('paid', sum=2)\n"
            "with kurama.timer('load', n=1) as t: pass\nassert t.ms >= 0\nkurama.fields(user=1)")
        self.assertEqual([(r["kind"], r["level"], r["msg"].split(" took")[0]) for r in records], [
            ("log", "WARNING", "m"), ("log", "ERROR", "n"), ("event", "INFO", "paid"), ("log", "INFO", "load")])
        self.assertEqual(records[0]["extra"], {"a": 1})
        self.assertEqual(records[2]["extra"], {"event": "paid", "sum": 2})
        self.assertEqual(records[3]["extra"]["timer"], "load")


if __name__ == "__main__":
    unittest.main()
