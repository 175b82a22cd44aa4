import json
import time
import unittest
import uuid

from kurama import _flask, _record
from kurama._request import Request


def begun(environ):
    """Return a request as the wrapper of Flask begins it."""
    request = Request()
    request.environ, request.started = environ, time.perf_counter()
    return request


class Records(unittest.TestCase):
    def test_an_id_is_a_uuid7_of_its_time(self):
        at = time.time()
        ids = [_record.uuid7(at + i / 1e5) for i in range(1000)]
        self.assertEqual(ids, sorted(ids))
        self.assertEqual(len(set(ids)), 1000)
        parsed = uuid.UUID(ids[0])
        self.assertEqual((parsed.version, parsed.variant), (7, uuid.RFC_4122))
        self.assertEqual(parsed.int >> 80, int(at * 1000))

    def test_a_line_is_one_json_object_in_canonical_order(self):
        request = begun({"REQUEST_METHOD": "GET", "RAW_URI": "/a?b=ü", "HTTP_X_REQUEST_ID": "r-1"})
        request.route, request.status = "/<x>", "200 OK"
        request.fields = {"user": 7, "k": "request"}
        record = _record.capture("log", "ERROR", 'a"\n\x00ü\ud800', request, "Trace\n", '{"k":"own"}', 1763632800.25)
        request.end()
        line = _record.line(record)
        self.assertTrue(line.endswith(b"}\n") and line.count(b"\n") == 1)
        got = json.loads(line)
        self.assertEqual(list(got), ["ts", "id", "kind", "level", "method", "url", "route", "status", "msg", "dur", "req", "exc", "extra"])
        self.assertEqual(got["ts"], "2025-11-20T10:00:00.250000Z")
        self.assertEqual((got["msg"], got["url"], got["status"], got["req"]), ('a"\n\x00ü?', "/a?b=ü", 200, "r-1"))
        self.assertEqual(got["extra"], {"user": 7, "k": "own"})

    def test_a_request_that_runs_has_no_status_yet(self):
        request = begun({"REQUEST_METHOD": "GET", "PATH_INFO": "/a b", "QUERY_STRING": "q=1"})
        got = json.loads(_record.line(_record.capture("log", "INFO", "m", request)))
        self.assertEqual(got["url"], "/a%20b?q=1")
        self.assertFalse({"status", "dur", "req", "route"} & set(got))

    def test_long_texts_are_cut_and_say_so(self):
        got = json.loads(_record.line(_record.capture("log", "INFO", "x" * 100_000)))
        self.assertTrue(got["msg"].endswith("(cut: 34464 more characters)"))

    def test_fields_of_any_kind_make_json(self):
        loop = {}
        loop["self"] = loop
        for fields in ({"a": float("nan")}, {"a": object()}, {"a": {1, 2}}, {"a": loop}, {"a": b"\xff"}):
            self.assertIn("a", json.loads(_record.fields_json(fields)))


class Header(unittest.TestCase):
    def test_a_traceback_fits_and_keeps_its_end(self):
        frames = "".join('  File "/app/%d.py", line 1, in ü%%\n    f()\n' % i for i in range(500))
        value = _flask.encode("Traceback (most recent call last):\n" + frames + "ValueError: end")
        self.assertLessEqual(len(value), _flask.MAX_EXC)
        self.assertGreater(len(value), 3000)
        self.assertTrue(value.startswith("Traceback") and value.endswith("%0AValueError: end"))
        self.assertTrue(value.isascii() and value.isprintable())

    def test_one_endless_line_fits(self):
        value = _flask.encode("ValueError: " + "ü" * 5000)
        self.assertLessEqual(len(value), _flask.MAX_EXC)
        from urllib.parse import unquote
        self.assertNotIn("\ufffd", unquote(value)[1:])


if __name__ == "__main__":
    unittest.main()
