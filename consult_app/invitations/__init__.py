"""Invitations of institutions and persons, and the page of an institution."""

from flask import Flask

from . import models  # noqa: F401


def init_app(app: Flask) -> None:
    """Nothing to install yet."""
