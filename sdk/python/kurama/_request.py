"""The request that the current thread or greenlet works on."""

from contextvars import ContextVar
from json.encoder import encode_basestring as quote
from time import perf_counter
from urllib.parse import quote as percent

latest = ContextVar("kurama_request", default=None)
_latest = latest.get

# Set while a record goes through the handlers of logging. True: whatever they print is
# that record once more, and left out. A list: they shall print, and note it there.
emitting = ContextVar("kurama_emitting", default=False)


class Request:
    """One request: what its log records say about it."""

    # Defaults on the class: a request sets only what it learns.
    status = None    # such as "200 OK"
    db = 0           # ns in calls of database drivers
    querying = False  # such a call is under way; of asynchronous ones, how many
    dur = None       # ms; None until the response has ended, 0 where nobody asks
    route = None
    fields = None
    error = None     # the unhandled exception, and its traceback
    exc = None
    head = None
    told = False     # there are records of it

    # Set by who makes one; no __init__, which would cost a call: environ, None once nobody
    # needs it, and started, of perf_counter().

    def end(self):
        """Note that the response has ended. The second call does nothing."""
        if self.dur is None:
            if self.told:
                self.dur = (perf_counter() - self.started) * 1000.0
            else:   # the router knows better how long it took
                self.dur = 0.0
                self.environ = None   # it may hold an upload
            if self.error is not None:
                self.error = None

    def rule(self):
        """Return the Flask rule that matched, or None."""
        environ = self.environ
        if self.route is None and environ is not None:
            request = environ.get("werkzeug.request")
            rule = getattr(request, "url_rule", None)
            if rule is not None:
                self.route = rule.rule
        return self.route

    def url(self):
        """Return path and query as received."""
        environ = self.environ
        url = environ.get("RAW_URI") or environ.get("REQUEST_URI")
        if url:
            return url
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        path = percent(path.encode("latin-1", "replace"), safe="/:@!$&'()*+,;=~")
        query = environ.get("QUERY_STRING")
        return path + "?" + query if query else path

    def wire(self):
        """Return the JSON members before and after "msg" for a log record of
        this request."""
        if self.head is not None:
            return self.head
        environ = self.environ
        head = '"method":%s,"url":%s,' % (
            quote(environ.get("REQUEST_METHOD", "")), quote(self.url()))
        rule = self.rule()
        if rule is not None:
            head += '"route":%s,' % quote(rule)
        tail = ""
        ended = self.dur is not None
        if ended and self.status is not None:
            head += '"status":%d,' % int(self.status[:3])
        if ended:
            tail = ',"dur":%.3f' % self.dur
        req = environ.get("HTTP_X_REQUEST_ID")
        if req:
            tail += ',"req":' + quote(req)
        if ended:
            self.head = (head, tail)
            self.environ = None
        return head, tail


def current():
    """Return the request that the current thread or greenlet works on, or None. That it
    has ended tells it from one under way: setting the variable twice would cost each
    request more than asking here costs a record."""
    request = _latest()
    return request if request is not None and request.dur is None else None
