"""The first pages of the report: title with the thread, status, contents, participation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportlab.platypus import Flowable, PageBreak, Paragraph, Spacer, TableStyle
from reportlab.platypus.tables import Table

from consult_app import pdf
from consult_app.attendance.labels import told_words
from consult_app.attendance.queries import Participation, ParticipationRow
from consult_app.consultations.territory import territory_name
from consult_app.i18n import Texts, days, gettext, local, moment, ngettext
from consult_app.pdf import mm, paragraph
from consult_app.reports.charts import bars
from consult_app.reports.facts import Facts, Meeting
from consult_app.reports.layout import Outline, PageNumber, Thread, cell, figure_title, gap, grid, heading, prose


def thread_of(facts: Facts, is_draft: bool) -> list[tuple[str, bool]]:
    """The seven knots, each done only where that was recorded (rule 24)."""
    return [
        (gettext("Prepare"), facts.indicators > 0),
        (gettext("Invite"), any(meeting.registered.total.total for meeting in facts.meetings)),
        (gettext("Check in"), any(meeting.arrived.total.total for meeting in facts.meetings)),
        (gettext("Comment"), all(chapter.section.is_frozen for chapter in facts.chapters)),
        (gettext("Answer"), facts.answered == len(facts.comments)),
        (gettext("Sign"), facts.is_validated),
        (gettext("Seal"), not is_draft),
    ]


def _status(facts: Facts, is_draft: bool) -> str:
    if facts.validated_at is None:
        return str(gettext("Draft. This report is not validated: required sign-offs are missing."))
    when = moment(facts.validated_at, facts.consultation.timezone)
    words = str(gettext("Validated %(when)s: every required sign-off of every section stands on its current revision.", when=when))
    return f"{words} {gettext('This is a preview without a seal.')}" if is_draft else words


def title_page(facts: Facts, is_draft: bool, sealed_words: str) -> list[Flowable]:
    consultation = facts.consultation
    story: list[Flowable] = [Spacer(1, 22 * mm), Thread(thread_of(facts, is_draft)), Spacer(1, 22 * mm)]
    story.append(paragraph(territory_name(consultation.territory), pdf.SANS_BOLD, 12, textColor=pdf.ACCENT, spaceAfter=6))
    title = local(consultation.title)
    size = 30 if len(title) < 90 else 22 if len(title) < 200 else 15
    story.append(paragraph(title, pdf.SERIF_BOLD, size, leading=size * 1.2, spaceAfter=10))
    story.extend(prose(local(consultation.summary)[:1500], size=12, textColor=pdf.MUTED))
    story.append(gap(12 * mm))
    if consultation.partners:
        story.append(paragraph(gettext("Partners"), pdf.SANS_BOLD, 9, textColor=pdf.MUTED))
        story.append(paragraph(" · ".join(consultation.partners)[:2000], pdf.SANS, 11, spaceAfter=10))
    story.append(paragraph(gettext("Framework"), pdf.SANS_BOLD, 9, textColor=pdf.MUTED))
    counted = ngettext("%(num)s indicator", "%(num)s indicators", facts.framework_indicators)
    in_dimensions = ngettext("in %(num)s dimension", "in %(num)s dimensions", len(facts.chapters))
    story.append(paragraph(f"{counted} {in_dimensions}", pdf.SANS, 11, spaceAfter=10))
    story.append(paragraph(gettext("Status"), pdf.SANS_BOLD, 9, textColor=pdf.MUTED))
    story.append(paragraph(_status(facts, is_draft), pdf.SANS, 11, spaceAfter=4))
    if sealed_words:
        story.append(paragraph(sealed_words, pdf.SANS, 11, spaceAfter=4))
    if consultation.is_illustrative:
        words = gettext("Illustrative: people, comments and answers in this report are invented.")
        story.append(paragraph(words, pdf.SANS_BOLD, 11, textColor=pdf.WARNING))
    return [*story, PageBreak()]


def part_title(title: str, language: str, outline: Outline) -> list[Flowable]:
    """A page that begins the sections in another language."""
    words = heading(language, "part", outline)
    return [PageBreak(), Spacer(1, 60 * mm), words, paragraph(title, pdf.SERIF, 16, textColor=pdf.MUTED)]


def contents(outline: Outline) -> list[Flowable]:
    """The sections and annexes with their pages, each a link into the file; their parts are among its bookmarks."""
    story: list[Flowable] = [paragraph(gettext("Contents"), pdf.SERIF_BOLD, 20, spaceAfter=10)]
    story.extend(_links([(key, words) for key, words, level in outline.entries if level == 0]))
    if outline.figures:
        story.append(paragraph(gettext("Figures"), pdf.SERIF_BOLD, 14, spaceBefore=14, spaceAfter=8))
        story.extend(_links(outline.figures))
    return [*story, PageBreak()]


def _links(entries: Sequence[tuple[str, str]]) -> list[Flowable]:
    """Lines that lead to a heading, each with its page."""
    rows = []
    look = pdf.style(pdf.SANS, 11)
    for key, words in entries:
        link = Paragraph(f'<a href="#{key}" color="#1d2430">{pdf.markup(words[:300], look.fontName)}</a>', look)
        rows.append([link, PageNumber(key, look.fontSize)])
    if not rows:
        return []
    table = Table(rows, colWidths=[150 * mm, 16 * mm], splitInRow=1)
    table.hAlign = "LEFT"
    everywhere = ((0, 0), (-1, -1))
    table.setStyle(TableStyle([("VALIGN", *everywhere, "TOP"), ("LEFTPADDING", *everywhere, 0), ("BOTTOMPADDING", *everywhere, 2)]))
    return [table]


def _number(value: int | None) -> str:
    return "–" if value is None else str(value)


def _key(name: Texts) -> str:
    return local(name, "en")


def _line(name: str, arrived: ParticipationRow | None, registered: ParticipationRow | None, basis: bool) -> list[Any]:
    """One row; a type that registered and from which nobody came shows zeros, and one of which it is not told who registered a dash."""
    if arrived is None:
        shown = ["0"] * 4 + ["–", "0"]
    else:
        share = f"{arrived.share_of_women} %" if arrived.share_of_women is not None else "–"
        shown = [_number(n) for n in (arrived.women, arrived.men, arrived.other, arrived.total)] + [share, _number(arrived.institutions)]
    font = pdf.SANS_BOLD if basis else pdf.SANS
    cells = [name, _number(registered.total if registered is not None else None), *shown]
    return [cell(words, 8.5, font) for words in cells]


def _table(registered: Participation, arrived: Participation) -> Flowable:
    by_type = {_key(row.name): row for row in registered.rows}
    came = {_key(row.name): row for row in arrived.rows}
    names = {_key(row.name): row.name for row in [*registered.rows, *arrived.rows]}
    nobody = None if registered.is_suppressed else ParticipationRow({}, 0, 0, 0, 0, 0, 0)
    rows = [_line(local(name), came.get(key), by_type.get(key, nobody), False) for key, name in names.items()]
    rows.append(_line(gettext("Total"), arrived.total, registered.total, True))
    head = [gettext("Stakeholder type"), gettext("Registered"), gettext("Women"), gettext("Men"), gettext("Other or undisclosed"),
            gettext("Arrived"), gettext("Women among the arrived, %"), gettext("Institutions")]  # fmt: skip
    return grid(head, rows, [w * mm for w in (44, 18, 16, 14, 20, 16, 20, 18)], bold_last=True)


def _by_sex(row: ParticipationRow) -> list[int] | None:
    return None if row.women is None else [row.women, row.men or 0, row.other or 0]


def _meeting(meeting: Meeting, outline: Outline) -> list[Flowable]:
    event = meeting.event
    when = ", ".join(part for part in (days(event.starts_on, event.ends_on), event.venue) if part)
    story: list[Flowable] = [
        paragraph(local(event.title), pdf.SANS_BOLD, 11, spaceBefore=10, keepWithNext=1),
        paragraph(when, pdf.SANS, 9, textColor=pdf.MUTED, spaceAfter=4, keepWithNext=1),
        _table(meeting.registered, meeting.arrived),
    ]
    rows = meeting.arrived.rows
    if rows:
        sexes = [gettext("Women"), gettext("Men"), gettext("Other or undisclosed")]
        story.append(figure_title(gettext("Who arrived: %(event)s", event=local(event.title)), f"figure-{event.public_id}", outline))
        story.extend(bars([(local(row.name), _by_sex(row)) for row in rows], (pdf.ACCENT, pdf.WARNING, pdf.MUTED), sexes))
    for words in told_words([meeting.arrived, meeting.registered], event.timezone):
        story.append(paragraph(words, pdf.SANS, 8, textColor=pdf.MUTED))
    return story


def participation_pages(facts: Facts, outline: Outline) -> list[Flowable]:
    story: list[Flowable] = [heading(gettext("Participation"), "participation", outline)]
    words = gettext(
        "Registered are those who held a place; arrived are those who were checked in. "
        "Women, men and institutions are of those who arrived."
    )
    story.append(paragraph(words, pdf.SERIF, 10.5, spaceAfter=4))
    if not facts.meetings:
        story.append(paragraph(gettext("No event is recorded for this consultation."), pdf.SERIF, 10.5))
    for meeting in facts.meetings:
        story.extend(_meeting(meeting, outline))
    return story
