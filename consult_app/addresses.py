"""An e-mail address in its one form: the same person, however it was typed (rule 5)."""

from __future__ import annotations

import contextlib
import unicodedata

import idna

_DROPPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control characters, zero width


def address_key(words: str | None) -> str:
    """The address in small letters and ASCII digits and dots, its domain as in DNS (punycode); "" for nothing.

    By it seats are kept apart, accounts found, and tries counted.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKC", words or "") if unicodedata.category(c) not in _DROPPED)
    plain = plain.strip().replace("\u3002", ".").lower()
    name, at, domain = plain.rpartition("@")
    with contextlib.suppress(idna.IDNAError):  # no domain at all: the form says so
        domain = idna.encode(domain.rstrip("."), uts46=True).decode() if at else domain
    return f"{name}{at}{domain}"
