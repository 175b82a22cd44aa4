"""How long a request waits for its database: the drivers' calls, timed.

Only the outermost call counts: SQLAlchemy's lies around the driver's. A driver that
nobody imports is left alone, and a call outside of a request is passed on.
"""

import functools
from time import perf_counter_ns

from ._request import latest


def patches():
    """Return what is done to each driver once it is imported."""
    return {
        "sqlite3.dbapi2": _sqlite3,
        "psycopg2": _psycopg2,
        "psycopg": _psycopg,
        "pymysql.connections": _pymysql,
        "MySQLdb.connections": _mysqldb,
        "sqlalchemy.engine.default": _sqlalchemy,
    }


def timed(call):
    """Return call so that its time counts for the request that makes it."""
    get = latest.get

    @functools.wraps(call)
    def kurama_timed(*args, **kwargs):
        request = get()
        if request is None or request.querying or request.dur is not None:
            return call(*args, **kwargs)
        request.querying = True
        begun = perf_counter_ns()
        try:
            return call(*args, **kwargs)
        finally:
            request.db += perf_counter_ns() - begun
            request.querying = False

    return kurama_timed


def timed_async(call):
    """Return call, a coroutine function, so that its time counts likewise. Calls beside
    each other, as of asyncio.gather, count from the first's begin to the last's end."""
    get = latest.get

    @functools.wraps(call)
    async def kurama_timed(*args, **kwargs):
        request = get()
        if request is None or request.querying is True or request.dur is not None:
            return await call(*args, **kwargs)
        if not request.querying:
            request.asked = perf_counter_ns()
        request.querying += 1
        try:
            return await call(*args, **kwargs)
        finally:
            request.querying -= 1
            if not request.querying:
                request.db += perf_counter_ns() - request.asked

    return kurama_timed


def _time(owner, *names, by=timed):
    for name in names:
        call = getattr(owner, name, None)
        if call is not None:
            setattr(owner, name, by(call))


@functools.lru_cache(maxsize=64)
def _subclass(base, *names):
    """Return a subclass of base, which may be of C, with the named methods timed."""
    return type(base.__name__, (base,), {
        "__module__": base.__module__, "__qualname__": base.__qualname__,
        **{name: timed(getattr(base, name)) for name in names}})


_CURSOR = ("execute", "executemany")
_FETCH = ("fetchone", "fetchmany", "fetchall")


def _sqlite3(module):
    def cursor_of(factory):
        plain = isinstance(factory, type) and issubclass(factory, module.Cursor)
        return _subclass(factory, *_CURSOR, "executescript", *_FETCH) if plain else factory

    def cursor(self, factory=module.Cursor):
        return module.Connection.cursor(self, cursor_of(factory))

    def by_cursor(name):
        def call(self, *args):
            return getattr(self.cursor(), name)(*args)
        return functools.wraps(getattr(module.Connection, name))(call)

    ours = {"cursor": cursor, **{name: by_cursor(name) for name in (*_CURSOR, "executescript")}}

    @functools.lru_cache(maxsize=64)
    def connection_of(base):
        # What an app's own kind of connection does itself stays its own.
        free = {name: call for name, call in ours.items() if getattr(base, name) is getattr(module.Connection, name)}
        return type(base.__name__, (_subclass(base, "commit", "rollback"),),
                    {"__module__": base.__module__, "__qualname__": base.__qualname__, **free})

    original = module.connect

    @functools.wraps(original)
    def connect(*args, **kwargs):
        factory = kwargs.get("factory", module.Connection)
        if len(args) < 6 and isinstance(factory, type) and issubclass(factory, module.Connection):
            kwargs["factory"] = connection_of(factory)
        return original(*args, **kwargs)

    module.connect = connect


def _psycopg2(module):
    extensions = module.extensions
    base = extensions.connection

    def cursor(self, *args, **kwargs):
        if len(args) < 2:
            factory = kwargs.get("cursor_factory") or self.cursor_factory or extensions.cursor
            if isinstance(factory, type):
                # One with a name is the server's: its rows come when they are fetched.
                fetch = _FETCH if args and args[0] or kwargs.get("name") else ()
                kwargs["cursor_factory"] = _subclass(factory, *_CURSOR, *fetch, "callproc", "copy_expert", "copy_from", "copy_to")
        return base.cursor(self, *args, **kwargs)

    connection = type("connection", (_subclass(base, "commit", "rollback"),), {"__module__": base.__module__, "cursor": cursor})
    original = module.connect

    @functools.wraps(original)
    def connect(dsn=None, connection_factory=None, *args, **kwargs):
        # An app's own kind of connection may choose its cursors itself.
        return original(dsn, connection_factory or connection, *args, **kwargs)

    module.connect = connect


def _psycopg(module):
    _time(module.Cursor, *_CURSOR)
    _time(module.ServerCursor, *_CURSOR, *_FETCH)
    _time(module.Connection, "commit", "rollback")
    _time(module.Transaction, "__enter__", "__exit__")
    _time(module.AsyncCursor, *_CURSOR, by=timed_async)
    _time(module.AsyncServerCursor, *_CURSOR, *_FETCH, by=timed_async)
    _time(module.AsyncConnection, "commit", "rollback", by=timed_async)
    _time(module.AsyncTransaction, "__aenter__", "__aexit__", by=timed_async)


def _pymysql(module):
    _time(module.Connection, "query", "commit", "rollback")


def _mysqldb(module):
    _time(module.Connection, "query", "store_result", "commit", "rollback")


def _sqlalchemy(module):
    """For drivers that are not named here."""
    _time(module.DefaultDialect, "do_execute", "do_executemany", "do_execute_no_params", "do_commit", "do_rollback")
