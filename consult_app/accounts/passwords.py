"""Password hashes (argon2id), computed in a thread of their own under gevent: one takes a tenth of a second."""

from __future__ import annotations

import gevent
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from gevent.monkey import is_module_patched

_hasher = PasswordHasher()
# Verified when there is no such account, so that the answer takes as long as for a wrong password. No password has this hash.
_NOBODY = f"$argon2id$v=19$m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}${'A' * 22}${'A' * 43}"


def _aside(function: object, *values: str) -> object:
    if is_module_patched("threading"):
        return gevent.get_hub().threadpool.apply(function, values)
    return function(*values)  # type: ignore[operator]


def hash_password(password: str) -> str:
    return str(_aside(_hasher.hash, password))


def is_password(password: str, kept: str | None) -> bool:
    """Whether the password fits the kept hash; takes the same time when there is none."""
    try:
        return bool(_aside(_hasher.verify, kept or _NOBODY, password)) and kept is not None
    except (VerificationError, InvalidHashError):
        return False
