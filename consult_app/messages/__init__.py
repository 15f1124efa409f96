"""Messages to a filtered set of participants."""

from flask import Flask

from . import models  # noqa: F401


def init_app(app: Flask) -> None:
    """Nothing to install yet."""
