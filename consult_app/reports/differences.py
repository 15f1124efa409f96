"""What changed between any two revisions of a section, as words: the page, a PDF and a DOCX (product.md rule 14)."""

from __future__ import annotations

from dataclasses import dataclass

from docx.enum.text import WD_UNDERLINE
from reportlab.platypus import Flowable, Spacer

from consult_app import pdf
from consult_app.consultations.diff import Change, revision_diff
from consult_app.consultations.labels import FIELD, LANGUAGE, PART
from consult_app.consultations.models import Revision, Section
from consult_app.documents.word import Paper, safe
from consult_app.i18n import gettext, local, moment
from consult_app.pdf import mm, paragraph
from consult_app.reports.annexes import marked
from consult_app.reports.layout import Outline, PageNumbers, furniture, grouped


@dataclass(frozen=True)
class Comparison:
    """Two revisions of a section, the older first, and every text that differs."""

    section: Section
    old: Revision
    new: Revision
    changes: list[Change]

    @property
    def title(self) -> str:
        """What the papers are called."""
        words: str = gettext(
            "Section %(number)s, revision %(old)s to %(new)s", number=self.section.number, old=self.old.number, new=self.new.number
        )
        return words


def compare(section: Section, one: Revision, other: Revision) -> Comparison:
    """The difference from the earlier to the later one, in whatever order they are named."""
    old, new = sorted((one, other), key=lambda revision: revision.number)
    return Comparison(section, old, new, revision_diff(old.content, new.content))


def where(change: Change) -> str:
    """Which text it is: the part or the indicator's field, and the language."""
    name = f"{change.code}  {FIELD[change.field]}" if change.code else str(PART[change.field])
    return f"{name}, {LANGUAGE[change.language]}" if change.language else name


def _facts(found: Comparison) -> list[str]:
    zone = found.section.consultation.timezone
    return [
        f"{gettext('Revision %(number)s', number=r.number)}, {moment(r.created_at, zone)}, SHA-256 {grouped(r.sha256)}"
        for r in (found.old, found.new)
    ]


def difference_pdf(found: Comparison) -> bytes:
    """The difference on paper: removed words struck, added ones underlined."""
    outline = Outline()
    colour = pdf.dimension_colour(found.section.dimension.number)
    story: list[Flowable] = [
        paragraph(local(found.section.title), pdf.SANS_BOLD, 11, textColor=colour),
        paragraph(found.title, pdf.SERIF_BOLD, 20, spaceAfter=6),
        *(paragraph(line, pdf.SANS, 8, textColor=pdf.MUTED) for line in _facts(found)),
        paragraph(gettext("Removed words are struck through, added words underlined."), pdf.SANS, 8, textColor=pdf.MUTED),
        Spacer(1, 4 * mm),
    ]
    if not found.changes:
        story.append(paragraph(gettext("Nothing differs."), pdf.SERIF, 10.5))
    for change in found.changes:
        story.append(paragraph(where(change), pdf.SANS_BOLD, 9.5, textColor=colour, spaceBefore=10, spaceAfter=2, keepWithNext=1))
        story.append(marked(change.ops, 10.5))
    page = furniture(local(found.section.consultation.title), found.title, outline, is_draft=False)
    return pdf.build([*story, PageNumbers(outline)], found.title, page)


def _spaced(text: str) -> str:
    """Text that XML can hold, with the space at its ends that parts the words."""
    before, after = " " if text[:1].isspace() else "", " " if text[-1:].isspace() and text.strip() else ""
    return f"{before}{safe(text)}{after}"


def difference_docx(found: Comparison) -> bytes:
    """The same for a word processor: struck and underlined, as plain formatting and not as tracked changes."""
    paper = Paper(found.title, [])
    paper.title(found.title, [local(found.section.title)])
    for line in _facts(found):
        paper.line(line, size=8, muted=True)
    paper.line(gettext("Removed words are struck through, added words underlined."), size=9, muted=True)
    if not found.changes:
        paper.line(gettext("Nothing differs."))
    for change in found.changes:
        paper.heading(where(change))
        words = paper.file.add_paragraph()
        for op, text in change.ops:
            run = words.add_run(_spaced(text))
            run.font.strike = op == "removed" or None
            run.font.underline = WD_UNDERLINE.SINGLE if op == "added" else None
    return paper.bytes()
