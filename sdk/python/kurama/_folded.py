"""Stacks, folded: counted by route, and written as records of kind profile.

A record's extra is {"hz","seconds","samples","dropped","frames":[name…],"nodes":[[parent,frame,samples,ms]…]}:
a tree, where parent is the index of an earlier node or -1, and samples and ms are left out
where none ended in the node. frames are "function (file:line)".
"""

import os
import sys

from . import _record

_OWN = os.path.dirname(__file__) + "/"

MAX_STACKS = 2000      # different ones between two deliveries; others are counted as dropped
MAX_NAMES = 20_000     # of frames, kept for the next sample
HEAD, TAIL = 70, 30    # frames that are kept of a stack that is deeper, at its begin and its end
ROOM = 40_000          # bytes of extra that one record takes; the agent cuts at 64 KiB


class _Route:
    """Stands where a record of a request has its request."""

    dur = 0.0
    fields = None
    told = False

    def __init__(self, method, route):
        self.method = method
        self.route = route

    def wire(self):
        """Return the JSON members before and after "msg"."""
        head = '"method":%s,' % _record.quote(self.method)
        return (head if self.route is None else head + '"route":%s,' % _record.quote(self.route)), ""


class Stacks:
    """What was sampled since the last delivery."""

    def __init__(self):
        self.names = {}      # by id of the code: code of two files may be equal
        self.codes = {}      # kept, so that no id is given again
        self.clear()

    def clear(self):
        """Forget the samples."""
        self.routes = {}     # {stack: [samples, ms]} by (method, route)
        self.dropped = {}    # samples, by the same
        self.count = 0       # different stacks

    def add(self, request, stack, ms):
        """Count stack, innermost frame first, for ms of request."""
        environ = request.environ
        if environ is None:
            return   # it has ended meanwhile
        of = (environ.get("REQUEST_METHOD", ""), request.rule())
        names = self.names
        folded = []
        for code, at in reversed(stack):
            name = names.get((id(code), at))
            if name is None:
                name = self._name(code, at)
            if name:
                folded.append(name)
        if len(folded) > HEAD + TAIL:
            folded[HEAD:-TAIL] = ["(%d more)" % (len(folded) - HEAD - TAIL)]
        stacks = self.routes.setdefault(of, {})
        known = stacks.get(key := tuple(folded))
        if known is not None:
            known[0] += 1
            known[1] += ms
        elif self.count < MAX_STACKS:
            self.count += 1
            stacks[key] = [1, ms]
        else:
            self.dropped[of] = self.dropped.get(of, 0) + 1

    def _name(self, code, at):
        line = code.co_firstlineno
        for begin, end, number in code.co_lines():
            if begin <= at < end and number:
                line = number
        if code.co_filename.startswith(_OWN):   # its time is that of who calls
            self.codes[id(code)] = code
            self.names[id(code), at] = ""
            return ""
        name = "%s (%s:%d)" % (getattr(code, "co_qualname", code.co_name), short(code.co_filename), line)
        if len(self.names) >= MAX_NAMES:
            self.names.clear()
            self.codes.clear()
        self.codes[id(code)] = code
        self.names[id(code), at] = name = name[:300]
        return name

    def send(self, sender, hz, seconds):
        """Put what was sampled in seconds into sender, and forget it."""
        for of, stacks in self.routes.items():
            batch = _Batch(hz, seconds, self.dropped.get(of, 0))
            for stack, (samples, ms) in stacks.items():
                if batch.size > ROOM:
                    batch.put(sender, of)
                    batch = _Batch(hz, seconds, 0)
                batch.add(stack, samples, ms)
            batch.put(sender, of)
        self.clear()


class _Batch:
    """The stacks of one record."""

    def __init__(self, hz, seconds, dropped):
        self.extra = {"hz": hz, "seconds": round(seconds, 3), "samples": 0, "dropped": dropped, "frames": [], "nodes": []}
        self.frames = {}
        self.nodes = {}
        self.ms = 0.0
        self.size = 100

    def add(self, stack, samples, ms):
        """Add a stack, outermost frame first."""
        parent = -1
        for name in stack:
            frame = self.frames.get(name)
            if frame is None:
                frame = self.frames[name] = len(self.frames)
                self.extra["frames"].append(name)
                self.size += len(name.encode("utf-8", "replace")) + 8
            node = self.nodes.get((parent, frame))
            if node is None:
                node = self.nodes[parent, frame] = len(self.nodes)
                self.extra["nodes"].append([parent, frame])
                self.size += 24
            parent = node
        if parent >= 0:
            own = self.extra["nodes"][parent]
            own[2:] = [samples, round(ms, 1)]
            self.extra["samples"] += samples
            self.ms += ms

    def put(self, sender, of):
        """Send the record."""
        if self.extra["samples"] + self.extra["dropped"] == 0:
            return
        method, route = of
        msg = "%d samples of %s %s: %.1f s of its requests in %.1f s." % (
            self.extra["samples"], method, route or "(no rule)", self.ms / 1000.0, self.extra["seconds"])
        sender.put(_record.capture("profile", "INFO", msg, _Route(method, route), None, _record.fields_json(self.extra)))


_roots = sorted({p.rstrip("/") + "/" for p in sys.path if p.startswith("/")}, key=len, reverse=True)


def short(path):
    """Return path below the folder that it was imported from."""
    for mark in ("/site-packages/", "/dist-packages/", "/app/"):
        at = path.rfind(mark)
        if at >= 0:
            return path[at + len(mark):]
    for root in _roots:
        if path.startswith(root):
            return path[len(root):]
    return path
