"""The ticket on paper: one A5 page with the QR that checks in."""

from __future__ import annotations

import io

from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

from consult_app import pdf
from consult_app.i18n import clock, days, gettext, language, local
from consult_app.pdf import mm
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import grouped, ticket_code


def ticket_pdf(registration: Registration, *, named: bool = True) -> bytes:
    """A PDF in the reader's language, with the name of its holder if `named`; it holds the ticket's code and never the personal link."""
    pdf.fonts()
    event = registration.event
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A5, lang=language(), pageCompression=1)
    canvas.setTitle(local(event.title))
    canvas.setAuthor("Consult")
    width, height = A5
    left, inner = 16 * mm, width - 32 * mm
    canvas.setFillColor(pdf.ACCENT)
    canvas.rect(0, height - 6 * mm, width, 6 * mm, stroke=0, fill=1)
    y = height - 18 * mm
    when = f"{days(event.starts_on, event.ends_on)}, {clock(event.starts, event.timezone)}"
    for words, font, size, gap in (
        (gettext("Ticket"), pdf.SANS, 11, 2),
        (local(event.title), pdf.SERIF_BOLD, 17, 4),
        (when, pdf.SANS_BOLD, 11, 1),
        (", ".join(part for part in (event.venue, event.address) if part), pdf.SANS, 11, 5),
        (registration.full_name if named else "", pdf.SERIF_BOLD, 15, 1),
        (local(registration.institution.name) if named else "", pdf.SANS, 11, 0),
    ):
        block = pdf.paragraph(words[:200], font, size, leading=size * 1.25)
        _w, used = block.wrap(inner, height)
        block.drawOn(canvas, left, y - used)
        y -= used + gap * mm
    code = ticket_code(registration.seed)
    side = min(70 * mm, y - 34 * mm)
    pdf.draw_qr(canvas, code, (width - side) / 2, 28 * mm, side)
    canvas.setFillColor(pdf.INK)
    pdf.draw_line(canvas, width / 2, 22 * mm, grouped(code), pdf.SANS, 10, inner, "center")
    canvas.setFillColor(pdf.MUTED)
    note = gettext("Show this code at the entrance, on your phone or on paper. It only checks you in.")
    pdf.draw_line(canvas, width / 2, 12 * mm, note, pdf.SANS, 8, inner, "center")
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()
