"""Tickets and access links: two secrets of one registration, neither of which works as the other.

The ticket's code ("C1" and 26 base32 characters, 128 bits) only checks in. The access link carries another secret of
256 bits in the fragment of its address, so that no server log, mail scanner or preview bot sees it; a POST exchanges
it for a session. Both are derived with the site's token key from a random seed per registration, and the database
keeps only their SHA-256: a new seed makes both anew.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from consult_app import web
from consult_app.settings import setting


def new_seed() -> str:
    return secrets.token_hex(32)


def _derive(purpose: str, seed: str) -> bytes:
    key: str = setting("TOKEN_KEY")
    return hmac.digest(key.encode(), f"{purpose}:{seed}".encode(), "sha256")


def ticket_code(seed: str) -> str:
    """What the QR of a ticket says."""
    return "C1" + base64.b32encode(_derive("ticket", seed)[:16]).decode().rstrip("=")


def secret(purpose: str, seed: str) -> str:
    """A secret for the fragment of an address; one for each purpose, none of which tells another."""
    return base64.urlsafe_b64encode(_derive(purpose, seed)).decode().rstrip("=")


def grouped(code: str) -> str:
    """A ticket's code in groups of four, as it is easier to read out and to type."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def link_secret(seed: str) -> str:
    return secret("link", seed)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def normal_code(typed: str) -> str:
    """A code as typed or scanned, without spaces and dashes and in capitals."""
    return "".join(c for c in typed.upper() if c.isalnum())[:64]


def personal_link(seed: str, then: str = "") -> str:
    """The full personal address; `then` is the page of ours to show first."""
    return web.external_url("registrations.open_link", **({"then": then} if then else {})) + "#" + link_secret(seed)
