"""Checkpoints of the log: where a chain stood, signed with the site's Ed25519 key, for people to keep elsewhere.

Whoever rewrites a chain can make it fit in itself again; it no longer fits a checkpoint that somebody else holds. A
checkpoint is a small JSON text. Its signature is over the canonical JSON of everything else in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from flask import Flask, current_app
from sqlalchemy import select

from .audit import START, AuditEntry, Fault, canonical, last_number
from .db import db, now
from .keys import kept

TYPE = "consult-checkpoint-1"
FIELDS = ("type", "site", "address", "chain", "number", "hash", "recorded_at", "made_at", "public_key", "signature")
MOST = 10_000  # characters of a checkpoint that is read
log = structlog.get_logger()


class KeyUnusable(OSError):
    """The key that checkpoints are signed with is missing or cannot be read. Mails that need it wait, and are tried again."""


class NotGenuine(Exception):
    """A text that is no checkpoint, or was not signed with the key it is compared with; says which."""


@dataclass(frozen=True)
class Checkpoint:
    """What a genuine checkpoint says: entry `number` of `chain` had this hash."""

    site: str
    chain: str
    number: int
    hash: str
    made_at: str


# -- the key --


def _folder() -> Path:
    return Path(current_app.config["VAR"]) / "keys"


def _new_key() -> bytes:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Ed25519PrivateKey.generate().private_bytes(*form)


def _public_hex(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()


def init_app(app: Flask) -> None:
    """Make the key at set-up. Where its public half is there already, a key that is gone is not made anew: that would hide it."""
    folder = app.config["VAR"] / "keys"
    if (folder / "checkpoint.pub").exists():
        return
    try:
        key = _load(kept(folder / "checkpoint.key", _new_key))
        kept(folder / "checkpoint.pub", lambda: _public_hex(key).encode())
    except OSError as problem:
        log.error("checkpoint.no_key", problem=str(problem))


def _load(pem: bytes) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as problem:
        raise KeyUnusable("var/keys/checkpoint.key is not a key") from problem
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable("var/keys/checkpoint.key is not an Ed25519 key")
    return key


def _key() -> Ed25519PrivateKey:
    try:
        key = _load((_folder() / "checkpoint.key").read_bytes())
        public = (_folder() / "checkpoint.pub").read_text().strip()
    except KeyUnusable:
        raise
    except (OSError, ValueError) as problem:
        raise KeyUnusable("the keys of checkpoints under var/keys/ cannot be read; put them back from the backup") from problem
    if _public_hex(key) != public:
        raise KeyUnusable("var/keys/checkpoint.key and checkpoint.pub are not of one pair; put them back from the backup")
    return key


def public_key() -> str:
    """The public half, in hexadecimal, by which anybody checks a checkpoint; empty where it cannot be read."""
    try:
        return (_folder() / "checkpoint.pub").read_text().strip()
    except (OSError, ValueError):
        return ""


def is_ready() -> bool:
    """Whether checkpoints can be made now."""
    try:
        _key()
    except KeyUnusable:
        return False
    return True


# -- making and checking --


def _entry(chain: str, number: int) -> AuditEntry | None:
    return db.session.scalar(select(AuditEntry).where(AuditEntry.chain == chain, AuditEntry.number == number))


def make(chain: str, number: int | None = None) -> str:
    """The checkpoint of a chain as JSON text: of its last entry, or of entry `number`. Raises KeyUnusable, or LookupError."""
    key = _key()
    wanted = last_number(chain) if number is None else number
    entry = _entry(chain, wanted)
    if entry is None and wanted:
        raise LookupError(f"chain {chain} has no entry {wanted}")
    said = {
        "type": TYPE,
        "site": current_app.config["SITE_NAME"],
        "address": current_app.config["BASE_URL"],
        "chain": chain,
        "number": wanted,
        "hash": entry.hash if entry is not None else START,
        "recorded_at": entry.at.isoformat() if entry is not None else "",
        "made_at": now().isoformat(),
        "public_key": _public_hex(key),
    }
    signature = key.sign(canonical(said).encode("utf-8", "surrogatepass")).hex()
    return json.dumps({**said, "signature": signature}, indent=2, ensure_ascii=False) + "\n"


def _parse(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text) if len(text) <= MOST else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.get("type") != TYPE or set(said) != set(FIELDS):
        raise NotGenuine("this is not a checkpoint")
    number = said["number"]
    if not isinstance(number, int) or isinstance(number, bool) or not all(isinstance(said[f], str) for f in FIELDS if f != "number"):
        raise NotGenuine("this is not a checkpoint")
    return said


def check(text: str, public: str) -> Checkpoint:
    """What a checkpoint says, if it was signed with the key of which `public` is the public half (hexadecimal).

    Raises NotGenuine, with the reason, whatever the text is.
    """
    said = _parse(text)
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public.strip()))
    except ValueError:
        raise NotGenuine("the public key to compare with is not an Ed25519 key in hexadecimal") from None
    signed = canonical({name: said[name] for name in FIELDS if name != "signature"}).encode("utf-8", "surrogatepass")
    try:
        key.verify(bytes.fromhex(said["signature"]), signed)
    except (InvalidSignature, ValueError):
        other = said["public_key"] != public.strip().lower()
        words = "it was signed with another key" if other else "its signature does not fit: it was changed"
        raise NotGenuine(words) from None
    return Checkpoint(said["site"], said["chain"], said["number"], said["hash"], said["made_at"])


def faults(checkpoint: Checkpoint) -> Iterator[Fault]:
    """What of the chain is no longer as the checkpoint saw it. Whether the chain holds in itself is `audit.verify()`'s to say."""
    entry = _entry(checkpoint.chain, checkpoint.number)
    if not checkpoint.number:
        return
    if entry is None:
        words = f"the chain was cut off: the checkpoint of {checkpoint.made_at} saw this entry, and it is gone"
        yield Fault(checkpoint.chain, checkpoint.number, words)
    elif entry.hash != checkpoint.hash:
        words = f"the chain was rewritten: the checkpoint of {checkpoint.made_at} saw another entry here"
        yield Fault(checkpoint.chain, checkpoint.number, words)
