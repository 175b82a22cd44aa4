"""Orders, kept in this replica's memory until it ends."""

import shortuuid
from flask import Blueprint, abort, current_app, jsonify, request

PRICES = {"tea": 350, "coffee": 280, "cake": 420}

blueprint = Blueprint("orders", __name__)
orders = {}


@blueprint.get("/")
def index():
    return jsonify(prices=PRICES, currency=current_app.config["CURRENCY"])


@blueprint.post("/orders")
def create():
    item = (request.get_json(silent=True) or {}).get("item")
    if item not in PRICES:
        abort(400, f"choose one of {', '.join(PRICES)}")
    order = {"id": shortuuid.uuid(), "item": item, "price": PRICES[item]}
    orders[order["id"]] = order
    current_app.logger.info("ordered %s", item)
    return jsonify(order), 201


@blueprint.get("/orders/<order>")
def show(order):
    return jsonify(orders.get(order) or abort(404))


@blueprint.get("/healthz")
def health():
    return "ok\n"
