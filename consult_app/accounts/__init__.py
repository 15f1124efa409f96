"""Accounts of staff: sign-in, second factor, passkeys, password, sessions, profile."""

from . import own_views, passkey_views
from .views import init_app

__all__ = ["init_app", "own_views", "passkey_views"]
