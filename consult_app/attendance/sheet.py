"""The attendance sheet (daftar hadir): one day, landscape A4, signature boxes staggered so that signatures fit."""

from __future__ import annotations

import datetime as dt
from typing import Any

from reportlab.lib.pagesizes import landscape
from reportlab.platypus import Flowable, LongTable, Spacer, TableStyle

from consult_app import pdf
from consult_app.attendance.queries import arrived_ids, expected
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.i18n import day, gettext, language, local
from consult_app.pdf import A4, TA_CENTER, mm, paragraph
from consult_app.registrations.models import Registration, Sex

WALK_IN_ROWS = 8
_LETTERS = {"en": {Sex.FEMALE: "F", Sex.MALE: "M"}, "id": {Sex.FEMALE: "P", Sex.MALE: "L"}}


def masked(words: str) -> str:
    """A phone number or e-mail address of which only the beginning is told, for the public copy."""
    if "@" in words:
        name, _at, host = words.partition("@")
        return f"{name[:1]}…@{host}"
    return f"{words[:6]}…" if words else ""


def attendance_sheet(event: Event, date: dt.date, *, public: bool = False) -> bytes:
    """A PDF in the reader's language; the `public` copy masks phone and e-mail."""
    pdf.fonts()
    people = expected(event, date)
    arrived = set(db.session.scalars(arrived_ids(event, date)))
    page = landscape(A4)
    head = [
        gettext("No"),
        gettext("Name"),
        _sex_heading(),
        gettext("Institution"),
        gettext("Position"),
        gettext("Phone or e-mail"),
        gettext("Arrived"),
        gettext("Signature"),
    ]
    widths = [w * mm for w in (10, 52, 11, 58, 42, 40, 16, 40)]
    rows: list[list[Any]] = [[paragraph(words, pdf.SANS_BOLD, 8.5) for words in head]]
    for number, person in enumerate(people, start=1):
        rows.append(_line(number, person, person.id in arrived, public))
    for number in range(len(people) + 1, len(people) + WALK_IN_ROWS + 1):
        rows.append([_cell(number), "", "", "", "", "", "", _box(number)])
    table = LongTable(rows, colWidths=widths, repeatRows=1, rowHeights=None)
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, pdf.HAIR),
                ("LINEBELOW", (0, 0), (-1, 0), 1, pdf.ACCENT),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("VALIGN", (-1, 1), (-1, -1), "BOTTOM"),
                ("TOPPADDING", (0, 1), (-1, -1), 5),
                ("BOTTOMPADDING", (0, 1), (-1, -1), 5),
                ("TOPPADDING", (-1, 1), (-1, -1), 16),  # room for a signature above the line
            ]
        )
    )
    counted = gettext(
        "%(registered)s registered for this day, %(arrived)s arrived (as recorded).",
        registered=len(people),
        arrived=sum(p.id in arrived for p in people),
    )
    story: list[Flowable] = [
        table,
        Spacer(1, 6 * mm),
        paragraph(counted, pdf.SANS, 9),
        Spacer(1, 4 * mm),
        paragraph(gettext("For the organiser: name, position, signature") + "  " + "_" * 44, pdf.SANS, 9),
    ]

    def furniture(canvas: Any, document: Any) -> None:
        canvas.saveState()
        top = page[1] - 12 * mm
        canvas.setFillColor(pdf.INK)
        pdf.draw_line(canvas, 14 * mm, top, local(event.consultation.title), pdf.SANS, 9, 160 * mm)
        pdf.draw_line(canvas, 14 * mm, top - 6 * mm, gettext("Attendance sheet") + " – " + local(event.title), pdf.SERIF_BOLD, 14, 200 * mm)
        where = ", ".join(part for part in (day(date), event.venue) if part)
        pdf.draw_line(canvas, page[0] - 14 * mm, top, where, pdf.SANS, 9, 120 * mm, "right")
        canvas.setFillColor(pdf.MUTED)
        note = (
            gettext("Public copy: phone and e-mail are masked.") if public else gettext("Contains personal data: for the organisers only.")
        )
        pdf.draw_line(canvas, 14 * mm, 8 * mm, note, pdf.SANS, 8)
        pdf.draw_line(canvas, page[0] - 14 * mm, 8 * mm, str(document.page), pdf.SANS, 8, align="right")
        canvas.restoreState()

    title = f"{gettext('Attendance sheet')} – {local(event.title)}"
    return pdf.build(story, title, furniture, page, (14 * mm, 14 * mm, 25 * mm, 14 * mm), lang=language())


def _sex_heading() -> str:
    return "L/P" if language() == "id" else "F/M"


def _cell(words: Any) -> Flowable:
    return paragraph(words, pdf.SANS, 8.5)


def _box(number: int) -> Flowable:
    """Odd numbers sign on the left, even ones on the right."""
    return paragraph(f"{number}. …………", pdf.SANS, 8.5, leftIndent=0 if number % 2 else 18 * mm)


def _line(number: int, person: Registration, has_arrived: bool, public: bool) -> list[Any]:
    contact = person.phone or person.email
    return [
        _cell(number),
        _cell(person.full_name),
        paragraph(_LETTERS.get(language(), _LETTERS["en"]).get(person.sex, "–"), pdf.SANS, 8.5, alignment=TA_CENTER),
        _cell(local(person.institution.name)),
        _cell(person.position),
        _cell(masked(contact) if public else contact),
        paragraph("✓" if has_arrived else "", pdf.SANS, 8.5, alignment=TA_CENTER),
        _box(number),
    ]
