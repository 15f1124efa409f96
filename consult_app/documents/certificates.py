"""Certificates of attendance: one landscape page each, with the number it was issued under and a QR to its public page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reportlab.lib.pagesizes import landscape
from reportlab.pdfgen.canvas import Canvas

from consult_app import pdf, web
from consult_app.documents.badges import PAPERS
from consult_app.documents.fitting import draw, fit
from consult_app.documents.models import Certificate, Letterhead
from consult_app.i18n import date_of, day, days, gettext, language, local
from consult_app.pdf import mm
from consult_app.registrations import labels
from consult_app.registrations.models import ParticipantRole

SIGNED = 62  # millimetres above which the words stand, and under which it is signed


@dataclass(frozen=True)
class _Row:
    """One line of the page: words, font, room in height, size at most and least, colour, space below."""

    words: str
    font: str
    height: float
    most: float
    least: float
    colour: Any
    below: float


def certificates(issued: Sequence[Certificate], letterhead: Letterhead, paper: str) -> bytes:
    """The pages as a PDF in the reader's language."""
    pdf.fonts()
    buffer = io.BytesIO()
    width, height = landscape(PAPERS[paper])
    # the same bytes each time, with its code to be read without taking the file apart: so the site knows it again (reports/verify.py)
    canvas = Canvas(buffer, pagesize=(width, height), lang=language(), initialFontName=pdf.SANS, invariant=1)  # type: ignore[arg-type]
    canvas.setTitle(gettext("Certificate of attendance"))
    if len(issued) == 1:
        canvas.setSubject(f"Certificate {issued[0].public_id}")
    canvas.setAuthor("Consult")
    for certificate in issued:
        _frame(canvas, width, height)
        top = _heading(canvas, letterhead, certificate, width, height)
        _words(canvas, certificate, width, top)
        _foot(canvas, certificate, letterhead, width)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _frame(canvas: Any, width: float, height: float) -> None:
    canvas.setStrokeColor(pdf.ACCENT)
    for inset, line in ((9 * mm, 1.6), (11 * mm, 0.4)):
        canvas.setLineWidth(line)
        canvas.rect(inset, inset, width - 2 * inset, height - 2 * inset, stroke=1, fill=0)


def _heading(canvas: Any, letterhead: Letterhead, certificate: Certificate, width: float, height: float) -> float:
    top, inner = height - 19 * mm, width - 60 * mm
    lines = [line for line in local(letterhead.heading).split("\n") if line.strip()] or [local(certificate.event.consultation.title)]
    canvas.setFillColor(pdf.INK)
    for line in lines[:3]:
        top = draw(canvas, fit(line, pdf.SANS_BOLD, inner, 6 * mm, 12, 7), 30 * mm, top, inner, "center")
    canvas.setStrokeColor(pdf.HAIR)
    canvas.setLineWidth(0.8)
    canvas.line(width / 2 - 40 * mm, top - 3 * mm, width / 2 + 40 * mm, top - 3 * mm)
    return top - 8 * mm


def _words(canvas: Any, certificate: Certificate, width: float, top: float) -> None:
    event, inner = certificate.event, width - 60 * mm
    when = day(event.starts_on) if event.starts_on == event.ends_on else days(event.starts_on, event.ends_on)
    place = ", ".join(part for part in (event.venue, event.address) if part)
    held = gettext("held on %(when)s at %(place)s", when=when, place=place) if place else gettext("held on %(when)s", when=when)
    if certificate.hours:
        held += ", " + gettext("%(hours)s hours", hours=certificate.hours)
    rows = (
        _Row(gettext("Certificate of attendance"), pdf.SERIF_BOLD, 14 * mm, 32, 18, pdf.ACCENT, 0),
        _Row(gettext("Number: %(number)s", number=certificate.number_text), pdf.SANS, 6 * mm, 11, 7, pdf.MUTED, 6),
        _Row(gettext("This certifies that"), pdf.SANS, 6 * mm, 12, 8, pdf.INK, 2),
        _Row(certificate.name, pdf.SERIF_BOLD, 22 * mm, 30, 10, pdf.INK, 1.5),
        _Row(institution_of(certificate), pdf.SANS, 10 * mm, 13, 8, pdf.MUTED, 4),
        _Row(gettext("attended as %(role)s", role=role_of(certificate)), pdf.SANS, 6 * mm, 12, 8, pdf.INK, 2),
        _Row(local(event.title), pdf.SERIF_BOLD, 15 * mm, 18, 10, pdf.INK, 1),
        _Row(held, pdf.SANS, 11 * mm, 12, 7, pdf.INK, 0),
    )
    fitted_rows = [(row, fit(row.words, row.font, inner, row.height, row.most, row.least)) for row in rows]
    used = sum(fitted.height + row.below * mm for row, fitted in fitted_rows)
    top -= max(0.0, top - SIGNED * mm - used) * 0.45  # what is spare stands above and below
    for row, fitted in fitted_rows:
        canvas.setFillColor(row.colour)
        top = draw(canvas, fitted, 30 * mm, top, inner, "center") - row.below * mm


def role_of(certificate: Certificate) -> str:
    """The role in the reader's language; kept as it was when the certificate was issued."""
    return str(labels.ROLE[ParticipantRole(certificate.role)]) if certificate.role in set(ParticipantRole) else certificate.role


def institution_of(certificate: Certificate) -> str:
    """The institution as printed; in the reader's language while its name is the same."""
    name = certificate.registration.institution.name
    return local(name) if certificate.institution in name.values() else certificate.institution


def _foot(canvas: Any, certificate: Certificate, letterhead: Letterhead, width: float) -> None:
    url = web.external_url("certificates.verify", code=certificate.public_id)
    side, base = 30 * mm, 15 * mm
    pdf.draw_qr(canvas, url, 18 * mm, base + 5 * mm, side)
    canvas.setFillColor(pdf.MUTED)
    pdf.draw_line(canvas, 20 * mm, base + 4 * mm, gettext("Anyone can check this certificate at"), pdf.SANS, 8)
    pdf.draw_line(canvas, 20 * mm, base, url, pdf.SANS, 8, 110 * mm)
    x, inner = width - 105 * mm, 80 * mm
    event = certificate.event
    canvas.setFillColor(pdf.INK)
    where = f"{letterhead.place}, " if letterhead.place else ""
    dated = fit(where + date_of(event.day_of(certificate.issued_at)), pdf.SANS, inner, 6 * mm, 11, 7)
    draw(canvas, dated, x, base + 44 * mm, inner, "center")
    position = letterhead.signatory_position
    shown = local(position) if certificate.signatory_position in position.values() else certificate.signatory_position
    at = draw(canvas, fit(shown, pdf.SANS, inner, 9 * mm, 11, 6), x, base + 38.5 * mm, inner, "center")
    name = fit(certificate.signatory_name, pdf.SANS_BOLD, inner, 9 * mm, 12, 6)
    at = draw(canvas, name, x, base + 4 * mm + name.height, inner, "center")
    canvas.setStrokeColor(pdf.MUTED)
    canvas.setLineWidth(0.5)
    canvas.line(x + 8 * mm, at - 1 * mm, x + inner - 8 * mm, at - 1 * mm)
