"""Rights of the people whose data is kept: export, requests, retention, erasure."""

from flask import Flask

from . import models  # noqa: F401


def init_app(app: Flask) -> None:
    """Nothing to install yet."""
