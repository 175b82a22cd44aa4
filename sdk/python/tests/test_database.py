"""Time in calls of database drivers; test_drivers.py has those that need a server."""

import unittest

from agent import Agent, run

BEGIN = """
import time
from kurama import _flask, _request
def measure(work):
    request = _flask._FlaskRequest()
    request.environ, request.started, request.dur, request.db, request.told = {}, 0.0, None, 0, False
    _request.latest.set(request)
    begun = time.perf_counter_ns()
    work()
    took = time.perf_counter_ns() - begun
    request.dur = 0.0
    ended = request.db
    work()
    assert request.db == ended, "time after the end counts"
    return request.db, took
"""

SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT count(*) FROM n"


class Database(unittest.TestCase):
    def check(self, script):
        agent = Agent(listen=False)
        self.addCleanup(agent.close)
        run(BEGIN + script, agent.path)

    def test_the_calls_of_sqlite3_count_in_each_way_to_make_them(self):
        self.check("""
import sqlite3
class Own(sqlite3.Connection):
    pass
class Loud(sqlite3.Cursor):
    def execute(self, *args):
        return super().execute(*args)
for db in (sqlite3.connect(":memory:"), sqlite3.connect(":memory:", factory=Own), sqlite3.dbapi2.connect(":memory:")):
    assert isinstance(db, sqlite3.Connection) and isinstance(db.cursor(), sqlite3.Cursor)
    for ask in (db.execute, db.cursor().execute, db.cursor(Loud).execute):
        spent, took = measure(lambda: ask(%r).fetchall())
        assert spent > 0.5 * took > 0, (spent, took, ask)
    db.row_factory = sqlite3.Row
    assert db.execute("SELECT 1 AS one").fetchone()["one"] == 1
    db.executescript("CREATE TABLE t (a)"); db.executemany("INSERT INTO t VALUES (?)", [(1,)]); db.commit()
    with db: db.execute("INSERT INTO t VALUES (2)")
    assert [row["a"] for row in db.execute("SELECT a FROM t")] == [1, 2]
    try: db.execute("nonsense")
    except sqlite3.OperationalError as e: pass
assert type(sqlite3.connect(":memory:", 5.0, 0, None, True, Own)) is Own  # as the app says
""" % SLOW)

    def test_what_sqlalchemy_does_counts_once(self):
        self.check("""
import sqlalchemy
engine = sqlalchemy.create_engine("sqlite://")
with engine.connect() as connection:
    spent, took = measure(lambda: connection.execute(sqlalchemy.text(%r)).all())
assert took > spent > 0.5 * took, (spent, took)
""" % SLOW)

    def test_a_call_within_a_call_counts_once(self):
        self.check("""
from kurama._database import timed
inner = timed(lambda: time.sleep(0.02))
outer = timed(lambda: (inner(), time.sleep(0.01)))
spent, took = measure(outer)
assert 30e6 <= spent <= took, (spent, took)
failing = timed(lambda: 1 / 0)
def work():
    try: failing()
    except ZeroDivisionError: pass
measure(work); measure(work)
""")

    def test_a_process_that_imports_no_driver_has_none_patched(self):
        self.check("import sys; assert not {'sqlite3', 'psycopg2', 'sqlalchemy'} & set(sys.modules)")


if __name__ == "__main__":
    unittest.main()
