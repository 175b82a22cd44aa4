"""The sampling profiler: which code the requests of a process spend their time in.

One native thread per process looks, some times a second, at the stacks of all threads.
A stack that the wrapper of Flask is part of belongs to the request which that wrapper's
frame holds, so a request pays nothing for being found. Stacks are counted by route and
sent as records of kind profile.

It begins when the platform says so, in the file profile.json beside the agent's socket,
which only the platform can write, or when a request takes longer than KURAMA_SLOW_MS. A
process without requests has no such thread awake.
"""

import json
import os
import sys
from time import thread_time, time

from . import _folded, _native

HZ = 50             # samples a second, unless the order says otherwise
MAX_HZ = 200
MAX_SECONDS = 600   # that one order may last
SHARE = 0.01        # of a core that sampling may use: it slows down rather than use more
LOOK = 0.5          # s between two looks for orders and slow requests
QUIET = 10          # looks without a request after which the thread sleeps
FLUSH = 5.0         # s between two deliveries
SLOW_FOR = 10.0     # s that a slow request is sampled for
SLOW_PAUSE = 60.0   # s between two samplings because of slow requests
LONGEST = 1.0       # s that one sample may stand for: beyond, the process itself stood still
MAX_WALK = 2000     # frames
SWITCH = 0.0005     # s after which the interpreter changes threads where a sample is due: by its usual 5 ms, the sampler
                    # would find a shorter request gone by the time that it gets its turn
BLINK = 0.001       # s before a sample from which that holds: for the whole time, it would cost a busy process 4 to 6 %


class Watch:
    """Looks for orders while there are requests, and obeys them."""

    def __init__(self, sender, order, slow):
        self.sender = sender
        self.order = order    # path of the platform's file
        self.slow = slow      # s that a request may take before it is sampled; 0: for ever
        self.entry = None     # the code of the wrapper around Flask
        self.switch = None    # the app's own interval between threads, while SWITCH is in force
        self.reset()

    def reset(self):
        """Begin anew: a forked child has no thread of its parent's."""
        self.asleep = True
        self.running = False
        self.bell = _native.allocate_lock()
        self.bell.acquire()
        self.seen = None      # identity of the order that was read last
        self.until = 0.0      # s since the epoch
        self.hz = HZ
        self.pause_until = 0.0
        self._ease()

    def wake(self):
        """Note that the process has requests."""
        self.asleep = False
        self.sender.serving = True
        if self.running:
            try:
                self.bell.release()
            except RuntimeError:
                pass   # rung already
            return
        self.running = True
        try:
            _native.start_new_thread(self._run, (self.bell,))
        except RuntimeError:
            pass   # the interpreter is ending

    def _run(self, bell):
        me, quiet = _native.get_ident(), 0
        while bell is self.bell:
            try:
                quiet = 0 if self._look(me) else quiet + 1
            except Exception:  # a bug here must never become one of the app
                quiet = QUIET
            if quiet < QUIET:
                _native.sleep(LOOK)
                continue
            self.asleep = True
            bell.acquire()
            quiet = 0

    def _look(self, me):
        """Sample where that is ordered or called for; tell whether there was a request."""
        self._read_order()
        now = time()
        if now < self.until:
            self._sample(me, self.until, self.hz)
            return True
        oldest = None
        for ident, frame in sys._current_frames().items():
            request = None if ident == me else self._request(frame)
            if request is not None and (oldest is None or request.started < oldest):
                oldest = request.started
        if oldest is not None and self.slow and _native.perf_counter() - oldest > self.slow and now > self.pause_until:
            self.pause_until = now + SLOW_PAUSE
            self._sample(me, now + SLOW_FOR, HZ)
        return oldest is not None

    def _read_order(self):
        try:
            found = os.stat(self.order)
            identity = (found.st_ino, found.st_mtime_ns)
            if identity == self.seen:
                return
            with open(self.order, "rb") as file:
                order = json.loads(file.read(4096))
            self.seen = identity
            self.until = min(float(order["until"]), time() + MAX_SECONDS)
            self.hz = min(max(float(order.get("hz", HZ)), 1.0), MAX_HZ)
        except (OSError, ValueError, KeyError, TypeError):
            return

    def _request(self, frame, stack=None):
        """Return the request whose code runs in frame, or None; its stack is added to
        stack, the innermost frame first."""
        entry = self.entry
        for _ in range(MAX_WALK):
            if frame is None:
                return None
            code = frame.f_code
            if code is entry:
                request = frame.f_locals.get("request")
                if request is not None:   # the wrapper of an app within another has none
                    return request if request.dur is None else None
            elif stack is not None:
                stack.append((code, frame.f_lasti))
            frame = frame.f_back
        return None

    def _hurry(self):
        """Have the interpreter change threads soon, until _ease."""
        own = sys.getswitchinterval()
        if own > SWITCH:
            sys.setswitchinterval(SWITCH)
            self.switch = own

    def _ease(self):
        """Give the app its own interval back, unless it has set another one meanwhile."""
        if self.switch is not None and abs(sys.getswitchinterval() - SWITCH) < 1e-6:
            sys.setswitchinterval(self.switch)
        self.switch = None

    def _sample(self, me, until, hz):
        """Take hz samples a second until then."""
        try:
            self._take(me, until, hz)
        finally:
            self._ease()

    def _take(self, me, until, hz):
        stacks, bell = _folded.Stacks(), self.bell
        began = last = flushed = _native.monotonic()
        until += began - time()
        pause = 1.0 / hz
        while last < until and bell is self.bell:
            _native.sleep(pause - BLINK)
            self._hurry()
            _native.sleep(BLINK)
            now = _native.monotonic()
            used = thread_time()
            for ident, frame in sys._current_frames().items():
                if ident != me:
                    stack = []
                    request = self._request(frame, stack)
                    if request is not None:
                        stacks.add(request, stack, min(now - last, LONGEST) * 1000.0)
            self._ease()
            frame = None   # a frame that is kept keeps what the app holds in it
            last = now
            # A process with very many threads is looked at less often.
            pause = max(1.0 / hz, (thread_time() - used) / SHARE)
            if now - flushed >= FLUSH or now >= until:
                stacks.send(self.sender, hz, now - flushed)
                flushed = now
                self._read_order()
                until = max(until, self.until + now - time())
