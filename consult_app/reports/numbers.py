"""The report in numbers: what became of the comments, where the positions stand; and the annex with every indicator's positions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from reportlab.platypus import Flowable, PageBreak

from consult_app import pdf
from consult_app.comments.heat import HeatRow
from consult_app.comments.labels import DISPOSITION, POSITION, revisions
from consult_app.comments.models import PositionValue
from consult_app.comments.queries import RevisionRow
from consult_app.i18n import gettext, local, ngettext
from consult_app.pdf import mm, paragraph
from consult_app.reports.charts import bars
from consult_app.reports.facts import Facts
from consult_app.reports.layout import Outline, cell, figure_title, gap, grid, heading

COLOURS = (pdf.SUCCESS, pdf.WARNING, pdf.DANGER, pdf.MUTED)  # in the order of PositionValue


def position_sums(rows: Iterable[HeatRow]) -> tuple[dict[tuple[int, ...], list[int]], int]:
    """Positions of several indicators added up by the revisions that they were taken on, and of how many indicators they are not
    broken down. All of it is a sum of what is told of each indicator.
    """
    told: defaultdict[tuple[int, ...], Counter[PositionValue]] = defaultdict(Counter)
    withheld = 0
    for row in rows:
        withheld += row.everyone.counts is None
        for taken in row.revisions:
            if taken.counts is not None:
                told[taken.numbers].update(taken.counts)
    return {numbers: [told[numbers][value] for value in PositionValue] for numbers in sorted(told)}, withheld


def is_position_taken(facts: Facts) -> bool:
    """Whether anything is to be said of positions: there are some, or it must not be told whether there are."""
    return any(row.revisions for row in facts.heat)


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
    rows: list[tuple[str, list[int] | None]] = []
    is_earlier = False
    for chapter in facts.chapters:
        sums, withheld = position_sums(row for row in facts.heat if row.indicator.dimension_id == chapter.section.dimension_id)
        name = f"{chapter.section.number}. {local(chapter.section.title)}"
        for numbers, parts in sums.items():
            rows.append((f"{name}, {revisions(RevisionRow(numbers, None))}", parts))
            is_earlier |= numbers[0] < chapter.section.revision_number
        if not sums:
            rows.append((name, None if withheld else [0] * len(PositionValue)))
    yield figure_title(gettext("Positions by section and revision"), "figure-positions", outline)
    yield from bars(rows, COLOURS, [str(words) for words in POSITION.values()])
    words = ngettext("%(num)s position was taken.", "%(num)s positions were taken.", facts.positions)
    words += " " + gettext("Of each person the newest position on each indicator counts.")
    if is_earlier:
        words += " " + gettext(
            "A text that was revised afterwards is signed on a later revision than the one that the position was taken on."
        )
    yield paragraph(words, pdf.SANS, 8, textColor=pdf.MUTED)
    for words in not_broken_down(facts):
        yield paragraph(words, pdf.SANS, 8, textColor=pdf.MUTED)


def not_broken_down(facts: Facts) -> list[str]:
    """What the Chatham House Rule keeps from the numbers of positions, and of how many people."""
    hidden = sum(row.everyone.counts is None for row in facts.heat)
    since = sum(row.held.since for row in facts.heat if row.everyone.counts is not None)
    words = []
    if hidden:
        words.append(gettext("Positions on %(count)s indicators are left out: they would tell of fewer than three people.", count=hidden))
    if since:
        later = ngettext(
            "%(num)s position was taken later and is not broken down, so that nobody can be singled out.",
            "%(num)s positions were taken later and are not broken down, so that nobody can be singled out.",
            since,
        )
        words.append(later)
    return words


def number_pages(facts: Facts, outline: Outline) -> list[Flowable]:
    """Comments and positions as bars."""
    story: list[Flowable] = [PageBreak(), heading(gettext("Comments and positions in numbers"), "numbers", outline)]
    if facts.comments:
        story.extend(_dispositions(facts, outline))
    else:
        story.append(paragraph(gettext("No comment was made."), pdf.SERIF, 10.5))
    if is_position_taken(facts):
        story.extend(_positions(facts, outline))
    else:
        story.append(paragraph(gettext("No position was taken."), pdf.SERIF, 10.5))
    return story


def position_pages(facts: Facts, outline: Outline) -> list[Flowable]:
    """Positions on every indicator, with the revision that they were taken on."""
    story: list[Flowable] = [PageBreak(), heading(gettext("Annex C: Positions by indicator"), "positions", outline)]
    if not is_position_taken(facts):
        return [*story, paragraph(gettext("No position was taken."), pdf.SERIF, 10.5)]
    words = gettext(
        "Of participants: of each the newest position, with the revision of the section that it was taken on. "
        "A dash stands where fewer than three people could be read."
    )
    story.append(paragraph(" ".join([words, *not_broken_down(facts)]), pdf.SERIF, 10.5, spaceAfter=6))
    story.append(gap())
    rows = []
    for row in facts.heat:
        code = cell(row.indicator.code, font=pdf.SANS_BOLD, textColor=pdf.dimension_colour(row.indicator.dimension.number))
        for taken in row.revisions or [RevisionRow((), {})]:
            shown = [None] * 4 if taken.counts is None else [taken.counts.get(value, 0) for value in PositionValue]
            numbers = ("–" if number is None else str(number) for number in (*shown, row.in_all(taken)))
            on = ", ".join(map(str, taken.numbers)) or "–"
            rows.append([code, cell(local(row.indicator.question)), cell(on), *map(cell, numbers)])
    labels = [*(str(label) for label in POSITION.values()), gettext("All")]
    head = [gettext("Indicator"), gettext("Question"), gettext("On revision"), *labels]
    story.append(grid(head, rows, [w * mm for w in (18, 52, 15, 15, 22, 18, 16, 10)]))
    return story
