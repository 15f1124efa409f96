"""Is this file a report we sealed? A clear answer for any bytes (product.md rule 21).

A file is compared with the SHA-256 that was recorded; only bytes that are exactly ours are then read as a PDF, so that
nobody can feed a hostile one to the reader. Of any other file we only look for the code of a report in it, and
compare it with the file we kept. Nothing that is sent here is stored.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import select

from consult_app.db import db
from consult_app.i18n import _
from consult_app.reports import seal
from consult_app.reports.files import kept
from consult_app.reports.models import Report, ReportState
from consult_app.reports.queries import find_by_hash, superseded_by

log = structlog.get_logger()
CLAIM = re.compile(rb"Report ([a-z2-9]{12})\b")


class Verdict(enum.StrEnum):
    VALID = "valid"
    SUPERSEDED = "superseded"  # valid, and a later report has taken its place
    ALTERED = "altered"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """The answer: the verdict, the file's SHA-256, the report it is or claims to be, and what differs, in words."""

    verdict: Verdict
    sha256: str
    report: Report | None = None
    later: Report | None = None
    words: list[Any] = field(default_factory=list)

    @property
    def is_valid(self) -> bool:
        return self.verdict in (Verdict.VALID, Verdict.SUPERSEDED)


def _seal_problems(document: bytes) -> list[Any]:
    try:
        found = seal.check(document)
    except Exception:  # the bytes are those we recorded, so this is a fault of the key or the library
        log.exception("report.seal_unreadable")
        return [_("The seal of this file cannot be read.")]
    problems = []
    if not found.is_intact:
        problems.append(_("The seal does not fit the content."))
    if not found.is_ours:
        problems.append(_("The seal was not made with this site’s present key."))
    if not found.covers_all:
        problems.append(_("The seal does not cover the whole file."))
    return problems


def difference(ours: bytes, given: bytes) -> Any:
    """How the given bytes differ from ours, in words."""
    if given.startswith(ours):
        return _("%(count)s bytes were added after the seal.", count=len(given) - len(ours))
    if ours.startswith(given):
        return _("The file ends too early: %(count)s bytes are missing.", count=len(ours) - len(given))
    at = next(n for n, (one, other) in enumerate(zip(ours, given, strict=False)) if one != other)
    return _("It differs from the sealed file, first at byte %(place)s of %(count)s.", place=at + 1, count=len(ours))


def _claimed(document: bytes) -> Report | None:
    """The sealed report whose code stands in the file, in its title or in its seal."""
    codes = {code.decode("ascii") for code in CLAIM.findall(document)}
    query = select(Report).where(Report.public_id.in_(sorted(codes)[:20]), Report.state == ReportState.SEALED).order_by(Report.id.desc())
    return db.session.scalars(query).first() if codes else None


def examine(document: bytes) -> Finding:
    """Say what a file is: valid, superseded, altered or unknown; never an error, whatever the bytes are."""
    digest = seal.sha256(document)
    report = find_by_hash(digest)
    if report is not None:
        problems = _seal_problems(document)
        later = superseded_by(report)
        if problems:
            return Finding(Verdict.ALTERED, digest, report, later, problems)
        return Finding(Verdict.SUPERSEDED if later is not None else Verdict.VALID, digest, report, later)
    report = _claimed(document)
    if report is None:
        return Finding(Verdict.UNKNOWN, digest)
    original = kept(report)
    words = [difference(original, document)] if original is not None else []
    return Finding(Verdict.ALTERED, digest, report, superseded_by(report), words)
