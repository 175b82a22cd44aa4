"""The app that the tests of servers run."""

import logging
import multiprocessing
import sys
import threading
import time

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
