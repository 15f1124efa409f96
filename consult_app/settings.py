"""The one place where the domain asks for a setting; it sees no request."""

from __future__ import annotations

from typing import Any

from flask import current_app


def setting(name: str) -> Any:
    """The value of a setting of `config.py`."""
    return current_app.config[name]
