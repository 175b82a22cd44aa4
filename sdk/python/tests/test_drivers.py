"""The time in calls of real drivers against real servers: counted once, whatever lies
around a call, and what the app sees of its driver stays as it was."""

import unittest

from agent import Agent, run
from server import MariaDB, Postgres
from test_database import BEGIN

# Each question takes PAUSE at the server: less than it cannot be, and counted twice it would be more than it took.
CHECK = """
PAUSE = 0.06
def once(work, pauses=1):
    spent, took = measure(work)
    assert pauses * PAUSE * 1e9 <= spent <= took, (spent, took)
def fails(work, kind):
    def failing():
        try: work()
        except kind: return
        raise AssertionError("no error")
    spent, took = measure(failing)
    assert 0 < spent <= took, (spent, took)
"""

PG = CHECK + "dsn = %r\n"
SLEEP = "SELECT pg_sleep(0.06)"


class Drivers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Postgres()
        cls.addClassCleanup(cls.server.close)
        import psycopg
        cls.server.wait(lambda: psycopg.connect(cls.server.dsn).close())

    def check(self, script):
        agent = Agent(listen=False)
        self.addCleanup(agent.close)
        run(BEGIN + PG % self.server.dsn + "SLEEP = %r\n" % SLEEP + script, agent.path)

    def test_psycopg(self):
        self.check("""
import psycopg
from psycopg.rows import dict_row
with psycopg.connect(dsn) as db:
    for make in (db.cursor, lambda: db.cursor(row_factory=dict_row), lambda: psycopg.ClientCursor(db)):
        once(lambda: make().execute(SLEEP).fetchall())
    once(lambda: db.execute(SLEEP))
    once(lambda: db.cursor().executemany("SELECT pg_sleep(%s)", [(PAUSE,), (PAUSE,)]), 2)
    with db.cursor(name="far") as far:   # its rows are made when they are fetched; measure asks twice
        far.execute("SELECT pg_sleep(0.06) FROM generate_series(1, 3)")
        once(far.fetchone)
        once(far.fetchall)
    assert db.cursor(row_factory=dict_row).execute("SELECT 1 AS one").fetchone() == {"one": 1}
    fails(lambda: db.execute("nonsense"), psycopg.errors.SyntaxError)
    db.rollback()
    db.execute("CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.06); RETURN NULL; END'")
    db.execute("CREATE TABLE t (a int)")
    db.execute("CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pause()")
    db.commit()
    db.execute("INSERT INTO t VALUES (1)")
    once(db.commit)
    def transaction():
        with db.transaction():
            db.execute("INSERT INTO t VALUES (2)")
    once(transaction)
    assert db.execute("SELECT count(*) FROM t").fetchone() == (3,)   # measure does it twice, once after the end
""")

    def test_psycopg_asynchronous(self):
        self.check("""
import asyncio, psycopg
async def ask(db):
    await (await db.execute(SLEEP)).fetchall()
async def several():
    first, second = [await psycopg.AsyncConnection.connect(dsn) for _ in range(2)]
    async with first, second:
        await asyncio.gather(ask(first), ask(second))   # beside each other: the time counts once
        try: await first.execute("nonsense")
        except psycopg.errors.SyntaxError: await first.rollback()
        async with first.transaction(), first.cursor(name="far") as far:
            await far.execute("SELECT pg_sleep(0.06)")
            assert len(await far.fetchall()) == 1
once(lambda: asyncio.run(several()), 2)
""")

    def test_psycopg2(self):
        self.check("""
import psycopg2, psycopg2.extras, psycopg2.pool, psycopg2.sql
pool = psycopg2.pool.SimpleConnectionPool(1, 1, dsn)
db = pool.getconn()
assert isinstance(db, psycopg2.extensions.connection) and isinstance(db.cursor(), psycopg2.extensions.cursor)
for make in (db.cursor, lambda: db.cursor(cursor_factory=psycopg2.extras.RealDictCursor)):
    def ask():
        with make() as cursor:
            cursor.execute(SLEEP)
            cursor.fetchall()
    once(ask)
def far(*args, **kwargs):
    with db.cursor(*args, **kwargs) as cursor:
        cursor.execute("SELECT pg_sleep(0.06)")
        cursor.fetchall()
once(lambda: far("far"))
once(lambda: far(name="far"))
cursor = db.cursor(cursor_factory=psycopg2.extras.DictCursor)
psycopg2.extras.execute_values(cursor, "SELECT * FROM (VALUES %s) AS v (a)", [(1,), (2,)])
assert [row["a"] for row in cursor.fetchall()] == [1, 2]
assert psycopg2.sql.Identifier('a"b').as_string(db) == '"a""b"'
fails(lambda: db.cursor().execute("nonsense"), psycopg2.errors.SyntaxError)
db.rollback()
own = psycopg2.connect(dsn, connection_factory=psycopg2.extras.LoggingConnection)
assert type(own) is psycopg2.extras.LoggingConnection   # as the app says
""")

    def test_sqlalchemy_over_each_driver(self):
        self.check("""
import asyncio, sqlalchemy, sqlalchemy.exc
from sqlalchemy.ext.asyncio import create_async_engine
host, ask = dsn.split()[0].partition("=")[2], sqlalchemy.text(SLEEP)
address = "postgresql+%s://tester@/postgres?host=" + host
for driver in ("psycopg", "psycopg2"):
    with sqlalchemy.create_engine(address % driver).connect() as db:
        once(lambda: db.execute(ask).all())
        fails(lambda: db.execute(sqlalchemy.text("nonsense")), sqlalchemy.exc.ProgrammingError)
async def several():
    engine = create_async_engine(address % "psycopg")
    async with engine.connect() as db:
        await db.execute(ask)
    await engine.dispose()
once(lambda: asyncio.run(several()))
""")


@unittest.skipUnless(MariaDB.program(), "no MariaDB is installed (apt-get install mariadb-server-core)")
class MySQL(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = MariaDB()
        cls.addClassCleanup(cls.server.close)
        import pymysql
        cls.server.wait(lambda: pymysql.connect(unix_socket=cls.server.socket, database="test").close())

    def test_pymysql_alone_and_under_sqlalchemy(self):
        agent = Agent(listen=False)
        self.addCleanup(agent.close)
        run(BEGIN + CHECK + "socket = %r\n" % self.server.socket + """
import pymysql, pymysql.cursors, sqlalchemy
db = pymysql.connect(unix_socket=socket, database="test")
for kind in (pymysql.cursors.Cursor, pymysql.cursors.DictCursor, pymysql.cursors.SSCursor):
    def ask():
        with db.cursor(kind) as cursor:
            cursor.execute("SELECT SLEEP(0.06) AS s")
            cursor.fetchall()
    once(ask)
fails(lambda: db.cursor().execute("nonsense"), pymysql.err.ProgrammingError)
engine = sqlalchemy.create_engine("mysql+pymysql://root@localhost/test?unix_socket=" + socket)
with engine.connect() as connection:
    once(lambda: connection.execute(sqlalchemy.text("SELECT SLEEP(0.06)")).all())
""", agent.path)


if __name__ == "__main__":
    unittest.main()
