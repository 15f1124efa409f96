"""What can go wrong in the domain, in words a user can act on. No Flask here.

A message is text or a lazy translation (`i18n._`); the error handler in `web.py` renders it in the reader's language.
"""

from __future__ import annotations

from typing import Any


class DomainError(Exception):
    """An action that cannot be done now. `status` is the HTTP status a view answers with."""

    status = 409

    def __init__(self, message: Any, reasons: list[Any] | None = None) -> None:
        super().__init__(str(message) if isinstance(message, str) else "")
        self.message = message
        self.reasons = reasons or []


class Conflict(DomainError):
    """The state does not allow it, or somebody else was first (409)."""


class Invalid(DomainError):
    """What was given is wrong (422); `field` names the form field to mark, when there is one."""

    status = 422

    def __init__(self, message: Any, field: str = "", reasons: list[Any] | None = None) -> None:
        super().__init__(message, reasons)
        self.field = field


class Missing(DomainError):
    """There is no such thing, or not for this actor (404)."""

    status = 404


class Unavailable(DomainError):
    """Something that this needs does not answer at the moment; it can be tried again (503)."""

    status = 503
