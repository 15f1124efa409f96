"""The papers of an event: badges, tent cards, certificates, minutes, official record."""

from flask import Flask

from . import models  # noqa: F401


def init_app(app: Flask) -> None:
    """Nothing to install yet."""
