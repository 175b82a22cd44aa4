"""Flask's requests: what the router cannot see, in private response headers.

The router takes X-Kurama-Request and X-Kurama-Exc off the response and merges them into
the one record that it makes per request. X-Kurama-Request is "TAKEN CPU DB ROUTE": when the
request was taken (ns since the epoch), CPU time and time in calls of database drivers (ns;
"-" is unknown), and the rule that matched, nothing where none did. It is one header and not
four because each costs the app's server and the router more than what it says.
"""

import sys
import time
import traceback

from ._request import Request, current, latest

MAX_EXC = 4096   # bytes of the X-Kurama-Exc header
_thread_time = time.thread_time_ns


def patch(module, sender, streams, watch):
    """Wrap the WSGI entry and the handler of unhandled exceptions of Flask."""
    from werkzeug.wsgi import ClosingIterator
    flask = module.Flask
    flask.wsgi_app = _wsgi_app(flask.wsgi_app, watch, ClosingIterator)
    handle = flask.handle_exception

    def handle_exception(self, e):
        request = current()
        if request is not None:
            request.error = e
            request.exc = "".join(traceback.format_exception(type(e), e, e.__traceback__)).rstrip()
        return handle(self, e)

    flask.handle_exception = handle_exception
    stream = getattr(sys.modules.get("flask.logging"), "wsgi_errors_stream", None)
    if stream is not None:
        streams.append(stream)


class _Body:
    """The body of a response, telling when it has been sent."""

    __slots__ = ("body", "request")

    def __init__(self, body, request):
        self.body = body
        self.request = request

    def __iter__(self):
        return iter(self.body)

    def close(self):
        """Close the body and end the request."""
        try:
            self.body.close()
        finally:
            self.request.end()


def _watched(body, request, closing):
    """Return body so that closing it ends request, where that takes more than a callback."""
    if isinstance(body, closing):
        return _Body(body, request)
    request.end()   # a file, which the server may send by itself
    return body


class _FlaskRequest(Request):
    """A request on its way through Flask."""

    def start(self, status, headers, exc_info=None):
        """Take the place of WSGI's start_response: add the private headers."""
        used = _thread_time() - self.cpu
        self.status = status
        if cpu_clock.shared and not cpu_clock.alone(self):
            used = "-"
        rule = self.environ.get("werkzeug.request")
        if rule is not None and (rule := rule.url_rule) is not None:
            self.route = rule = rule.rule
            rule = _routes.get(rule) or _route(rule)
        headers.append(("X-Kurama-Request", f"{self.taken} {used} {self.db} {rule or ''}"))
        if self.exc is not None:
            headers.append(("X-Kurama-Exc", encode(self.exc)))
        if exc_info is None:
            return self.start_response(status, headers)
        return self.start_response(status, headers, exc_info)


def _wsgi_app(original, watch, closing):
    """Return original with a request around it. Every line here, and of start and end, is
    paid by each request: `bench.py` says how much."""
    now, clock, set_latest = time.time_ns, time.perf_counter, latest.set

    def kurama_wsgi_app(self, environ, start_response):
        if "kurama.request" in environ:   # an app mounted within another
            return original(self, environ, start_response)
        prefix = environ.get("HTTP_X_FORWARDED_PREFIX")
        if prefix and not environ.get("SCRIPT_NAME"):
            # Mounted below a path, which the router has taken off (and no
            # client can claim): url_for puts it before what it makes.
            environ["SCRIPT_NAME"] = prefix
        environ["kurama.request"] = True   # not the request: a cycle is left to the collector
        request = _FlaskRequest()
        request.environ = environ
        request.start_response = start_response
        request.dur = request.exc = request.error = None
        request.db = 0
        request.told = False
        set_latest(request)
        if cpu_clock.shared is not False:
            cpu_clock.begin(request)
        if watch.asleep:
            watch.wake()
        request.started = clock()
        request.taken = now()
        request.cpu = _thread_time()
        try:
            body = original(self, environ, request.start)
            if type(body) is closing and type(callbacks := getattr(body, "_callbacks", None)) is list:
                callbacks.append(request.end)   # called when the server closes the body
                return body
            return _watched(body, request, closing)
        except BaseException:
            if cpu_clock.shared:
                cpu_clock.alone(request)
            request.end()
            raise

    watch.entry = kurama_wsgi_app.__code__
    return kurama_wsgi_app


_routes = {}   # encoded, by rule


def _route(rule):
    """Return rule as it may stand in a header, kept for the next request."""
    value = encode(rule)
    if len(_routes) < 1000:
        _routes[rule] = value
    return value


def encode(text):
    """Return text percent-encoded in at most MAX_EXC bytes: of a traceback that is
    longer, the frames nearest to the error are kept."""
    lines = text.split("\n")
    while True:
        data = "".join(map(_byte, "\n".join(lines).encode("utf-8", "replace")))
        if len(data) <= MAX_EXC:
            return data
        if len(lines) <= 2:
            end = data[-MAX_EXC + 2:]
            return end[end.find("%") if "%" in end[:3] else 0:]
        over = len(data) - MAX_EXC
        lines = [lines[0]] + lines[2 + min(over // 300, len(lines) - 3):]


def _byte(value):
    """Return a byte as it may stand in a header: as it is or as %XX."""
    return chr(value) if 0x20 <= value < 0x7F and value != 0x25 else "%%%02X" % value


class _CPUClock:
    """Tells whether greenlets share the thread: its CPU time is that of a request
    only where the request had the thread for itself."""

    def __init__(self):
        self.shared = None   # not known before the first request
        self.begun = 0
        self.open = 0

    def begin(self, request):
        """Note that request begins."""
        if self.shared is None:
            monkey = sys.modules.get("gevent.monkey")
            self.shared = bool(monkey and monkey.is_module_patched("threading")) or "eventlet.patcher" in sys.modules
        if self.shared:
            self.begun += 1
            request.mark = self.begun if self.open == 0 else -1
            self.open += 1

    def alone(self, request):
        """Note that request answers; tell whether no other was there meanwhile."""
        mark, request.mark = request.mark, None
        if mark is None:
            return False   # it has answered already
        self.open -= 1
        return mark == self.begun


cpu_clock = _CPUClock()
