"""The wire form of a record: one JSON object on one line, built by hand.

A captured record is a tuple, cheap to make where the app logs; it becomes a line
in the sender's thread. The order of the keys is the canonical one of Kurama.
"""

import json
import os
import time
from _random import Random
from json.encoder import encode_basestring as quote

# Longer messages and tracebacks are cut here, as the agent would.
MAX_TEXT = 64 * 1024

# The fields of a captured record.
TIME, SIZE, KIND, LEVEL, MSG, REQUEST, EXC, EXTRA = range(8)

_random = Random(int.from_bytes(os.urandom(32), "big"))
_getrandbits = _random.getrandbits


def reseed():
    """Give a forked child random numbers of its own."""
    _random.seed(int.from_bytes(os.urandom(32), "big"))


def uuid7(at):
    """Return a UUIDv7 for the time at (seconds since the epoch), microseconds
    in rand_a so that the ids of one process sort by the time they were made."""
    micros = int(at * 1e6)
    ms, rest = divmod(micros, 1000)
    bits = _getrandbits(62)
    return "%08x-%04x-7%03x-%04x-%012x" % (
        ms >> 16, ms & 0xFFFF, (rest << 12) // 1000,
        0x8000 | bits >> 48, bits & 0xFFFFFFFFFFFF)


def capture(kind, level, msg, request=None, exc=None, extra=None, at=None):
    """Return a captured record. extra is JSON text of an object, or None."""
    if len(msg) > MAX_TEXT:
        msg = cut(msg)
    if request is not None:
        request.told = True
    size = 200 + len(msg)
    if exc is not None:
        if len(exc) > MAX_TEXT:
            exc = cut(exc)
        size += len(exc)
    if extra is not None:
        size += len(extra)
    return (at or time.time(), size, kind, level, msg, request, exc, extra)


def cut(text):
    """Return text cut to MAX_TEXT characters, saying so at its end."""
    return "%s… (cut: %d more characters)" % (text[:MAX_TEXT], len(text) - MAX_TEXT)


def fields_json(fields):
    """Return fields as the JSON text of an object, whatever the values are."""
    try:
        return _encode(fields)
    except (TypeError, ValueError, RecursionError):
        return _encode({str(k): _plain(v) for k, v in fields.items()})


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=str,
                           separators=(",", ":")).encode


def _plain(value):
    """Return value where JSON can hold it, else its text."""
    try:
        _encode(value)
        return value
    except (TypeError, ValueError, RecursionError):
        return repr(value)[:1000]


_second = [0, ""]


def timestamp(at):
    """Return at in RFC 3339 with microseconds in UTC."""
    micros = int(at * 1e6)
    sec, rest = divmod(micros, 1_000_000)
    known, text = _second
    if known != sec:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(sec))
        _second[:] = (sec, text)
    return "%s.%06dZ" % (text, rest)


def line(record):
    """Return the line of a captured record as bytes, with its newline."""
    at, _, kind, level, msg, request, exc, extra = record
    parts = ['{"ts":"', timestamp(at), '","id":"', uuid7(at), '","kind":"', kind,
             '","level":"', level, '",']
    dur = ""
    if request is not None:
        head, dur = request.wire()
        parts.append(head)
        if request.fields:
            extra = _merge(request.fields, extra)
    parts += ('"msg":', quote(msg), dur)
    if exc is not None:
        parts += (',"exc":', quote(exc))
    if extra is not None:
        parts += (',"extra":', extra)
    parts.append("}\n")
    return "".join(parts).encode("utf-8", "replace")


def _merge(fields, extra):
    """Return the fields of a request and a record's own as one object; the
    record's own win."""
    merged = fields_json(dict(fields))
    if extra is None or extra == "{}":
        return merged
    own = json.loads(extra)
    return fields_json({**json.loads(merged), **own})
