"""A shop in memory: an app factory in a package, with one dependency."""

import os

from flask import Flask

from . import orders


def create_app():
    app = Flask(__name__)
    app.config["CURRENCY"] = os.environ.get("CURRENCY", "EUR")
    app.register_blueprint(orders.blueprint)
    return app
