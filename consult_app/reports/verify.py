"""Is this file one that we published? A clear answer for any bytes (product.md rule 21).

A file is compared with the SHA-256 of every file that was published: the sealed PDF, the same facts in other forms, what is enclosed
in them. Only bytes that are exactly ours are then read as a PDF, so that nobody can feed a hostile one to the reader. Of any other file
we only look for the code of a report or a certificate of attendance in it, and compare it with the file we kept, or make again. Nothing
that is sent here is stored, no key is read and none is made.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import select

from consult_app.db import db
from consult_app.documents.make import reprints
from consult_app.documents.models import Certificate
from consult_app.documents.queries import find_certificate
from consult_app.i18n import _
from consult_app.reports import seal
from consult_app.reports.files import kept
from consult_app.reports.models import Report, ReportState
from consult_app.reports.queries import Known, find_by_hash, is_logged, superseded_by

log = structlog.get_logger()
CLAIM = re.compile(rb"Report ([a-z2-9]{12})\b")
CERTIFICATE = re.compile(rb"Certificate ([a-z2-9]{12})\b")


class Verdict(enum.StrEnum):
    VALID = "valid"
    SUPERSEDED = "superseded"  # valid, and a later report has taken its place
    WITHDRAWN = "withdrawn"  # as it was sealed, and the organiser has withdrawn it
    CERTIFICATE = "certificate"  # of attendance, as it is printed here
    REVOKED = "revoked"  # the same, but revoked since
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
    known: Known | None = None  # which of the published files it is
    certificate: Certificate | None = None

    @property
    def is_valid(self) -> bool:
        """Whether the bytes are those that were sealed, in force or not."""
        return self.verdict in (Verdict.VALID, Verdict.SUPERSEDED, Verdict.WITHDRAWN)


def _seal_problems(document: bytes, report: Report) -> list[Any]:
    if not is_logged(report):
        return [_("The log has another SHA-256 for this report: what is recorded of it was changed. Tell the administrator.")]
    try:
        found = seal.check(document, report.manifest["seal"]["certificate"])
    except Exception:  # the bytes are those we recorded, so this is a fault of the library
        log.exception("report.seal_unreadable")
        return [_("The seal of this file cannot be read.")]
    problems = []
    if not found.is_intact:
        problems.append(_("The seal does not fit the content."))
    if not found.is_ours:
        problems.append(_("The seal was not made with the certificate that was recorded."))
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
    """Say what a file is: never an error, whatever the bytes are."""
    digest = seal.sha256(document)
    known = find_by_hash(digest)
    if known is not None:
        return _published(document, digest, known)
    report = _claimed(document)
    if report is None:
        return _certificate(document, digest) or Finding(Verdict.UNKNOWN, digest)
    original = kept(report)
    words = [difference(original, document)] if original is not None else []
    return Finding(Verdict.ALTERED, digest, report, superseded_by(report), words)


def _published(document: bytes, digest: str, known: Known) -> Finding:
    """What there is to say of a file that was published: a sealed one has its seal checked too."""
    report, later = known.report, superseded_by(known.report)
    if known.kind == "pdf" and not known.member:
        problems = _seal_problems(document, report)
        if problems:
            return Finding(Verdict.ALTERED, digest, report, later, problems, known)
    if report.is_withdrawn:
        return Finding(Verdict.WITHDRAWN, digest, report, later, known=known)
    return Finding(Verdict.SUPERSEDED if later is not None else Verdict.VALID, digest, report, later, known=known)


def _certificate(document: bytes, digest: str) -> Finding | None:
    """A certificate of attendance is made again, in each language and on each paper, and compared."""
    code = CERTIFICATE.search(document) if document.startswith(b"%PDF") else None
    certificate = find_certificate(code[1].decode("ascii")) if code else None
    if certificate is None:
        return None
    if certificate.revoked_at is not None:
        return Finding(Verdict.REVOKED, digest, certificate=certificate)
    if digest in map(seal.sha256, reprints(certificate)):
        return Finding(Verdict.CERTIFICATE, digest, certificate=certificate)
    words = _("It names a certificate of attendance that was issued here, but is not as it would be printed today: it, or the register, "
              "was changed. Compare it with its public page.")  # fmt: skip
    return Finding(Verdict.UNKNOWN, digest, words=[words], certificate=certificate)
