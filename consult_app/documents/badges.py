"""Badges: 4 to 10 on a sheet of A4 or Letter, with cut marks; name large, a QR that is read at arm's length, no phone."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reportlab.lib.pagesizes import LETTER
from reportlab.pdfgen.canvas import Canvas

from consult_app import pdf, qr
from consult_app.documents.fitting import draw, fit
from consult_app.pdf import A4, mm

PAPERS = {"a4": A4, "letter": LETTER}
GUTTER, MARK = 4 * mm, 1.4 * mm
WHITE = "#ffffff"


@dataclass(frozen=True)
class Sheet:
    """How badges lie on a sheet: millimetres of one badge, and of the dark square of its code."""

    columns: int
    rows: int
    width: float
    height: dict[str, float]  # by paper
    code: float


SHEETS = {
    4: Sheet(2, 2, 96, {"a4": 134, "letter": 126}, 42),
    6: Sheet(2, 3, 96, {"a4": 90, "letter": 83}, 32),
    8: Sheet(2, 4, 96, {"a4": 66, "letter": 61}, 27),
    10: Sheet(2, 5, 90, {"a4": 53, "letter": 49}, 25),
}


@dataclass(frozen=True)
class Badge:
    """What one badge says."""

    event: str
    name: str
    institution: str
    role: str
    kind: str  # stakeholder type
    tone: int  # its place, for the colour
    code: str


@dataclass(frozen=True)
class Box:
    """A rectangle in points, from its lower left corner."""

    x: float
    y: float
    width: float
    height: float


def badges(people: Sequence[Badge], paper: str, per_sheet: int, title: str, language: str, start: int = 0) -> bytes:
    """The sheets as a PDF; `start` leaves the first places of the first sheet free."""
    pdf.fonts()
    buffer = io.BytesIO()
    sheet, page = SHEETS[per_sheet], PAPERS[paper]
    canvas = Canvas(buffer, pagesize=page, lang=language, initialFontName=pdf.SANS)  # type: ignore[arg-type]
    canvas.setTitle(title)
    canvas.setAuthor("Consult")
    boxes = _boxes(sheet, paper, page)
    face = _tall if per_sheet == 4 else _narrow if per_sheet == 10 else _wide
    for number, person in enumerate(people, start=start):
        if number % per_sheet == 0 and number > start:
            canvas.showPage()
        box = boxes[number % per_sheet]
        _cut_marks(canvas, box)
        face(canvas, person, box, sheet.code * mm)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _boxes(sheet: Sheet, paper: str, page: tuple[float, float]) -> list[Box]:
    """The places on a sheet, row by row, in the middle of the page."""
    width, height = sheet.width * mm, sheet.height[paper] * mm
    left = (page[0] - sheet.columns * width - (sheet.columns - 1) * GUTTER) / 2
    top = page[1] - (page[1] - sheet.rows * height - (sheet.rows - 1) * GUTTER) / 2
    return [
        Box(left + column * (width + GUTTER), top - height - row * (height + GUTTER), width, height)
        for row in range(sheet.rows)
        for column in range(sheet.columns)
    ]


def _cut_marks(canvas: Any, box: Box) -> None:
    canvas.setStrokeColor(pdf.MUTED)
    canvas.setLineWidth(0.3)
    right, top, gap = box.x + box.width, box.y + box.height, 0.4 * mm
    lines = []
    for x, way in ((box.x, -1), (right, 1)):
        for y, up in ((box.y, -1), (top, 1)):
            lines += [(x + way * gap, y, x + way * (gap + MARK), y), (x, y + up * gap, x, y + up * (gap + MARK))]
    canvas.lines(lines)


def _band(canvas: Any, badge: Badge, box: Box, height: float, align: str = "left") -> float:
    """The coloured head with the event's title; returns where it ends below."""
    top, inner = box.y + box.height, box.width - 10 * mm
    canvas.setFillColor(pdf.dimension_colour(badge.tone))
    canvas.rect(box.x, top - height, box.width, height, stroke=0, fill=1)
    canvas.setFillColor(WHITE)
    title = fit(badge.event, pdf.SANS_BOLD, inner, height - 2 * mm, 10.5, 5.5)
    draw(canvas, title, box.x + 5 * mm, top - (height - title.height) / 2, inner, align)
    return top - height


def _code(canvas: Any, badge: Badge, x: float, y: float, size: float) -> None:
    """The code's dark square; the white that it needs around it is left by the faces."""
    cells = qr.matrix(badge.code)
    canvas.setFillColorRGB(0, 0, 0)
    pdf.draw_modules(canvas, cells, x, y, size / len(cells))


