"""Tent cards: one sheet per person, folded across the middle, so that the name stands on both sides."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from reportlab.pdfgen.canvas import Canvas

from consult_app import pdf
from consult_app.documents.badges import PAPERS, Badge
from consult_app.documents.fitting import draw, fit
from consult_app.pdf import mm


def tent_cards(people: Sequence[Badge], paper: str, title: str, fold: str, language: str) -> bytes:
    """The cards as a PDF; `fold` are the small words beside the line of the fold."""
    pdf.fonts()
    buffer = io.BytesIO()
    width, height = PAPERS[paper]
    canvas = Canvas(buffer, pagesize=(width, height), lang=language, initialFontName=pdf.SANS)  # type: ignore[arg-type]
    canvas.setTitle(title)
    canvas.setAuthor("Consult")
    for person in people:
        _face(canvas, person, width, height / 2)
        canvas.saveState()
        canvas.translate(width, height)
        canvas.rotate(180)
        _face(canvas, person, width, height / 2)
        canvas.restoreState()
        _fold(canvas, fold, width, height / 2)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _face(canvas: Any, person: Badge, width: float, height: float) -> None:
    inner, x = width - 36 * mm, 18 * mm
    canvas.setFillColor(pdf.dimension_colour(person.tone))
    canvas.rect(0, 0, width, 9 * mm, stroke=0, fill=1)
    canvas.setFillColor("#ffffff")
    event = fit(person.event, pdf.SANS_BOLD, inner, 6 * mm, 11, 6)
    draw(canvas, event, x, 4.5 * mm + event.height / 2, inner, "center")
    canvas.setFillColor(pdf.INK)
    name = fit(person.name, pdf.SERIF_BOLD, inner, 66 * mm, 60, 14)
    institution = fit(person.institution, pdf.SANS, inner, 26 * mm, 24, 9)
    used = name.height + 5 * mm + institution.height
    top = 9 * mm + (height - 9 * mm + used) / 2
    at = draw(canvas, name, x, top, inner, "center")
    canvas.setFillColor(pdf.MUTED)
    draw(canvas, institution, x, at - 5 * mm, inner, "center")


def _fold(canvas: Any, words: str, width: float, y: float) -> None:
    canvas.setStrokeColor(pdf.MUTED)
    canvas.setLineWidth(0.4)
    canvas.setDash(2, 2)
    canvas.line(4 * mm, y, 12 * mm, y)
    canvas.line(width - 12 * mm, y, width - 4 * mm, y)
    canvas.setDash()
    canvas.setFillColor(pdf.MUTED)
    pdf.draw_line(canvas, 4 * mm, y + 1.2 * mm, words, pdf.SANS, 7, 30 * mm)
