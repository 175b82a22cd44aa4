"""What a fork means for the sender."""

import os
import sys
import warnings

from . import _native, _record
from ._sender import DELAY


def at_fork(sender, outputs=()):
    """Make sender pause over os.fork, and start anew in the child: a process without
    other threads forks safely. Python 3.12 and newer count threads after the fork,
    when ours is back already, so their warning would be false. Half lines in outputs
    are the parent's."""
    warnings.filterwarnings("ignore", "This process .* is multi-threaded, use of fork", DeprecationWarning)

    def before():
        sender.forking = True
        if sender.running:
            sender.ring()
        deadline = _native.monotonic() + 5 * DELAY
        while sender.there() and _native.monotonic() < deadline:
            _native.sleep(0.0005)

    def parent():
        sender.forking = False
        sender.awake = False
        if sender.busy():
            sender.ring()

    def child():
        _record.reseed()
        sender.reset()
        for output in outputs:
            output.forget()
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            # Its children end by os._exit, after finalizers and not atexit; those
            # that are registered before this hook of its own are cleared.
            util.register_after_fork(sender, lambda s: util.Finalize(None, s.close, exitpriority=-100))

    os.register_at_fork(before=before, after_in_parent=parent, after_in_child=child)
