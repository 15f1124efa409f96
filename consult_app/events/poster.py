"""The poster of an event: one A4 page with the QR that opens the registration form."""

from __future__ import annotations

import io

from reportlab.pdfgen.canvas import Canvas

from consult_app import pdf, web
from consult_app.events.models import Event
from consult_app.i18n import clock, days, gettext, language, local
from consult_app.pdf import A4, mm


def poster(event: Event) -> bytes:
    """A PDF in the reader's language."""
    pdf.fonts()
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, lang=language())
    canvas.setTitle(local(event.title))
    canvas.setAuthor("Consult")
    width, height = A4
    left, inner = 24 * mm, width - 48 * mm
    canvas.setFillColor(pdf.ACCENT)
    canvas.rect(0, height - 10 * mm, width, 10 * mm, stroke=0, fill=1)
    y = height - 36 * mm
    for words, font, size, gap in (
        (local(event.consultation.title), pdf.SANS, 13, 6),
        (local(event.title), pdf.SERIF_BOLD, 30, 9),
        (days(event.starts_on, event.ends_on), pdf.SANS_BOLD, 17, 3),
        (f"{clock(event.starts, event.timezone)} – {clock(event.ends, event.timezone)}", pdf.SANS, 15, 3),
        (", ".join(part for part in (event.venue, event.address) if part), pdf.SANS, 15, 0),
    ):
        block = pdf.paragraph(words, font, size, leading=size * 1.25)
        _w, used = block.wrap(inner, height)
        block.drawOn(canvas, left, y - used)
        y -= used + gap * mm
    url = web.external_url("registrations.register", slug=event.slug)
    side = min(96 * mm, y - 52 * mm)
    pdf.draw_qr(canvas, url, (width - side) / 2, 42 * mm, side)
    canvas.setFillColor(pdf.INK)
    pdf.draw_line(canvas, width / 2, 34 * mm, gettext("Point your phone's camera here to register"), pdf.SANS_BOLD, 16, inner, "center")
    pdf.draw_line(canvas, width / 2, 26 * mm, url, pdf.SANS, 11, inner, "center")
    canvas.setFillColor(pdf.MUTED)
    note = gettext("Registration asks for your name, institution and e-mail address. Your ticket comes by mail.")
    pdf.draw_line(canvas, width / 2, 14 * mm, note, pdf.SANS, 9, inner, "center")
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()
