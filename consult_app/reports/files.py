"""Where sealed files are kept: whole or not at all, and handed out only as they were recorded."""

from __future__ import annotations

import os
from pathlib import Path

from flask import current_app

from consult_app.reports.models import Report
from consult_app.reports.seal import sha256


def folder() -> Path:
    """Where sealed reports are kept."""
    return Path(current_app.config["VAR"]) / "reports"


def keep(filename: str, document: bytes) -> None:
    """Write a file that is either there as a whole or not at all, also after a power loss."""
    path = folder() / filename
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.part")
    with fresh.open("wb") as file:
        file.write(document)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def kept(report: Report) -> bytes | None:
    """The sealed file of a report; None where it is gone or is not the one that was recorded."""
    path = folder() / report.filename
    document = path.read_bytes() if report.filename and path.is_file() else b""
    return document if sha256(document) == report.sha256 else None
