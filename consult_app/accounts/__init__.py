"""Accounts of staff: sign-in, second factor, password, profile."""

from .views import init_app

__all__ = ["init_app"]
