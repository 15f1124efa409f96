"""The site's own secrets: given by the environment, else made once under `var/keys/` and kept there."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from flask import Flask


def kept_secret(folder: Path, name: str) -> str:
    """The secret in `folder/name`; 256 random bits, made now if there is none. Two processes that start at once agree."""
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = folder / f".{name}.{os.getpid()}"
        fresh.write_text(secrets.token_hex(32))
        fresh.chmod(0o600)
        try:
            os.link(fresh, path)  # fails where another process was first: its secret holds
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()


def init_app(app: Flask) -> None:
    folder = app.config["VAR"] / "keys"
    for name in ("SECRET_KEY", "TOKEN_KEY"):
        app.config[name] = app.config[name] or kept_secret(folder, name.lower())
