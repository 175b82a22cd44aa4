"""Flask's requests: what the router cannot see, in private response headers.

The router takes X-Kurama-Route, X-Kurama-CPU, X-Kurama-Queue and X-Kurama-Exc off the
response and merges them into the one record that it makes per request.
"""

import sys
import time
import traceback
from importlib.machinery import PathFinder

from ._request import Request, current

MAX_EXC = 4096   # bytes of the X-Kurama-Exc header


def hook(sender, streams):
    """Patch Flask as soon as somebody imports it."""
    if "flask.app" in sys.modules:
        patch(sys.modules["flask.app"], sender, streams)
    else:
        sys.meta_path.insert(0, _Finder(sender, streams))


class _Finder:
    """Finds flask.app as everybody does, and patches it once it is loaded."""

    def __init__(self, sender, streams):
        self.sender = sender
        self.streams = streams

    def find_spec(self, name, path=None, target=None):
        """Return the spec of flask.app; None for all other modules."""
        if name != "flask.app":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        sys.meta_path.remove(self)
        loaded = spec.loader.exec_module

        def exec_module(module):
            loaded(module)
            patch(module, self.sender, self.streams)

        spec.loader.exec_module = exec_module
        return spec


def patch(module, sender, streams):
    """Wrap the WSGI entry and the handler of unhandled exceptions of Flask."""
    flask = module.Flask
    flask.wsgi_app = _wsgi_app(flask.wsgi_app, sender)
    handle = flask.handle_exception

    def handle_exception(self, e):
        request = current.get()
        if request is not None and request.dur is None:
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


def _watch(body, request):
    """Return body so that closing it ends request."""
    if type(body).__name__ != "ClosingIterator":
        request.end()   # a file, which the server may send by itself
        return body
    callbacks = getattr(body, "_callbacks", None)
    if type(callbacks) is list:   # what ClosingIterator calls when it closes
        callbacks.append(request.end)
        return body
    return _Body(body, request)


def _wsgi_app(original, sender):
    """Return original with a Request around it."""
    thread_time, now, set_current = time.thread_time, time.time, current.set

    def wsgi_app(self, environ, start_response):
        if "kurama.request" in environ:   # an app mounted within another
            return original(self, environ, start_response)
        prefix = environ.get("HTTP_X_FORWARDED_PREFIX")
        if prefix and not environ.get("SCRIPT_NAME"):
            # Mounted below a path, which the router has taken off (and no
            # client can claim): url_for puts it before what it makes.
            environ["SCRIPT_NAME"] = prefix
        request = environ["kurama.request"] = Request(environ)
        set_current(request)
        if cpu_clock.shared is not False:
            cpu_clock.begin(request)
        sender.serving = True
        taken, cpu = now(), thread_time()

        def start(status, headers, exc_info=None):
            request.status = int(status[:3])
            ms = (thread_time() - cpu) * 1000.0
            if cpu_clock.shared and not cpu_clock.alone(request):
                ms = None
            private(request, headers, ms, taken)
            if exc_info is None:
                return start_response(status, headers)
            return start_response(status, headers, exc_info)

        try:
            return _watch(original(self, environ, start), request)
        except BaseException:
            if cpu_clock.shared:
                cpu_clock.alone(request)
            request.end()
            raise

    return wsgi_app


def private(request, headers, cpu, taken):
    """Append the private headers of a response; figures in ms."""
    rule = request.rule()
    if rule is not None:
        headers.append(("X-Kurama-Route", _routes.get(rule) or _route(rule)))
    if cpu is not None:
        headers.append(("X-Kurama-CPU", "%.3f" % cpu))
    sent = request.environ.get("HTTP_X_KURAMA_START")
    if sent is not None and sent.isdigit():
        queue = taken * 1000.0 - int(sent) / 1000.0
        if queue >= 0:
            headers.append(("X-Kurama-Queue", "%.3f" % queue))
    if request.exc is not None:
        headers.append(("X-Kurama-Exc", encode(request.exc)))


_routes = {}   # header values by rule


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
