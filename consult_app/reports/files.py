"""Where sealed files are kept: whole or not at all, and handed out only as they were recorded."""

from __future__ import annotations

from pathlib import Path

from flask import current_app

from consult_app.reports.models import Report
from consult_app.reports.seal import sha256
from consult_app.storage import write_whole


def folder() -> Path:
    """Where sealed reports are kept."""
    return Path(current_app.config["VAR"]) / "reports"


def keep(filename: str, document: bytes) -> None:
    """Write a file that is either there as a whole or not at all, also after a power loss."""
    write_whole(folder() / filename, document)


def kept(report: Report) -> bytes | None:
    """The sealed file of a report; None where it is gone or is not the one that was recorded."""
    return _as_recorded(report.filename, report.sha256 or "")


def kept_copy(report: Report, kind: str) -> bytes | None:
    """The same facts in another form (`copies.KINDS`); None where there is none, or not as it was recorded."""
    recorded = report.manifest.get("files", {}).get(kind, {})
    return _as_recorded(f"{report.public_id}.{kind}", recorded.get("sha256", ""))


def _as_recorded(filename: str, digest: str) -> bytes | None:
    path = folder() / filename
    document = path.read_bytes() if filename and path.is_file() else b""
    return document if document and sha256(document) == digest else None
