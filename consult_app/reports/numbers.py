"""The report in numbers: what became of the comments, where the positions stand; and the annex with every indicator's positions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reportlab.platypus import Flowable, PageBreak

from consult_app import pdf
from consult_app.comments.heat import HeatRow
from consult_app.comments.labels import DISPOSITION, POSITION
from consult_app.comments.models import PositionValue
from consult_app.i18n import gettext, local
from consult_app.pdf import mm, paragraph
from consult_app.reports.charts import bars
from consult_app.reports.facts import Facts
from consult_app.reports.layout import Outline, cell, figure_title, gap, grid, heading

COLOURS = (pdf.SUCCESS, pdf.WARNING, pdf.DANGER, pdf.MUTED)  # in the order of PositionValue


def position_sums(rows: Iterable[HeatRow]) -> tuple[list[int], int]:
    """Positions of several indicators added up, and of how many indicators they must not be told."""
    told: Counter[PositionValue] = Counter()
    withheld = 0
    for row in rows:
        if row.everyone.counts is None:
            withheld += 1
        else:
            told.update(row.everyone.counts)
    return [told[value] for value in PositionValue], withheld


def _dispositions(facts: Facts, outline: Outline) -> Iterable[Flowable]:
    kinds = Counter(comment.disposition.kind if comment.disposition is not None else None for comment in facts.comments)
    rows = [(str(words), [kinds[kind]]) for kind, words in DISPOSITION.items() if kinds[kind]]
    if kinds[None]:
        rows.append((gettext("No disposition yet."), [kinds[None]]))
    yield figure_title(gettext("Comments by disposition"), "figure-dispositions", outline)
    yield from bars(rows, [pdf.ACCENT])
    sections = Counter(comment.section_id for comment in facts.comments)
    names = [(f"{c.section.number}. {local(c.section.title)}", [sections[c.section.id]]) for c in facts.chapters]
    yield figure_title(gettext("Comments by section"), "figure-sections", outline)
    yield from bars(names, [pdf.ACCENT])


def _positions(facts: Facts, outline: Outline) -> Iterable[Flowable]:
    rows, hidden = [], 0
    for chapter in facts.chapters:
        sums, withheld = position_sums(row for row in facts.heat if row.indicator.dimension_id == chapter.section.dimension_id)
        hidden += withheld
        rows.append((f"{chapter.section.number}. {local(chapter.section.title)}", sums))
    yield figure_title(gettext("Positions on the current revisions, by section"), "figure-positions", outline)
    yield from bars(rows, COLOURS, [str(words) for words in POSITION.values()])
    earlier = sum(row.earlier for row in facts.heat)
    if earlier:
        words = gettext("%(count)s positions were taken on earlier revisions and are not counted here.", count=earlier)
        yield paragraph(words, pdf.SANS, 8, textColor=pdf.MUTED)
    if hidden:
        words = gettext("Positions on %(count)s indicators are left out: they would tell of fewer than three people.", count=hidden)
        yield paragraph(words, pdf.SANS, 8, textColor=pdf.MUTED)


def number_pages(facts: Facts, outline: Outline) -> list[Flowable]:
    """Comments and positions as bars."""
    story: list[Flowable] = [PageBreak(), heading(gettext("Comments and positions in numbers"), "numbers", outline)]
    if facts.comments:
        story.extend(_dispositions(facts, outline))
    else:
        story.append(paragraph(gettext("No comment was made."), pdf.SERIF, 10.5))
    if any(row.everyone.counts is None or sum(row.everyone.counts.values()) for row in facts.heat):
        story.extend(_positions(facts, outline))
    else:
        story.append(paragraph(gettext("No position was taken."), pdf.SERIF, 10.5))
    return story


def position_pages(facts: Facts, outline: Outline) -> list[Flowable]:
    """Positions on every indicator; those on earlier revisions are no longer current and not counted."""
    story: list[Flowable] = [PageBreak(), heading(gettext("Annex C: Positions by indicator"), "positions", outline)]
    words = gettext("Of participants, on the current revision of each section. A dash stands where fewer than three people could be read.")
    story.extend([paragraph(words, pdf.SERIF, 10.5, spaceAfter=6), gap()])
    rows = []
    for row in facts.heat:
        counts = row.everyone.counts
        shown = ["–"] * 4 if counts is None else [str(counts[value]) for value in PositionValue]
        code = cell(row.indicator.code, font=pdf.SANS_BOLD, textColor=pdf.dimension_colour(row.indicator.dimension.number))
        rows.append([code, cell(local(row.indicator.question)), *(cell(number) for number in shown)])
    if rows:
        head = [gettext("Indicator"), gettext("Question"), *(str(label) for label in POSITION.values())]
        story.append(grid(head, rows, [w * mm for w in (18, 76, 16, 22, 18, 16)]))
    return story