def _kind(canvas: Any, badge: Badge, x: float, y: float, width: float) -> None:
    """A square in the colour of the stakeholder type, and its name: the colour alone tells nothing."""
    canvas.setFillColor(pdf.dimension_colour(badge.tone))
    canvas.rect(x, y, 3 * mm, 3 * mm, stroke=0, fill=1)
    canvas.setFillColor(pdf.INK)
    words = fit(badge.kind, pdf.SANS, width - 5 * mm, 5.5 * mm, 10, 5.5)
    draw(canvas, words, x + 4.5 * mm, y + 1.5 * mm + words.height / 2, width - 5 * mm)


def _tall(canvas: Any, badge: Badge, box: Box, code: float) -> None:
    """Four on a sheet: everything in the middle, one below the other."""
    x, inner = box.x + 6 * mm, box.width - 12 * mm
    top = _band(canvas, badge, box, 15 * mm, "center") - 5 * mm
    foot = 9 * mm
    room = top - (box.y + foot + code + 2 * qr.QUIET * code / 25) - 1 * mm  # above the code's own white
    canvas.setFillColor(pdf.INK)
    name = fit(badge.name, pdf.SERIF_BOLD, inner, room * 0.56, 30, 7)
    draw(canvas, name, x, top - (room * 0.56 - name.height) / 2, inner, "center")
    at = top - room * 0.56
    at = draw(canvas, fit(badge.institution, pdf.SANS, inner, room * 0.3, 13, 6.5), x, at, inner, "center")
    canvas.setFillColor(pdf.MUTED)
    draw(canvas, fit(badge.role, pdf.SANS_BOLD, inner, room * 0.14, 12, 7), x, at - 0.5 * mm, inner, "center")
    _code(canvas, badge, box.x + (box.width - code) / 2, box.y + foot + qr.QUIET * code / 25, code)
    canvas.setFillColor(pdf.dimension_colour(badge.tone))
    canvas.rect(box.x, box.y, box.width, foot, stroke=0, fill=1)
    canvas.setFillColor(WHITE)
    words = fit(badge.kind, pdf.SANS_BOLD, inner, foot - 2 * mm, 12, 6)
    draw(canvas, words, x, box.y + (foot + words.height) / 2, inner, "center")


def _wide(canvas: Any, badge: Badge, box: Box, code: float) -> None:
    """Six or eight on a sheet: the name across, the code below it on the right."""
    x, inner, quiet = box.x + 5 * mm, box.width - 10 * mm, qr.QUIET * code / 25
    top = _band(canvas, badge, box, 9 * mm) - 2 * mm
    shelf = box.y + 2 * quiet + code
    canvas.setFillColor(pdf.INK)
    name = fit(badge.name, pdf.SERIF_BOLD, inner, top - shelf, 28, 6.5)
    draw(canvas, name, x, top - (top - shelf - name.height) / 2, inner)
    _code(canvas, badge, box.x + box.width - quiet - code, box.y + quiet, code)
    column = box.width - 5 * mm - code - 2 * quiet
    _below(canvas, badge, Box(x, box.y + 5 * mm, column, shelf - box.y - 5 * mm))


def _narrow(canvas: Any, badge: Badge, box: Box, code: float) -> None:
    """Ten on a sheet: all words on the left, the code on the right."""
    x, quiet = box.x + 5 * mm, qr.QUIET * code / 25
    top = _band(canvas, badge, box, 8 * mm) - 1.5 * mm
    column = box.width - 5 * mm - code - 2 * quiet
    canvas.setFillColor(pdf.INK)
    end = top - 19 * mm
    name = fit(badge.name, pdf.SERIF_BOLD, column, top - end, 19, 5.5)
    draw(canvas, name, x, top - (top - end - name.height) / 2, column)
    _code(canvas, badge, box.x + box.width - quiet - code, box.y + (box.height - 8 * mm - code) / 2, code)
    _below(canvas, badge, Box(x, box.y + 4 * mm, column, end - box.y - 4 * mm))


def _below(canvas: Any, badge: Badge, box: Box) -> None:
    """Institution and role from the top of the box, stakeholder type at its foot."""
    _kind(canvas, badge, box.x, box.y, box.width)
    canvas.setFillColor(pdf.INK)
    room = box.height - 5 * mm
    at = draw(canvas, fit(badge.institution, pdf.SANS, box.width, room * 0.66, 11.5, 5.5), box.x, box.y + box.height, box.width)
    canvas.setFillColor(pdf.MUTED)
    draw(canvas, fit(badge.role, pdf.SANS_BOLD, box.width, room * 0.34, 10.5, 5.5), box.x, at - 0.4 * mm, box.width)
