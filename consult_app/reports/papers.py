"""Signatures on paper: a sheet to print and sign by hand, and the scan of it (or a PDF signed elsewhere) that is kept."""

from __future__ import annotations

import hashlib
from typing import Any

from reportlab.platypus import Flowable, Spacer, TableStyle
from reportlab.platypus.tables import Table
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app import audit, filekind, pdf, storage
from consult_app.accounts.models import User
from consult_app.consultations.models import Consultation, Section
from consult_app.db import db
from consult_app.errors import Conflict, Invalid, Missing
from consult_app.forms import clean
from consult_app.i18n import _, gettext, local
from consult_app.pdf import mm, paragraph
from consult_app.policy import Actor
from consult_app.reports.layout import Outline, PageNumbers, furniture, grouped
from consult_app.reports.models import SignedPaper
from consult_app.signoff.standing import places

MOST_BYTES = 10 * 1024 * 1024
KINDS = {"pdf": "application/pdf", "png": "image/png", "jpeg": "image/jpeg"}


def papers_of(section: Section) -> list[SignedPaper]:
    """What is kept for a section, the newest first."""
    query = select(SignedPaper).where(SignedPaper.section_id == section.id).order_by(SignedPaper.id.desc())
    return list(db.session.scalars(query.options(joinedload(SignedPaper.revision), joinedload(SignedPaper.kept_by))))


def current_papers(consultation: Consultation) -> dict[int, list[SignedPaper]]:
    """What is kept for the current revisions, by the section's id."""
    found: dict[int, list[SignedPaper]] = {}
    query = select(SignedPaper).where(SignedPaper.consultation_id == consultation.id).order_by(SignedPaper.id)
    for paper in db.session.scalars(query.options(joinedload(SignedPaper.revision), joinedload(SignedPaper.section))):
        if paper.revision.number == paper.section.revision_number:
            found.setdefault(paper.section_id, []).append(paper)
    return found


def load_paper(consultation: Consultation, public_id: str) -> SignedPaper:
    """One of this consultation. Raises Missing."""
    query = select(SignedPaper).where(SignedPaper.consultation_id == consultation.id, SignedPaper.public_id == public_id)
    found = db.session.scalar(query.options(joinedload(SignedPaper.section)))
    if found is None:
        raise Missing(_("There is no such paper in this consultation."))
    return found


def content(paper: SignedPaper) -> bytes:
    """The file, if it still is the one that was kept. Raises Missing."""
    data = storage.store().get(paper.key)
    if data is None or hashlib.sha256(data).hexdigest() != paper.sha256:
        raise Missing(_("This file is not as it was received. Tell the organisers."))
    return data


def look(data: bytes) -> str:
    """What a file is by its content: "pdf", "png" or "jpeg". Raises Invalid."""
    if len(data) > MOST_BYTES:
        raise Invalid(_("The file is larger than 10 MB."), field="file")
    try:
        kind = filekind.plain_kind(data)
    except filekind.Refused:
        kind = ""
    if kind not in KINDS:
        raise Invalid(_("This is no PDF and no picture (PNG or JPEG)."), field="file")
    return kind


@audit.in_turn
def keep_paper(section: Section, kind: str, key: str, data: bytes, note: str, shown_sha256: str, *, by: Actor) -> SignedPaper:
    """Record a file that lies in the store under `key`, for the revision that its sheet shows; the same file again is the one that is kept.

    Raises Conflict where the text has changed since the page was opened.
    """
    revision = section.revision
    if revision is None or revision.sha256 != shown_sha256:
        raise Conflict(_("The text has changed since this page was opened. Compare the paper with the current revision."))
    digest = hashlib.sha256(data).hexdigest()
    kept = db.session.scalar(select(SignedPaper).where(SignedPaper.revision_id == revision.id, SignedPaper.sha256 == digest))
    if kept is not None:
        return kept
    paper = SignedPaper(
        consultation_id=section.consultation_id, section=section, revision=revision, kind=kind, size=len(data), sha256=digest, key=key,
        note=clean(note), kept_by=by if isinstance(by, User) else None,
    )  # fmt: skip
    db.session.add(paper)
    audit.record(by, "paper.keep", paper)
    return paper


# -- the sheet --


def _row(name: str, institution: str) -> list[Any]:
    dots = "……………………………………"
    who = [paragraph(name, pdf.SANS_BOLD, 10), paragraph(institution, pdf.SANS, 9, textColor=pdf.MUTED)]
    lines = [paragraph(f"{words}: {dots}", pdf.SANS, 9, spaceAfter=6) for words in (gettext("Position"), gettext("Place"), gettext("Date"))]
    return [who, lines, paragraph(gettext("Signature and stamp"), pdf.SANS, 7.5, textColor=pdf.MUTED)]


def signature_sheet(section: Section) -> bytes:
    """A sheet for one revision: what is signed, its SHA-256, and a box for each required signature. Raises Conflict without a revision."""
    revision, consultation = section.revision, section.consultation
    if revision is None:
        raise Conflict(_("This section has no revision yet."))
    outline = Outline()
    title = gettext("Signatures by hand: section %(number)s", number=section.number)
    words = gettext(
        "By signing here I give my approval of revision %(revision)s of this section, which has the SHA-256 below. "
        "Strike out what does not apply, or write your reservation beside your signature.",
        revision=revision.number,
    )
    story: list[Flowable] = [
        paragraph(local(consultation.title), pdf.SANS_BOLD, 11, textColor=pdf.ACCENT),
        paragraph(f"{section.number}  {local(section.title)}", pdf.SERIF_BOLD, 20, spaceAfter=6),
        paragraph(gettext("Revision %(number)s", number=revision.number), pdf.SANS_BOLD, 11),
        paragraph(f"SHA-256 {grouped(revision.sha256)}", pdf.SANS, 9, textColor=pdf.MUTED, spaceAfter=8),
        paragraph(words, pdf.SERIF, 10.5, spaceAfter=8),
    ]
    named = places(section)
    rows = [_row(place.focal_point.user.name, place.focal_point.institution) for place in named] or [_row("……………………………………", "")]
    table = Table(rows, colWidths=[52 * mm, 60 * mm, 54 * mm], rowHeights=[34 * mm] * len(rows))
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("GRID", (0, 0), (-1, -1), 0.5, pdf.HAIR)]))
    note = gettext(
        "The scan of this sheet can be uploaded and is kept with its SHA-256. Consult does not verify signatures by hand; "
        "it records who uploaded the scan and when."
    )
    story += [table, Spacer(1, 6 * mm), paragraph(note, pdf.SANS, 8, textColor=pdf.MUTED)]
    page = furniture(local(consultation.title), title, outline, is_draft=False)
    return pdf.build([*story, PageNumbers(outline)], title, page)
