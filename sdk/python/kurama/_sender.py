"""The way to the agent: a bounded buffer and one thread per process.

put() never waits and takes no lock, so it may be called from signal handlers and
destructors. The thread is a native one, started by the first record of a process
(a forked child starts its own). It turns records into lines at most DELAY after
they were made, sends them, and keeps each until the agent has acknowledged it; after
a reconnect it sends what is not acknowledged again, with the ids they had.
"""

import errno
import os
import time
from collections import deque
from itertools import islice

from . import _native, _record

DELAY = 0.02        # s that a record waits for its request to end and for others
MAX_LINES = 20_000
MAX_BYTES = 8 << 20
SEND_TIMEOUT = 10.0
RETRY_MIN, RETRY_MAX = 0.1, 2.0


class Sender:
    """Sends the records of this process to the agent's socket at path."""

    def __init__(self, path, max_lines=MAX_LINES, max_bytes=MAX_BYTES):
        self.path = path
        self.max_lines = max_lines
        self.max_bytes = max_bytes
        self.before_drain = None   # called with force before records are taken
        self.spill = None          # called with a line that no agent takes, and whether one may have taken it
        self.sock = None
        # While an app starts, its output goes to the container's own: there the
        # platform looks for the reason when it does not come up.
        self.serving = False
        self.reset()

    def reset(self):
        """Begin anew, with nothing buffered: a forked child's records are its
        own, its parent sends what it had itself."""
        if self.sock is not None:
            self.sock.close()
        self.queue = deque()    # captured records
        self.lines = deque()    # lines that the agent has not acknowledged
        self.taken = 0          # bytes put in, by the callers
        self.freed = 0          # bytes gone, by the thread
        self.dropped = 0        # records refused, by the callers
        self.reported = 0       # of these, told to the agent
        self.sent = 0           # of lines: sent on this connection
        self.tainted = 0        # of lines: sent on any connection
        self.acked = 0          # lines of this connection acknowledged
        self.sock = None
        self.answer = b""
        self.retry_at = 0.0
        self.retry = RETRY_MIN
        self.running = False
        self.forking = False
        self.settling = False   # the thread holds what before_drain took, and has not put it yet
        self.thread = 0
        self.awake = False
        self.hurry = False      # somebody waits in flush()
        self.ending = False     # the process ends
        self.last_call = 0.0    # when it gives up an agent that went away
        self.bell = _native.allocate_lock()
        self.bell.acquire()

    def put(self, record):
        """Take a record; False where the buffer is full: then it is counted."""
        if (len(self.queue) + len(self.lines) >= self.max_lines
                or self.taken - self.freed > self.max_bytes):
            self.dropped += 1
            return False
        self.queue.append(record)
        self.taken += record[1]
        if not self.awake:
            self.ring()
        return True

    def ring(self):
        """Wake the thread, starting it where this process has none yet."""
        self.awake = True
        if self.running:
            try:
                self.bell.release()
            except RuntimeError:
                pass   # rung already
            return
        self.running = True
        try:
            _native.start_new_thread(self._run, ())
        except RuntimeError:
            # The interpreter is ending and takes no new thread: flush() does
            # the work itself then.
            self.running = False

    def flush(self, timeout):
        """Wait until the agent has acknowledged all that was put, for at most
        timeout seconds; True when it has."""
        deadline = _native.monotonic() + timeout
        if self.before_drain is not None:
            self.before_drain(True)
        self.hurry = True
        if self.busy():
            self.ring()
        while self.busy() and _native.monotonic() < deadline:
            if self.running:
                _native.sleep(0.002)
            else:
                self._cycle()
                self._rest(self.bell)
        self.hurry = False
        return not self.busy()

    def busy(self):
        """Tell whether something waits for the agent's acknowledgement."""
        return bool(self.settling or self.queue or self.lines or self.dropped > self.reported)

    def there(self):
        """Tell whether the thread exists, for the system too."""
        return self.running or self.thread and os.path.exists("/proc/self/task/%d" % self.thread)

    def _run(self):
        bell = self.bell
        self.thread = _native.get_native_id()
        while bell is self.bell and not self.forking:
            try:
                self._cycle()
                self._rest(bell)
            except Exception:  # a bug here must never become one of the app
                self._disconnect()
                _native.sleep(DELAY)
        if bell is self.bell:
            self.running = self.awake = False
            # What came, or a fork that was over, before the line above rang a thread that had left.
            if self.busy() and not self.forking:
                self.ring()

    def _rest(self, bell):
        """Wait for work: for ever when there is none, else for a moment."""
        if self.sock is not None and self.sent:
            self._read(DELAY)
        elif self.busy():
            if not self.hurry or self.sock is None:
                bell.acquire(timeout=DELAY)
        else:
            self.awake = False
            if self._settle(False):
                self.awake = True
                bell.acquire(timeout=DELAY)
            elif not self.queue and not self.forking:
                bell.acquire()
            self.awake = True
            if not self.hurry and not self.forking:
                _native.sleep(DELAY)

    def _settle(self, force):
        """Let before_drain put what it held; whoever looks meanwhile sees us busy."""
        if self.before_drain is None:
            return False
        self.settling = True
        try:
            return self.before_drain(force)
        finally:
            self.settling = False

    def _cycle(self):
        self._settle(self.hurry)
        self._drain()
        if self.sock is None and self.lines:
            self._connect()
        if self.sock is not None:
            self._send()
        elif self.ending:
            self._spill(len(self.lines))
            if _native.monotonic() >= self.last_call:
                self._leave()
        elif len(self.lines) + len(self.queue) > self.max_lines * 3 // 4 \
                or self.taken - self.freed > self.max_bytes * 3 // 4:
            self._spill(len(self.lines) // 2)

    def _drain(self):
        """Turn records into lines: those whose request has ended, or that have
        waited long enough for it. A record leaves the queue when its line is there:
        a process that ends waits until both are empty."""
        queue, lines = self.queue, self.lines
        if self.dropped > self.reported and len(lines) < self.max_lines:
            self._report()
        limit = time.time() - (0 if self.hurry else DELAY)
        while queue:
            record = queue[0]
            request = record[_record.REQUEST]
            if request is not None and request.dur is None and limit < record[_record.TIME] <= limit + DELAY:
                break
            try:
                data = _record.line(record)
            except Exception:
                self.dropped += 1
                self.freed += record[_record.SIZE]
                queue.popleft()
                continue
            self.freed += record[_record.SIZE] - len(data)
            lines.append(data)
            queue.popleft()
        if not queue and not lines:
            self.freed = self.taken   # += of two threads at once may lose a little

    def _report(self):
        count = self.dropped - self.reported
        self.lines.append(_record.line(_record.capture(
            "event", "WARNING",
            "%d log lines were dropped: they came faster than the agent took them, and the buffer of %d lines was full."
            % (count, self.max_lines),
            extra='{"event":"dropped","count":%d}' % count)))
        self.reported += count

    def _connect(self):
        now = _native.monotonic()
        if now < self.retry_at and not self.hurry:
            return
        sock = _native.Socket(_native.AF_UNIX, _native.SOCK_STREAM)
        try:
            sock.settimeout(SEND_TIMEOUT)
            sock.connect(self.path)
        except OSError:
            sock.close()
            self.retry_at = now + self.retry
            self.retry = min(self.retry * 2, RETRY_MAX)
            return
        self.sock, self.answer = sock, b""
        self.sent = self.acked = 0
        self.retry = RETRY_MIN

    def _send(self):
        """Send what has not been sent on this connection."""
        fresh = list(islice(self.lines, self.sent, None))
        if not fresh:
            return
        if self.sent == 0 and self.tainted and self.acked == 0:
            fresh.insert(0, b"!resend %d\n" % self.tainted)
        self.sent = len(self.lines)
        self.tainted = max(self.tainted, self.sent)
        try:
            self.sock.settimeout(SEND_TIMEOUT)
            self.sock.sendall(b"".join(fresh))
        except OSError:
            self._disconnect()

    def _read(self, timeout):
        """Read acknowledgements, waiting for at most timeout seconds."""
        try:
            self.sock.settimeout(timeout)
            data = self.sock.recv(4096)
        except OSError as err:
            if not isinstance(err, TimeoutError) and err.errno not in (errno.EAGAIN, errno.EINTR):
                self._disconnect()
            return
        if not data:
            self._disconnect()
            return
        *answers, self.answer = (self.answer + data).split(b"\n")
        for answer in answers:
            if answer.startswith(b"ack "):
                self._ack(int(answer[4:]))

    def _ack(self, count):
        """Forget the lines up to the count-th of this connection."""
        gone = min(count - self.acked, self.sent)
        for _ in range(gone):
            self.freed += len(self.lines.popleft())
        self.acked += gone
        self.sent -= gone
        self.tainted -= min(gone, self.tainted)

    def _disconnect(self):
        if self.sock is not None:
            self.sock.close()
        self.sock = None
        self.sent = 0

    def _spill(self, count):
        """Hand up to count lines that were never sent to self.spill: where no
        agent answers, the container's own output keeps them."""
        while self.spill is not None and count > 0 and len(self.lines) > self.tainted:
            data = self.lines[self.tainted]
            self.spill(data, False)
            del self.lines[self.tainted]
            self.freed += len(data)
            count -= 1

    def _leave(self):
        """Hand all lines to self.spill: those that were sent bear an id by which the
        next agent knows what the one before it has taken."""
        while self.spill is not None and self.lines:
            self.spill(self.lines[0], True)
            self.freed += len(self.lines.popleft())
            self.tainted -= min(1, self.tainted)

    def close(self, timeout=1.0):
        """Send what is there within timeout seconds, for the end of the process.
        What no agent takes goes to the container's own output."""
        self.last_call = _native.monotonic() + timeout / 2
        self.ending = True
        if self.flush(timeout) and self.sock is not None:
            try:
                self.sock.sendall(b"!bye\n")
            except OSError:
                pass

