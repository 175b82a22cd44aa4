"""sys.stdout and sys.stderr as records, one per line.

A traceback written to stderr becomes one record: its lines are held together until
a line comes that does not belong to it, or nothing has come for a moment.

Before a process has its first request, lines go to the container's own output, and
the agent makes the records. The same holds for an exception that ends the process.
There the platform looks for the reason when an app does not start, or ends.
"""

import io
import json
import os
import sys
import time

from . import _native
from ._record import MAX_TEXT, capture
from ._request import current, emitting

# What follows the last line of a traceback when another one is chained to it.
CHAINS = ("During handling of the above exception", "The above exception was the direct cause")
STARTS = ("Traceback (most recent call last)", "Exception Group Traceback (most recent call last)")
SETTLE = 0.02   # s after which a traceback is taken as complete


class _Trace:
    """A traceback that is being written."""

    __slots__ = ("lines", "ended", "more", "began", "at", "request")

    def __init__(self, line):
        self.lines = [line]
        self.ended = False
        self.more = False    # the next line began in the write that ended it
        self.began = time.time()
        self.at = 0.0
        self.request = current()
        if self.request is not None:
            self.request.told = True   # it may have ended when the record is made

    def takes(self, line, joined):
        """Tell whether line belongs to the traceback; joined where it was written
        together with the line before, as the lines of one message are."""
        if not self.ended or joined or self.more:
            return True
        return not line or line.startswith(CHAINS) or begins_trace(line)

    def add(self, line):
        """Take line; the first line that is not indented ends a traceback."""
        self.lines.append(line)
        self.more = False
        if begins_trace(line):
            self.ended = False
        elif line and not self.ended and not line.startswith(CHAINS):
            self.ended = not line[0].isspace()

    def summary(self):
        """Return the line that says what happened."""
        begun = max(n for n, line in enumerate(self.lines) if begins_trace(line))
        for line in self.lines[begun + 1:]:
            if line and not line[0].isspace():
                return line
        return self.lines[-1].strip(" |+-")


def begins_trace(line):
    """Tell whether line is the first of a traceback."""
    return line.lstrip(" +|").startswith(STARTS)


class Output(io.TextIOBase):
    """A text stream whose lines are records at level."""

    def __init__(self, sender, real, fd, level, traces):
        self.sender = sender
        self.real = real        # the stream that was there before
        self.fd = fd
        self.level = level
        self.traces = {} if traces else None   # by thread
        self.parts = {}                        # unfinished lines, by thread
        self.extra = '{"output":"%s"}' % ("stderr" if fd == 2 else "stdout")
        self.buffer = _Buffer(self)
        self.name = "<%s>" % ("stderr" if fd == 2 else "stdout")
        self.mode = "w"

    encoding = "utf-8"
    errors = "backslashreplace"
    line_buffering = True

    def write(self, text):
        """Take text; each line of it that is complete becomes a record."""
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not %s" % type(text).__name__)
        printing = emitting.get()
        if printing:
            if printing is True:
                return len(text)
            printing[0] = True
        thread = _native.get_ident()
        part = self.parts.pop(thread, None)
        whole = text if part is None else part + text
        *lines, rest = whole.split("\n")
        for n, line in enumerate(lines):
            self._line(thread, line, n > 0)
        if self.traces and rest and lines:
            trace = self.traces.get(thread)
            if trace is not None:
                trace.more = True
        if len(rest) > MAX_TEXT:
            self._line(thread, rest)
        elif rest:
            self.parts[thread] = rest
        return len(text)

    def _line(self, thread, line, joined=False):
        line = line.rstrip("\r")
        if "\r" in line:
            line = line[line.rindex("\r") + 1:]   # what a progress bar ended as
        if not self.sender.serving and self._pass(line):
            return
        if self.traces is not None and self._traced(thread, line, joined):
            return
        if line and not line.isspace():
            self.sender.put(capture("log", self.level, line, current(), None, self.extra))

    def _pass(self, line):
        """Write line to the container's own output; False where that fails."""
        try:
            os.write(self.fd, (line + "\n").encode("utf-8", "replace"))
        except OSError:
            return False
        return True

    def _traced(self, thread, line, joined):
        """Tell whether line went into a traceback."""
        # The sender's thread settles what it can pop: a trace that is popped
        # here is ours until it is put back.
        trace = self.traces.pop(thread, None)
        if trace is not None and not trace.takes(line, joined):
            self._emit(trace)
            trace = None
        if trace is not None:
            trace.add(line)
        elif begins_trace(line):
            trace = _Trace(line)
        else:
            return False
        if len(trace.lines) > 5000:
            self._emit(trace)
            return True
        trace.at = _native.monotonic()
        self.traces[thread] = trace
        if not self.sender.awake:
            self.sender.ring()
        return True

    def _emit(self, trace):
        text = "\n".join(trace.lines).rstrip()
        self.sender.put(capture("log", "ERROR", trace.summary(), trace.request, text, self.extra, trace.began))

    def settle(self, force):
        """Emit the tracebacks that nothing has been added to for a moment, with
        force all of them and the unfinished lines. Return whether some are left."""
        if force:
            for thread in list(self.parts):
                rest = self.parts.pop(thread, None)
                if rest:
                    self._line(thread, rest)
        if not self.traces:
            return False
        limit = _native.monotonic() - SETTLE
        for thread, trace in list(self.traces.items()):
            if (force or trace.at < limit) and self.traces.pop(thread, None) is trace:
                self._emit(trace)
        return bool(self.traces)

    def forget(self):
        """Drop what is unfinished: in a forked child it is what its parent's threads
        were writing, and a new thread may have the name of one of those."""
        self.parts.clear()
        if self.traces:
            self.traces.clear()

    def flush(self):
        """Do nothing: a line leaves when it is complete."""

    def close(self):
        """Do nothing: the stream belongs to the process."""

    def fileno(self):
        """Return the real descriptor, which subprocesses write to."""
        return self.fd

    def isatty(self):
        """Return False."""
        return False

    def writable(self):
        """Return True."""
        return True

    def reconfigure(self, **_):
        """Accept what a TextIOWrapper accepts; lines are UTF-8 here."""


