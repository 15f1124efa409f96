"""outcomes: see models, actions, queries, views."""

from flask import Flask

from . import mails, views  # noqa: F401  mails: registers its builder and its hourly job


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
