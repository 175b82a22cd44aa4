"""Started by kurama.pth in every Python process of a replica."""

import atexit
import os
import sys

from . import _native, _state  # noqa: F401  (_native first: before anything is patched)


def install(path):
    """Send this process's records to the agent's socket at path. A process whose
    output is read by another one keeps it, and is left alone."""
    from . import _capture, _database, _flask, _fork, _imports, _output, _profile, _sender

    sender = _sender.Sender(path)
    outputs = _output.take_over(sender)
    if outputs:
        streams = outputs + [s.real for s in outputs if s.real is not None]
        _capture.install(sender, streams)
        watch = _profile.Watch(sender, os.path.join(os.path.dirname(path), "profile.json"), _slow())
        os.register_at_fork(after_in_child=watch.reset)
        _imports.on_import({"flask.app": lambda module: _flask.patch(module, sender, streams, watch), **_database.patches()})
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


def _slow():
    """Return after how many seconds a request is sampled; 0: never."""
    try:
        return max(float(os.environ.get("KURAMA_SLOW_MS", "0")) / 1000.0, 0.0)
    except ValueError:
        return 0.0


if os.environ.get("KURAMA_SOCKET") and _state.sender is None:
    try:
        install(os.environ["KURAMA_SOCKET"])
    except Exception as err:  # the app runs, with or without us
        print("kurama: logs go to stdout only: %r" % err, file=sys.stderr)
