"""The site's own secrets: given by the environment, else made once under `var/keys/` and kept there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from flask import Flask


def kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """The file's bytes, made now if there is none; of two processes that start at once the first one's hold."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_bytes(make())
        try:
            os.link(fresh, path)  # fails where another process was first
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()


def kept_secret(folder: Path, name: str) -> str:
    """The secret in `folder/name`; 256 random bits, made now if there is none."""
    return kept(folder / name, lambda: secrets.token_hex(32).encode()).decode().strip()


def init_app(app: Flask) -> None:
    folder = app.config["VAR"] / "keys"
    for name in ("SECRET_KEY", "TOKEN_KEY"):
        app.config[name] = app.config[name] or kept_secret(folder, name.lower())
