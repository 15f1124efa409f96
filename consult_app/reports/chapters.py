"""The sections of the report as they were signed: the text in the serif, then the section's indicators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reportlab.platypus import Flowable, PageBreak

from consult_app import pdf
from consult_app.consultations.labels import ANSWER, PART
from consult_app.i18n import gettext, local
from consult_app.pdf import paragraph
from consult_app.reports.facts import Chapter
from consult_app.reports.layout import Outline, Rule, grouped, heading, listing, prose, small_heading


def _parts(content: dict[str, Any], key: str, outline: Outline, colour: Any) -> Iterable[Flowable]:
    for part, kind in (("narrative", "prose"), ("well_developed", "list"), ("potential", "list"), ("recommendations", "numbers")):
        words = local(content.get(part))
        if words:
            yield heading(str(PART[part]), f"{key}-{part}", outline, 1, colour)
            yield from prose(words) if kind == "prose" else listing(words, numbered=kind == "numbers")


def _labelled(label: str, words: str) -> Iterable[Flowable]:
    if words:
        yield paragraph(f"{label}: {words}"[:4000], pdf.SANS, 8.5, textColor=pdf.MUTED, spaceAfter=2)


def _indicator(row: dict[str, Any], colour: Any) -> Iterable[Flowable]:
    """Code, question, answer, finding, evidence."""
    words = f"{row.get('code', '')}  {local(row.get('question'))}"[:4000]
    yield paragraph(words, pdf.SANS_BOLD, 10, textColor=colour, spaceBefore=10, spaceAfter=2, keepWithNext=1)
    answer = row.get("answer") or ""
    if answer:
        yield paragraph(f"{gettext('Answer')}: {ANSWER.get(answer, answer)}"[:500], pdf.SANS, 9, spaceAfter=2, keepWithNext=1)
    yield from prose(local(row.get("finding")), size=10, spaceAfter=2)
    yield from _labelled(gettext("Evidence"), " ".join(part for part in (row.get("evidence"), row.get("link")) if part))
    yield from _labelled(gettext("Responding institution"), row.get("institution") or "")


def chapter_pages(chapter: Chapter, outline: Outline) -> list[Flowable]:
    """One section, from a new page, as its current revision has it."""
    section, revision = chapter.section, chapter.revision
    colour, key = pdf.dimension_colour(section.dimension.number), f"section-{section.number}"
    content: dict[str, Any] = revision.content if revision is not None else {}
    title = f"{section.number}  {local(content.get('title')) or local(section.title)}"
    story: list[Flowable] = [PageBreak(), Rule(colour), heading(title, key, outline, 0, colour)]
    if revision is None:
        return [*story, paragraph(gettext("This section has no revision yet."), pdf.SERIF, 10.5)]
    state = gettext("as signed") if chapter.is_signed else gettext("not signed by all focal points")
    if not section.is_frozen:
        state = gettext("open again: the text may be changing")
    words = f"{gettext('Revision %(number)s', number=revision.number)}, {state}. SHA-256 {grouped(revision.sha256)}"
    story.append(paragraph(words, pdf.SANS, 7.5, textColor=pdf.MUTED, spaceAfter=6))
    story.extend(_parts(content, key, outline, colour))
    rows = content.get("indicators", [])
    if rows:
        story.append(heading(gettext("Indicators"), f"{key}-indicators", outline, 1, colour))
    for row in rows:
        story.extend(_indicator(row, colour))
    if not rows and not any(content.get(part) for part in ("narrative", "well_developed", "potential", "recommendations")):
        story.append(small_heading(gettext("This section has no text.")))
    return story
