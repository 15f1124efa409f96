"""The participation table as a PDF, and the participant list that goes into a report as an annex."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportlab.lib.pagesizes import LETTER
from reportlab.platypus import Flowable, LongTable, Spacer, TableStyle

from consult_app import pdf
from consult_app.attendance.labels import told_words
from consult_app.attendance.queries import Participation, ParticipationRow, count_arrived
from consult_app.documents.queries import Listed
from consult_app.events.models import Event
from consult_app.i18n import day, days, gettext, language, local
from consult_app.pdf import A4, TA_RIGHT, mm, paragraph
from consult_app.sheets import write_xlsx

PAGES = {"a4": A4, "letter": LETTER}


def basis_words(basis: str) -> str:
    """Which number a document shows (product.md rule 9)."""
    if basis == "arrived":
        return str(gettext("Counted: those who arrived, that is, with a check-in."))
    return str(gettext("Counted: those registered, whether or not they came."))


def _furniture(event: Event, title: str, heading: Sequence[str], page: tuple[float, float]) -> Any:
    def draw(canvas: Any, document: Any) -> None:
        canvas.saveState()
        top = page[1] - 14 * mm
        canvas.setFillColor(pdf.MUTED)
        for line in heading[:3]:
            pdf.draw_line(canvas, 20 * mm, top, line, pdf.SANS, 9, page[0] - 40 * mm)
            top -= 4.2 * mm
        canvas.setFillColor(pdf.INK)
        pdf.draw_line(canvas, 20 * mm, top - 4 * mm, title, pdf.SERIF_BOLD, 17, page[0] - 40 * mm)
        where = ", ".join(part for part in (days(event.starts_on, event.ends_on), event.venue) if part)
        pdf.draw_line(canvas, 20 * mm, top - 10 * mm, f"{local(event.title)} · {where}", pdf.SANS, 9.5, page[0] - 40 * mm)
        canvas.setStrokeColor(pdf.ACCENT)
        canvas.line(20 * mm, top - 13 * mm, page[0] - 20 * mm, top - 13 * mm)
        canvas.setFillColor(pdf.MUTED)
        pdf.draw_line(canvas, page[0] - 20 * mm, 10 * mm, str(document.page), pdf.SANS, 8, align="right")
        canvas.restoreState()

    return draw


def _build(event: Event, title: str, heading: Sequence[str], story: list[Flowable], paper: str) -> bytes:
    page = PAGES[paper]
    top = (34 + 4.2 * min(3, len(heading))) * mm
    return pdf.build(
        story,
        f"{title} – {local(event.title)}",
        _furniture(event, title, heading, page),
        page,
        (20 * mm, 20 * mm, top, 20 * mm),
        lang=language(),
    )


def _table(rows: list[list[Any]], widths: Sequence[float], total: bool = False) -> LongTable:
    table = LongTable(rows, colWidths=[w * mm for w in widths], repeatRows=1)
    table.hAlign = "LEFT"
    look: list[tuple[Any, ...]] = [
        ("LINEBELOW", (0, 0), (-1, 0), 1, pdf.ACCENT),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, pdf.HAIR),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ]
    if total:
        look.append(("LINEABOVE", (0, -1), (-1, -1), 0.8, pdf.INK))
    table.setStyle(TableStyle(look))
    return table


def _figures(row: ParticipationRow) -> list[str]:
    told = (row.women, row.men, row.other, row.total, row.share_of_women, row.institutions, row.online)
    return ["–" if n is None else str(n) for n in told]


def participation_pdf(event: Event, tables: Sequence[Participation], heading: Sequence[str], paper: str) -> bytes:
    """Both tables, arrived and registered, each saying which it is; and how many came on each day."""
    story: list[Flowable] = []
    names = [gettext("Women"), gettext("Men"), gettext("Other or undisclosed"), gettext("Total"), gettext("% women")]
    header = [gettext("Stakeholder type"), *names, gettext("Institutions"), gettext("Online")]
    for table in tables:
        title = gettext("Arrived") if table.basis == "arrived" else gettext("Registered")
        story += [paragraph(title, pdf.SERIF_BOLD, 13), paragraph(basis_words(table.basis), pdf.SANS, 9, textColor=pdf.MUTED), Spacer(1, 6)]
        head = [paragraph(w, pdf.SANS_BOLD, 8.5, alignment=TA_RIGHT if n else 0) for n, w in enumerate(header)]
        rows: list[list[Any]] = [head]
        for row in (*table.rows, table.total):
            font = pdf.SANS_BOLD if row is table.total else pdf.SANS
            cells = [paragraph(local(row.name), font, 9)]
            rows.append(cells + [paragraph(words, font, 9, alignment=TA_RIGHT) for words in _figures(row)])
        story += [_table(rows, (38, 20, 17, 26, 16, 21, 19, 13), total=True), Spacer(1, 8 * mm)]
    if len(event.days) > 1:
        story.append(paragraph(gettext("Arrived, by day"), pdf.SERIF_BOLD, 13))
        story += [paragraph(f"{day(date)}: {count_arrived(event, date)}", pdf.SANS, 10) for date in event.days]
    for words in told_words(tables, event.timezone):
        story.append(paragraph(words, pdf.SANS, 8.5, textColor=pdf.MUTED))
    return _build(event, gettext("Participation"), heading, story, paper)


def list_pdf(event: Event, listed: Listed, heading: Sequence[str], paper: str) -> bytes:
    """The participant list, as far as the consultation's rule of attribution lets it be told."""
    notes = [*listed.notes, basis_words(listed.basis)]
    story: list[Flowable] = [paragraph(words, pdf.SANS, 9, textColor=pdf.MUTED) for words in notes]
    story.append(Spacer(1, 4 * mm))
    rows: list[list[Any]] = [[paragraph(words, pdf.SANS_BOLD, 8.5) for words in listed.header]]
    rows += [[paragraph(cell, pdf.SANS, 8.5) for cell in row] for row in listed.rows]
    story.append(_table(rows, listed.widths))
    return _build(event, gettext("List of participants"), heading, story, paper)


def list_xlsx(listed: Listed) -> bytes:
    """The same list as a spreadsheet, with a second sheet that says what it counts."""
    notes = [[words] for words in [*listed.notes, basis_words(listed.basis)]]
    return write_xlsx(
        {gettext("Participants"): (listed.header, listed.rows), gettext("About this list"): ([gettext("About this list")], notes)}
    )