class _Buffer(io.RawIOBase):
    """The binary side of an Output."""

    def __init__(self, output):
        self.output = output
        self.raw = self

    def write(self, data):
        """Take data as UTF-8 text."""
        data = bytes(data)
        self.output.write(data.decode("utf-8", "replace"))
        return len(data)

    def writable(self):
        """Return True."""
        return True

    def fileno(self):
        """Return the real descriptor."""
        return self.output.fd

    def close(self):
        """Do nothing."""


def owned():
    """Return which of the descriptors 1 and 2 are the container's own output. A
    process whose output its parent reads (subprocess, docker exec, a pipe of the
    shell) must keep it."""
    mine = [_identity(fd) for fd in (1, 2)]
    known = os.environ.get("KURAMA_OUTPUT")
    if known == "*":
        return {1, 2}
    if known is None:
        first = [_identity("/proc/1/fd/1"), _identity("/proc/1/fd/2")]
        if None in first:
            first = mine
        known = ",".join(str(name) for name in first)
        os.environ["KURAMA_OUTPUT"] = known
    names = known.split(",")
    return {fd for fd, name in zip((1, 2), mine) if name is not None and name in names}


def _identity(file):
    try:
        found = os.stat(file)
    except OSError:
        return None
    return "%d:%d" % (found.st_dev, found.st_ino)


def take_over(sender):
    """Put Outputs in the place of the streams that are the container's, and
    return them."""
    outputs = []
    for fd in sorted(owned()):
        name = "stdout" if fd == 1 else "stderr"
        real = getattr(sys, name)
        if real is not None:
            real.flush()
        output = Output(sender, real, fd, "INFO" if fd == 1 else "WARNING", fd == 2)
        setattr(sys, name, output)
        outputs.append(output)
    return outputs


def watch_end(sender):
    """Let the traceback that ends the process go to the container's own output."""
    hook = sys.excepthook

    def excepthook(kind, value, trace):
        sender.serving = False
        hook(kind, value, trace)

    sys.excepthook = excepthook


def spill(data, sent):
    """Write the message of a line that no agent takes to the real stderr; one that
    was sent as it is, behind the record separator of RFC 7464, for the agent to know
    it by its id."""
    if sent:
        os.write(2, b"\x1e" + data)
        return
    record = json.loads(data)
    text = record.get("exc") or record["msg"]
    os.write(2, ("%s %s %s\n" % (record["ts"], record["level"], text)).encode("utf-8", "replace"))
