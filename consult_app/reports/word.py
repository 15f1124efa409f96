"""The report as DOCX, for whoever goes on working with its text. It carries no seal, and says so."""

from __future__ import annotations

from typing import Any

from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.shared import Mm

from consult_app.attendance.labels import told_words
from consult_app.consultations.labels import ANSWER, PART
from consult_app.consultations.models import SECTION_PARTS
from consult_app.consultations.territory import territory_name
from consult_app.documents.word import Paper
from consult_app.i18n import gettext, local, moment
from consult_app.reports.facts import Chapter, Facts
from consult_app.reports.layout import grouped, lines_of
from consult_app.reports.numbers import not_broken_down
from consult_app.reports.tables import tables
from consult_app.signoff.labels import DECIDED, KIND


def _chapter(paper: Paper, chapter: Chapter) -> None:
    section, revision = chapter.section, chapter.revision
    paper.chapter(f"{section.number}  {local(section.title)}")
    if revision is None:
        paper.line(gettext("This section has no revision yet."), muted=True)
        return
    paper.line(f"{gettext('Revision %(number)s', number=revision.number)}. SHA-256 {grouped(revision.sha256)}", size=8, muted=True)
    for part in SECTION_PARTS:
        if words := local(revision.content.get(part)):
            paper.heading(str(PART[part]))
            for line in lines_of(words):
                paper.line(line)
    for row in revision.content["indicators"]:
        paper.line(f"{row['code']}  {local(row['question'])}", bold=True)
        if row["answer"]:
            paper.line(f"{gettext('Answer')}: {ANSWER.get(row['answer'], row['answer'])}", size=10)
        for line in lines_of(local(row["finding"])):
            paper.line(line)
        if source := " ".join(part for part in (row["evidence"], row["link"]) if part):
            paper.line(f"{gettext('Evidence')}: {source}", size=9, muted=True)


def _signatures(paper: Paper, facts: Facts) -> None:
    paper.chapter(gettext("Signatures"))
    zone = facts.consultation.timezone
    for chapter in facts.chapters:
        paper.line(f"{chapter.section.number}  {local(chapter.section.title)}", bold=True)
        for s in chapter.standing:
            who = ", ".join(part for part in (s.signer_name, s.signer_title, s.institution) if part)
            paper.line(f"{who}: {DECIDED[s.decision]} ({KIND}), {moment(s.created_at, zone)}")
            if s.has_reservation:
                paper.line(gettext("Reservation: %(words)s", words=s.text))
        if not chapter.standing:
            paper.line(gettext("No signature stands."), muted=True)


def report_docx(facts: Facts, verify_url: str = "") -> bytes:
    """The report in the reader's language; `verify_url` is the public page of the sealed PDF that it accompanies."""
    consultation = facts.consultation
    title = local(consultation.title)
    paper = Paper(title, [])
    paper.title(title, [territory_name(consultation.territory), *consultation.partners])
    if verify_url:
        paper.line(gettext("This copy carries no seal. The sealed report is at %(url)s", url=verify_url), muted=True)
    else:
        paper.line(gettext("Draft, without a seal"), bold=True)
    if consultation.is_illustrative:
        paper.line(gettext("Illustrative: people, comments and answers in this report are invented."), bold=True)
    for chapter in facts.chapters:
        _chapter(paper, chapter)
    _signatures(paper, facts)
    across = paper.file.add_section(WD_SECTION.NEW_PAGE)
    across.orientation, across.page_width, across.page_height = WD_ORIENT.LANDSCAPE, Mm(297), Mm(210)
    annexes: dict[str, tuple[Any, ...]] = {
        gettext("Comments"): (10, 14, 18, 24, 52, 34, 20, 30, 22, 26, 14, 14),
        gettext("Positions"): (24, 24, 30, 40, 30, 30, 20),
        gettext("Participation"): (60, 26, 50, 22, 22, 30, 22, 26),
    }
    people = [table for meeting in facts.meetings for table in (meeting.arrived, meeting.registered)]
    notes = {
        gettext("Positions"): not_broken_down(facts),
        gettext("Participation"): told_words(people, consultation.timezone),
    }
    found = tables(facts)
    for name, widths in annexes.items():
        header, rows = found[name]
        paper.chapter(gettext("Annex: %(title)s", title=name))
        if rows:
            paper.table(header, rows, widths, size=8)
            for words in notes.get(name, []):
                paper.line(words, size=8, muted=True)
        else:
            paper.line("–")
    return paper.bytes()
