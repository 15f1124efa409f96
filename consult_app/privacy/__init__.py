"""Rights of the people whose data is kept: seeing and taking it along, withdrawing consent, requests, retention, erasure."""

from flask import Flask

from . import mails, retention, views  # noqa: F401  both register what the worker runs


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
