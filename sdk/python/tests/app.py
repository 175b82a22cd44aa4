"""The app that the tests of servers run."""

import logging
import multiprocessing
import sqlite3
import sys
import threading
import time
from contextlib import closing

import kurama
from flask import Flask, Response, request, url_for

app = Flask(__name__)
log = logging.getLogger("shop")
log.setLevel(logging.INFO)


@app.get("/hello/<name>")
def hello(name):
    kurama.fields(name=name)
    log.info("hello %s", name)
    print("printed", name)
    return "hello " + name


@app.get("/links")
def links():
    own = url_for("hello", name="ann")
    return own + " " + own[len(request.script_root):]


@app.get("/broken")
def broken():
    raise RuntimeError("on purpose\nin two lines")


@app.get("/burn")
def burn():
    end = time.thread_time() + 0.03
    while time.thread_time() < end:
        pass
    return "done"


@app.get("/orders")
def orders():
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE orders AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i, random() AS r FROM n")
        return {"rows": len(db.execute("SELECT * FROM orders ORDER BY r").fetchall())}


@app.get("/slow/<float:seconds>")
def slow(seconds):
    wait_for_it(time.monotonic() + seconds)
    return "done"


@app.get("/compute/<float:seconds>")
def compute(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))
    return "done"


def wait_for_it(end):
    while time.monotonic() < end:
        time.sleep(0.005)


@app.get("/stream")
def stream():
    def parts():
        for i in range(3):
            print("part", i)
            yield "%d" % i
    return Response(parts())


@app.get("/thread")
def thread():
    worker = threading.Thread(target=print, args=("from a thread",), kwargs={"file": sys.stderr})
    worker.start()
    worker.join()
    return "ok"


@app.get("/every/<name>")
def every(name):
    """Speak in every way there is."""
    log.info("logged %s", name)
    print("printed", name)
    worker = threading.Thread(target=print, args=("threaded", name))
    worker.start()
    worker.join()
    child = multiprocessing.get_context("fork").Process(target=print, args=("forked", name))
    child.start()
    child.join()
    return name
