"""Comments, endorsements, positions, and their answers."""

from flask import Flask

from . import desk, views


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
    app.register_blueprint(desk.bp)
