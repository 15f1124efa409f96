"""Messages of organisers to participants, and the list of mails that left."""

from flask import Flask

from . import mails, views  # noqa: F401  mails: registers its builder and its job


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
