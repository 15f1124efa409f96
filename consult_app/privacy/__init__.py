"""Rights of the people whose data is kept: seeing and taking it along, withdrawing consent, requests, retention, erasure."""

from flask import Flask

from consult_app.settings import setting

from . import labels, mails, retention, views  # noqa: F401  mails and retention register what the worker runs


def kept_for() -> list[tuple[object, int]]:
    """Each kind of personal data that is deleted in time, in words, and after how many days."""
    return [(words, setting("KEEP_DAYS")[kind]) for kind, words in labels.KEPT.items()]


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
    app.jinja_env.globals["kept_for"] = kept_for
