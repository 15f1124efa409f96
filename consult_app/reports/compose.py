"""The report as one PDF, composed from the facts; sealing is another matter (seal.py).

It is built in one pass; page numbers that are known only at the end are filled in then (layout.PageNumbers).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.platypus import Flowable

from consult_app import pdf
from consult_app.i18n import gettext, local, moment, reading
from consult_app.reports.annexes import comment_pages, last_page, reservation_pages, signature_pages
from consult_app.reports.chapters import chapter_pages
from consult_app.reports.facts import Facts
from consult_app.reports.front import contents, part_title, participation_pages, title_page
from consult_app.reports.labels import language_name
from consult_app.reports.layout import Outline, PageNumbers, furniture
from consult_app.reports.numbers import number_pages, position_pages


@dataclass(frozen=True)
class SealWords:
    """What a sealed report prints about its seal: code, number, public address, time, fingerprint of the certificate."""

    code: str
    number: int
    url: str
    at: dt.datetime
    fingerprint: str
    authority: str = ""  # the server that confirms the time; none: the time is ours


def _story(facts: Facts, outline: Outline, words: SealWords | None, others: Sequence[str]) -> list[Flowable]:
    """The whole report in the language that is being read, and its sections alone in the other languages."""
    zone, is_draft = facts.consultation.timezone, words is None
    sealed = gettext("Sealed %(when)s as report %(number)s.", when=moment(words.at, zone), number=words.number) if words is not None else ""
    body: list[Flowable] = [*participation_pages(facts, outline), *number_pages(facts, outline)]
    for chapter in facts.chapters:
        body.extend(chapter_pages(chapter, outline))
    for code in others:
        with reading(code):
            outline.prefix = f"{code}-"
            body.extend(part_title(local(facts.consultation.title), language_name(code), outline))
            for chapter in facts.chapters:
                body.extend(chapter_pages(chapter, outline))
    outline.prefix = ""
    body.extend(comment_pages(facts, outline))
    body.extend(reservation_pages(facts, outline))
    body.extend(position_pages(facts, outline))
    body.extend(signature_pages(facts, outline))
    url, code, fingerprint = (words.url, words.code, words.fingerprint) if words is not None else ("", "", "")
    body.extend(last_page(facts, outline, url, code, fingerprint, words.authority if words is not None else ""))
    return [*title_page(facts, is_draft, sealed), *contents(outline), *body, PageNumbers(outline)]


def compose(facts: Facts, language: str, words: SealWords | None = None) -> bytes:
    """The report in a language, or in several ("en+id"); without the words of a seal it is a draft, and every page says so."""
    language, *others = language.split("+")
    with reading(language):
        outline, title = Outline(), local(facts.consultation.title)
        foot = gettext("Draft, without a seal")
        if words is not None:
            foot = gettext("Report %(code)s, verify at %(url)s", code=words.code, url=words.url)
        if facts.consultation.is_illustrative:
            foot = f"{foot}. {gettext('Illustrative')}"
        page = furniture(title, foot, outline, words is None)
        story = _story(facts, outline, words, others)
        # verify.py looks for these words in files that are not ours to the byte: here, and in the seal's reason
        subject = gettext("Draft") if words is None else f"Report {words.code}"
        return pdf.build(story, title, page, subject=subject, lang=language)
