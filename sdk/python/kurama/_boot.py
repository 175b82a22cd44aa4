"""Started by kurama.pth in every Python process of a replica."""

import atexit
import os
import sys

from . import _native, _state  # noqa: F401  (_native first: before anything is patched)


def install(path):
    """Send this process's records to the agent's socket at path. A process whose
    output is read by another one keeps it, and is left alone."""
    from . import _capture, _flask, _fork, _output, _sender

    sender = _sender.Sender(path)
    outputs = _output.take_over(sender)
    if outputs:
        streams = outputs + [s.real for s in outputs if s.real is not None]
        _capture.install(sender, streams)
        _flask.hook(sender, streams)
        _output.watch_end(sender)

    def settle(force):
        left = False
        for output in outputs:
            left = output.settle(force) or left
        return left

    sender.before_drain = settle
    sender.spill = _output.spill
    _fork.at_fork(sender, outputs)
    atexit.register(sender.close)
    _state.sender = sender


if os.environ.get("KURAMA_SOCKET") and _state.sender is None:
    try:
        install(os.environ["KURAMA_SOCKET"])
    except Exception as err:  # the app runs, with or without us
        print("kurama: logs go to stdout only: %r" % err, file=sys.stderr)
