"""Kurama's library for apps: structured log lines, events, timers and fields.

Nothing here is needed to be logged and measured: print, logging and Flask are taken
care of as they are. Outside Kurama the functions print.
"""

from time import perf_counter

from . import _state

__all__ = ["log", "event", "timer", "fields"]
__version__ = "1.0.0"

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def log(msg, level="INFO", **fields):
    """Log msg at level (a name, or a number of logging) with fields as its extra."""
    _put("log", _level(level), str(msg), fields)


def event(name, msg="", **fields):
    """Record that something named name happened, such as "order_paid"."""
    _put("event", "INFO", str(msg) or str(name), {"event": str(name), **fields})


def fields(**fields):
    """Add fields to all log records of the current request; outside a request
    there is nothing to add them to, and nothing happens."""
    from ._request import current
    request = current()
    if request is not None:
        request.fields = {**(request.fields or {}), **fields}


class timer:
    """Log how long a block took: `with kurama.timer("load model", size=3):`."""

    def __init__(self, name, **fields):
        self.name = str(name)
        self.fields = fields
        self.ms = None   # ms, once the block has ended

    def __enter__(self):
        self._started = perf_counter()
        return self

    def __exit__(self, kind, value, trace):
        self.ms = round((perf_counter() - self._started) * 1000.0, 3)
        extra = {"timer": self.name, "ms": self.ms, **self.fields}
        if kind is not None:
            extra["error"] = kind.__name__
        _put("log", "INFO", "%s took %.1f ms" % (self.name, self.ms), extra)


def _put(kind, level, msg, extra):
    sender = _state.sender
    if sender is None:
        more = "".join(" %s=%r" % item for item in extra.items())
        print("%s %s%s" % (level, msg, more))
        return
    from . import _record
    from ._request import current
    text = _record.fields_json(extra) if extra else None
    sender.put(_record.capture(kind, level, msg, current(), None, text))


def _level(level):
    """Return the name of level."""
    if isinstance(level, int):
        from ._capture import level_name
        return level_name(level)
    name = str(level).upper()
    name = {"WARN": "WARNING", "FATAL": "CRITICAL"}.get(name, name)
    return name if name in _LEVELS else "INFO"
