"""The attendance sheet (daftar hadir): one day, landscape A4, signature boxes staggered so that signatures fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from reportlab.lib.pagesizes import landscape
from reportlab.platypus import Flowable, KeepTogether, LongTable, Spacer, Table, TableStyle

from consult_app import pdf
from consult_app.attendance.models import DrawnSignature
from consult_app.attendance.queries import arrived_ids, drawn_signatures, expected
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.i18n import Texts, day, gettext, language, local
from consult_app.pdf import A4, TA_CENTER, mm, paragraph
from consult_app.registrations.models import Registration, Sex

WALK_IN_ROWS = 8
PAGE = landscape(A4)
_LETTERS = {"en": {Sex.FEMALE: "F", Sex.MALE: "M"}, "id": {Sex.FEMALE: "P", Sex.MALE: "L"}}


def masked(words: str) -> str:
    """A phone number or e-mail address of which only the beginning is told, for the public copy."""
    if "@" in words:
        name, _at, host = words.partition("@")
        return f"{name[:1]}…@{host}"
    return f"{words[:6]}…" if words else ""


def attendance_sheet(
    event: Event, date: dt.date, *, public: bool = False, heading: Sequence[str] = (), organiser: tuple[str, Texts] = ("", {})
) -> bytes:
    """A PDF in the reader's language; the `public` copy masks phone and e-mail. `organiser` is who signs: name and position."""
    pdf.fonts()
    people = expected(event, date)
    arrived = set(db.session.scalars(arrived_ids(event, date)))
    counted = gettext(
        "%(registered)s registered for this day, %(arrived)s arrived (as recorded).",
        registered=len(people),
        arrived=sum(p.id in arrived for p in people),
    )
    drawn = {} if public else drawn_signatures(event, date)
    if drawn:
        counted += " " + gettext("Signatures drawn on a screen at the desk (framed) are electronic signatures without a certificate.")
    story: list[Flowable] = [
        _table(people, arrived, drawn, public),
        KeepTogether([Spacer(1, 5 * mm), paragraph(counted, pdf.SANS, 9), Spacer(1, 4 * mm), _organiser(*organiser)]),
    ]
    lines = list(heading)[:3] or [local(event.consultation.title)]
    title = f"{gettext('Attendance sheet')} – {local(event.title)}"
    margins = (14 * mm, 14 * mm, (23 + 4 * len(lines)) * mm, 14 * mm)
    return pdf.build(story, title, _furniture(event, date, lines, public), PAGE, margins, lang=language())


def _table(people: Sequence[Registration], arrived: set[int], drawn: dict[int, DrawnSignature], public: bool) -> LongTable:
    """A line for everybody with a place on that day, and blank ones for walk-ins."""
    head = [
        gettext("No."),
        gettext("Name"),
        _sex_heading(),
        gettext("Institution"),
        gettext("Position"),
        gettext("Phone or e-mail"),
        gettext("Arrived"),
        gettext("Signature"),
    ]
    rows: list[list[Any]] = [[paragraph(words, pdf.SANS_BOLD, 8.5) for words in head]]
    for number, person in enumerate(people, start=1):
        rows.append(_line(number, person, person.id in arrived, drawn.get(person.id), public))
    for number in range(len(people) + 1, len(people) + WALK_IN_ROWS + 1):
        rows.append([_cell(number), "", "", "", "", "", "", _box(number)])
    table = LongTable(rows, colWidths=[w * mm for w in (10, 52, 11, 58, 42, 40, 16, 40)], repeatRows=1, rowHeights=None)
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
    return table


def _organiser(name: str, position: Texts) -> Table:
    """Where the organiser signs."""
    lines = [gettext("For the organiser:"), "", "", "_" * 44]
    lines += [words for words in (name, local(position)) if words] or [gettext("For the organiser: name, position, signature")]
    block = Table([["", [paragraph(words, pdf.SANS, 9) for words in lines]]], colWidths=[189 * mm, 80 * mm])
    block.setStyle(TableStyle([("LEFTPADDING", (0, 0), (-1, -1), 0)]))
    return block


def _furniture(event: Event, date: dt.date, heading: Sequence[str], public: bool) -> Callable[[Any, Any], None]:
    """Letterhead, title, day and place on every page, and at the foot whether it may be shown."""
    note = gettext("Public copy: phone and e-mail are masked.") if public else gettext("Contains personal data: for the organisers only.")
    where = ", ".join(part for part in (day(date), event.venue) if part)

    def draw(canvas: Any, document: Any) -> None:
        canvas.saveState()
        top = PAGE[1] - 11 * mm
        canvas.setFillColor(pdf.INK)
        for line in heading:
            pdf.draw_line(canvas, 14 * mm, top, line, pdf.SANS, 9, 150 * mm)
            top -= 4 * mm
        pdf.draw_line(canvas, PAGE[0] - 14 * mm, PAGE[1] - 11 * mm, where, pdf.SANS, 9, 112 * mm, "right")
        pdf.draw_line(canvas, 14 * mm, top - 3 * mm, gettext("Attendance sheet") + " – " + local(event.title), pdf.SERIF_BOLD, 14, 265 * mm)
        canvas.setFillColor(pdf.MUTED)
        pdf.draw_line(canvas, 14 * mm, 8 * mm, note, pdf.SANS, 8)
        pdf.draw_line(canvas, PAGE[0] - 14 * mm, 8 * mm, str(document.page), pdf.SANS, 8, align="right")
        canvas.restoreState()

    return draw


class Strokes(Flowable):
    """A signature as it was drawn, 1000 wide and 400 high, in a frame that says: not by pen."""

    def __init__(self, strokes: list[list[int]], width: float = 30 * mm) -> None:
        super().__init__()
        self.strokes, self.width, self.height = strokes, width, width * 0.4

    def draw(self) -> None:
        canvas, scale = self.canv, self.width / 1000
        canvas.setStrokeColor(pdf.HAIR)
        canvas.rect(0, 0, self.width, self.height)
        canvas.setStrokeColor(pdf.INK)
        canvas.setLineWidth(0.8)
        canvas.setLineCap(1)
        for stroke in self.strokes:
            points = [(x * scale, self.height - y * scale) for x, y in zip(stroke[::2], stroke[1::2], strict=True)]
            path = canvas.beginPath()
            path.moveTo(*points[0])
            for point in points[1:] or points:  # a dot is a line to itself
                path.lineTo(*point)
            canvas.drawPath(path)


def _sex_heading() -> str:
    return "L/P" if language() == "id" else "F/M"


def _cell(words: Any) -> Flowable:
    return paragraph(words, pdf.SANS, 8.5)


def _box(number: int) -> Flowable:
    """Odd numbers sign on the left, even ones on the right."""
    return paragraph(f"{number}. …………", pdf.SANS, 8.5, leftIndent=0 if number % 2 else 18 * mm)


def _line(number: int, person: Registration, has_arrived: bool, drawn: DrawnSignature | None, public: bool) -> list[Any]:
    contact = person.phone or person.email
    return [
        _cell(number),
        _cell(person.full_name),
        paragraph(_LETTERS.get(language(), _LETTERS["en"]).get(person.sex, "–"), pdf.SANS, 8.5, alignment=TA_CENTER),
        _cell(local(person.institution.name)),
        _cell(person.position),
        _cell(masked(contact) if public else contact),
        paragraph("✓" if has_arrived else "", pdf.SANS, 8.5, alignment=TA_CENTER),
        Strokes(drawn.strokes) if drawn else _box(number),
    ]
