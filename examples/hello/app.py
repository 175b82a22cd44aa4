"""A small Flask app with one page for each thing worth watching."""

import logging
import time

from flask import Flask, jsonify, request

app = Flask(__name__)
log = logging.getLogger("hello")
log.setLevel(logging.DEBUG)


def milliseconds(default):
    """Return ?ms= as seconds, between 0 and 10."""
    return min(max(request.args.get("ms", default, type=float), 0), 10_000) / 1000


@app.get("/")
def index():
    return "Hello from Kurama!\n"


@app.get("/user/<name>")
def user(name):
    return jsonify(hello=name)


@app.get("/slow")
def slow():
    """Wait, as for a database."""
    time.sleep(milliseconds(200))
    return "That took a while.\n"


@app.get("/work")
def work():
    """Burn CPU, as a computation does."""
    end = time.perf_counter() + milliseconds(50)
    rounds = 0
    while time.perf_counter() < end:
        rounds += sum(i * i for i in range(1000)) % 7
    return jsonify(rounds=rounds)


@app.get("/error")
def error():
    """Fail, as apps do."""
    raise ValueError("this page always fails")


@app.get("/log")
def write_log():
    """Write a line of each level."""
    text = request.args.get("msg", "a line from hello")
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        log.log(level, text)
    print(text)
    return "Five lines were written.\n"
