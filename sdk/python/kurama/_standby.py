"""Runs in a replica that stands by for the next release of its app: it imports
what every Flask app needs, waits for its orders, and then becomes the app.

The platform puts the source into /app, writes the orders, and opens the gate.
A replica that is started again finds its orders there and does not wait."""

import gc
import importlib
import json
import os
import runpy
import sys

ORDERS = "/run/standby/start.json"
GATE = "/run/standby/gate"

# What an app would import within the first moments of its start, and nothing
# that acts when it is imported. Without one of them the app does its own import.
USUAL = ("flask", "gunicorn.app.wsgiapp", "gunicorn.arbiter", "gunicorn.workers.gthread", "gunicorn.http.wsgi")


def preload():
    for name in USUAL:
        try:
            importlib.import_module(name)
        except Exception:
            pass
    gc.collect()
    gc.freeze()  # the workers share these pages


def await_orders():
    if not os.path.exists(ORDERS):
        with open(GATE, "rb", buffering=0) as gate:
            gate.read(1)
    with open(ORDERS, encoding="utf-8") as orders:
        return json.load(orders)


def become(command):
    """Do what `python3 -m MODULE ARGUMENTS…` does, without another start of Python."""
    python, flag, module = command[:3]
    if flag != "-m":
        os.execvp(python, command)
    importlib.invalidate_caches()  # /app was empty until now
    sys.argv = [module] + command[3:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    preload()
    become(await_orders()["command"])
