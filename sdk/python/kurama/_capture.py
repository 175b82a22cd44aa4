"""The standard logging module as records.

Each record is taken once, where a logger hands it to its handlers, so that neither
levels nor basicConfig() nor loggers that do not propagate change what arrives. What
handlers then write to stdout or stderr is the same record again and is left out;
handlers that write elsewhere go on as before. While an app starts it is the other way
round for errors: they are printed, and the agent makes the records (see _output).
"""

import logging
import traceback

from ._record import capture, fields_json, quote
from ._request import current, emitting

_plain = set(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime", "taskName"}
_count = len(_plain) - 2 - ("taskName" not in logging.LogRecord("", 0, "", 0, "", (), None).__dict__)
_names = {}


def level_name(number):
    """Return the name of the level that number belongs to."""
    if number < 20:
        return "DEBUG"
    if number < 30:
        return "INFO"
    if number < 40:
        return "WARNING"
    return "ERROR" if number < 50 else "CRITICAL"


def install(sender, streams):
    """Ship every record of logging through sender. streams, to which more may be
    added later, are those whose lines arrive by themselves."""
    call_handlers = logging.Logger.callHandlers
    emit = logging.StreamHandler.emit
    set_emitting, reset_emitting = emitting.set, emitting.reset

    def kurama_call_handlers(logger, record):
        taken = None
        if sender.serving or record.levelno < logging.ERROR:
            sender.put(from_logging(record))
        else:
            taken = [False]
        record._kurama = True
        token = set_emitting(taken or True)
        try:
            call_handlers(logger, record)
        finally:
            reset_emitting(token)
        if taken and not taken[0]:
            sender.put(from_logging(record))   # no handler printed it

    def kurama_emit(handler, record):
        stream = handler.stream
        for known in streams:
            if stream is known:
                printing = emitting.get()
                if printing and printing is not True:
                    printing[0] = True
                    break
                # A QueueListener or a direct handle() comes here first.
                if "_kurama" not in record.__dict__:
                    sender.put(from_logging(record))
                    record._kurama = True
                return
        emit(handler, record)

    logging.Logger.callHandlers = kurama_call_handlers
    logging.StreamHandler.emit = kurama_emit


def from_logging(record):
    """Return the captured record of a logging.LogRecord."""
    request = current()
    exc = None
    try:
        msg = record.getMessage()
    except Exception:
        msg = "%s %r" % (record.msg, record.args)
        exc = traceback.format_exc()
    if record.exc_info or record.stack_info:
        exc = _exception(record, request)
    name = record.name
    extra = _names.get(name)
    if extra is None:
        extra = _remember(name)
    if len(record.__dict__) > _count:
        fields = {k: v for k, v in record.__dict__.items() if k not in _plain and k != "_kurama"}
        if fields:
            extra = fields_json({"logger": name, **fields})
    return capture("log", level_name(record.levelno), msg, request, exc, extra, record.created)


def _remember(name):
    """Return {"logger": name}, kept for the next record where there are few."""
    extra = '{"logger":%s}' % quote(name)
    if len(_names) < 1000:
        _names[name] = extra
    return extra


def _exception(record, request):
    """Return the traceback of record, formatted once per request."""
    text = record.exc_text
    info = record.exc_info
    if not text and info and info[0] is not None:
        if request is not None and request.error is info[1] and request.exc:
            text = request.exc
        else:
            text = "".join(traceback.format_exception(*info)).rstrip()
    if record.stack_info:
        text = (text + "\n" if text else "") + record.stack_info
    return text
