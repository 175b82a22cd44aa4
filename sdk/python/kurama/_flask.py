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


def hook(streams):
    """Patch Flask as soon as somebody imports it."""
    if "flask.app" in sys.modules:
        patch(sys.modules["flask.app"], streams)
    else:
        sys.meta_path.insert(0, _Finder(streams))


class _Finder:
    """Finds flask.app as everybody does, and patches it once it is loaded."""

    def __init__(self, streams):
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
            patch(module, self.streams)

        spec.loader.exec_module = exec_module
        return spec


def patch(module, streams):
    """Wrap the WSGI entry and the handler of unhandled exceptions of Flask."""
    flask = module.Flask
    flask.wsgi_app = _wsgi_app(flask.wsgi_app)
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
            _end(self.request)


def _end(request):
    request.end()
    if current.get() is request:
        current.set(None)


def _wsgi_app(original):
    """Return original with a Request around it."""
    thread_time, now, set_current = time.thread_time, time.time, current.set

    def wsgi_app(self, environ, start_response):
        if "kurama.request" in environ:   # an app mounted within another
            return original(self, environ, start_response)
        cpu = cpu_clock.start(thread_time())
        request = environ["kurama.request"] = Request(environ)
        sent = environ.get("HTTP_X_KURAMA_START")
        queue = now() * 1000.0 - int(sent) / 1000.0 if sent and sent.isdigit() else None
        set_current(request)

        def start(status, headers, exc_info=None):
            request.status = int(status[:3])
            headers.extend(private(request, cpu_clock.stop(cpu, thread_time()), queue))
            if exc_info is None:
                return start_response(status, headers)
            return start_response(status, headers, exc_info)

        try:
            body = original(self, environ, start)
        except BaseException:
            _end(request)
            raise
        if type(body).__name__ == "ClosingIterator":
            return _Body(body, request)
        _end(request)   # a file, which the server may send by itself
        return body

    return wsgi_app


def private(request, cpu, queue):
    """Return the private headers of a response; figures in ms."""
    headers = []
    rule = request.rule()
    if rule is not None:
        headers.append(("X-Kurama-Route", rule if rule.isascii() and rule.isprintable() else encode(rule)))
    if cpu is not None:
        headers.append(("X-Kurama-CPU", "%.3f" % cpu))
    if queue is not None and queue >= 0:
        headers.append(("X-Kurama-Queue", "%.3f" % queue))
    if request.exc:
        headers.append(("X-Kurama-Exc", encode(request.exc)))
    return headers


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
    """CPU time of a request, ms: that of its thread. Where greenlets share the
    thread, it is known only for a request that had it for itself."""

    def __init__(self):
        self.shared = None
        self.started = 0
        self.active = 0

    def start(self, at):
        """Return a mark to be given to stop."""
        if self.shared is None:
            monkey = sys.modules.get("gevent.monkey")
            self.shared = bool(monkey and monkey.is_module_patched("threading")) or "eventlet.patcher" in sys.modules
        if not self.shared:
            return at
        self.started += 1
        self.active += 1
        return at, self.started if self.active == 1 else -1

    def stop(self, mark, at):
        """Return the ms since mark, or None where they are not known."""
        if not self.shared:
            return (at - mark) * 1000.0
        self.active -= 1
        return (at - mark[0]) * 1000.0 if mark[1] == self.started else None


cpu_clock = _CPUClock()
