"""The annexes: what became of every comment, reservations, signatures, and how the file is verified."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reportlab.platypus import Flowable, NextPageTemplate, PageBreak, Paragraph

from consult_app import checkpoints, pdf
from consult_app.comments import labels as words_of_comments
from consult_app.comments.attribution import byline
from consult_app.comments.models import Comment, Disposition
from consult_app.consultations.diff import Ops, word_diff
from consult_app.i18n import gettext, local, moment
from consult_app.pdf import QR, mm, paragraph
from consult_app.reports.facts import Facts
from consult_app.reports.layout import Outline, cell, gap, grid, grouped, heading, prose
from consult_app.signoff import labels as words_of_signoff
from consult_app.signoff.models import SignOff

MOST_DIFF = 3000  # characters; a longer difference is told in words


# -- comments --


def _change(comment: Comment, decided: Disposition) -> Ops | None:
    """How the finding that was commented on reads in the revision that carries the change, as words; None if that is not simple."""
    if decided.revision is None:
        return None
    texts = []
    for revision in (comment.revision, decided.revision):
        row = next((row for row in revision.content["indicators"] if row["code"] == comment.indicator.code), None)
        texts.append(local(row["finding"]) if row is not None else "")
    ops = word_diff(*texts)
    return ops if any(op != "same" for op, _text in ops) and sum(len(text) for _op, text in ops) <= MOST_DIFF else None


def marked(ops: Ops, size: float = 8) -> Paragraph:
    """The words, struck and underlined: never by colour alone."""
    tags = {"same": "{}", "removed": '<strike><font color="#9b2c2c">{}</font></strike>', "added": '<u><font color="#2c6b3f">{}</font></u>'}
    return Paragraph("".join(tags[op].format(_spaced(text)) for op, text in ops), pdf.style(pdf.SERIF, size, size * 1.3))


def _spaced(text: str) -> str:
    """Marked-up text that keeps the spaces at its ends."""
    core = text.strip()
    before, after = (" " if text[:1].isspace() else ""), (" " if text[-1:].isspace() and core else "")
    return f"{before}{pdf.markup(core, pdf.SERIF)}{after}"


def _answer(comment: Comment) -> list[Flowable]:
    decided = comment.disposition
    if decided is None:
        return cell(gettext("No disposition yet."))
    found = cell(words_of_comments.DISPOSITION[decided.kind], 8, pdf.SANS_BOLD)
    if decided.duplicate_of is not None:
        found += cell(gettext("See No. %(number)s.", number=decided.duplicate_of.number))
    if decided.response:
        found += cell(decided.response)
    ops = _change(comment, decided)
    if ops:
        found += [paragraph(gettext("The finding was changed:"), pdf.SANS, 7.5, textColor=pdf.MUTED, spaceBefore=3), marked(ops)]
    return found


def _comment(comment: Comment) -> list[Any]:
    decided = comment.disposition
    said = cell(comment.text)
    if comment.proposed:
        said += cell(gettext("Proposed: %(words)s", words=comment.proposed), textColor=pdf.MUTED)
    if comment.link:
        said += cell(comment.link, 7, textColor=pdf.MUTED)
    carried = str(decided.revision.number) if decided is not None and decided.revision is not None else "–"
    return [
        cell(comment.number),
        cell(comment.indicator.code, font=pdf.SANS_BOLD, textColor=pdf.dimension_colour(comment.section.number)),
        cell(words_of_comments.KIND[comment.kind])
        + cell(gettext("on revision %(number)s", number=comment.revision.number), 7, textColor=pdf.MUTED),
        said,
        # as somebody without any role may see it: under the Chatham House Rule the stakeholder type alone (rule 11)
        cell(byline(comment, frozenset())),
        _answer(comment),
        cell(carried),
    ]


def comment_pages(facts: Facts, outline: Outline) -> list[Flowable]:
    """The comment matrix, on pages that lie across."""
    story: list[Flowable] = [NextPageTemplate("wide"), PageBreak()]
    story.append(heading(gettext("Annex A: Comments and their dispositions"), "comments", outline))
    words = gettext("%(comments)s comments, %(answered)s with a disposition.", comments=len(facts.comments), answered=facts.answered)
    story.append(paragraph(words, pdf.SERIF, 10.5, spaceAfter=6))
    if facts.comments:
        head = [gettext("No."), gettext("Indicator"), gettext("Kind"), gettext("Comment"), gettext("Submitted by"),
                gettext("Disposition and response"), gettext("Carried by revision")]  # fmt: skip
        story.append(grid(head, [_comment(comment) for comment in facts.comments], [w * mm for w in (10, 17, 24, 76, 36, 74, 16)]))
    return [*story, NextPageTemplate("page"), PageBreak()]


# -- signatures --


def _who(sign_off: SignOff) -> list[Flowable]:
    found = cell(sign_off.signer_name, 8.5, pdf.SANS_BOLD)
    for words in (sign_off.signer_title, sign_off.institution):
        if words:
            found += cell(words)
    return found


def reservation_pages(facts: Facts, outline: Outline) -> list[Flowable]:
    story: list[Flowable] = [heading(gettext("Annex B: Reservations"), "reservations", outline)]
    if not facts.reservations:
        return [*story, paragraph(gettext("No reservation stands."), pdf.SERIF, 10.5)]
    for sign_off in facts.reservations:
        title = gettext("Section %(number)s, revision %(revision)s", number=sign_off.section.number, revision=sign_off.revision.number)
        who = ", ".join(part for part in (sign_off.signer_name, sign_off.signer_title, sign_off.institution) if part)
        story.append(paragraph(f"{title}: {who}"[:1500], pdf.SANS_BOLD, 9.5, spaceBefore=8, spaceAfter=2, keepWithNext=1))
        story.extend(prose(sign_off.text))
    return story


def _decision(sign_off: SignOff) -> list[Flowable]:
    found = cell(words_of_signoff.DECIDED[sign_off.decision], 8.5, pdf.SANS_BOLD) + cell(words_of_signoff.KIND, 7, textColor=pdf.MUTED)
    if sign_off.has_reservation:
        found += cell(gettext("Reservation: %(words)s", words=sign_off.text), 8, pdf.SERIF)
    return found


def _bound(sign_off: SignOff, zone: str) -> list[Flowable]:
    number = gettext("Revision %(number)s", number=sign_off.revision.number)
    return cell(moment(sign_off.created_at, zone)) + cell(
        f"{number}, SHA-256 {grouped(sign_off.revision_sha256)}", 7.2, textColor=pdf.MUTED
    )


def signature_pages(facts: Facts, outline: Outline) -> list[Flowable]:
    """Who signed which text when; only what was recorded (rule 24)."""
    story: list[Flowable] = [PageBreak(), heading(gettext("Signatures"), "signatures", outline)]
    words = gettext(
        "Each line is an uncertified electronic signature: it is recorded that the account of the person named, with its second "
        "factor, gave the decision on the text with this SHA-256 at this time. Nothing more is claimed."
    )
    story.append(paragraph(words, pdf.SERIF, 10.5, spaceAfter=6))
    zone = facts.consultation.timezone
    for chapter in facts.chapters:
        title = f"{chapter.section.number}  {local(chapter.section.title)}"
        colour = pdf.dimension_colour(chapter.section.dimension.number)
        story.append(paragraph(title, pdf.SANS_BOLD, 10.5, textColor=colour, spaceBefore=10, spaceAfter=2, keepWithNext=1))
        rows = [[_who(sign_off), _decision(sign_off), _bound(sign_off, zone)] for sign_off in chapter.standing]
        if rows:
            story.append(
                grid([gettext("Focal point"), gettext("Decision"), gettext("When and what")], rows, [w * mm for w in (48, 50, 68)])
            )
        open_places = [place for place in chapter.places if not place.stands]
        for place in open_places:
            line = f"{place.focal_point.user.name}: {words_of_signoff.STANDING[place.standing]}"
            story.append(paragraph(line, pdf.SANS, 9, textColor=pdf.WARNING))
        for scan in chapter.papers:
            words = gettext("A paper signed by hand, or elsewhere, is kept since %(when)s; Consult has not verified it. SHA-256 %(sha)s",
                            when=moment(scan.created_at, zone), sha=grouped(scan.sha256))  # fmt: skip
            story.append(paragraph(words, pdf.SANS, 8.5, textColor=pdf.MUTED, spaceBefore=3))
        if not chapter.places:
            story.append(paragraph(gettext("No focal point is named."), pdf.SANS, 9, textColor=pdf.WARNING))
    return story


# -- verification --


def _pairs(pairs: Iterable[tuple[str, str]]) -> Iterable[Flowable]:
    for label, words in pairs:
        yield paragraph(label, pdf.SANS_BOLD, 8.5, textColor=pdf.MUTED, spaceBefore=6)
        yield paragraph(words, pdf.SANS, 9.5)


def last_page(facts: Facts, outline: Outline, url: str, code: str, fingerprint: str, authority: str) -> list[Flowable]:
    """How anybody verifies the file; a draft (without `url`) says that it cannot be."""
    story: list[Flowable] = [PageBreak(), heading(gettext("Verification"), "verification", outline)]
    log = f"{facts.consultation.id} / {facts.log_number}"
    log_words = f"{gettext('Chain and entry')} {log}, {grouped(facts.log_hash)}"
    if not url:
        words = gettext("This is a draft without a seal. It cannot be verified, and its text may change.")
        return [*story, paragraph(words, pdf.SERIF, 10.5), *_pairs([(gettext("Head of the log when this was made"), log_words)])]
    story.append(paragraph(gettext("Scan the code, or open the address, and compare the file there."), pdf.SERIF, 10.5, spaceAfter=6))
    story.append(QR(url, 42 * mm))
    level = "B-T" if authority else "B-B"
    words = gettext(
        "This file carries one electronic seal of the site (PAdES, baseline %(level)s), made with the site’s own certificate. The seal "
        "shows whether the file has changed since. It does not certify who the signatories are, nor that any institution endorses "
        "every finding.",
        level=level,
    )
    story.extend([gap(), paragraph(words, pdf.SERIF, 10.5, spaceAfter=4)])
    when = gettext("Its time is that of the site’s server; no timestamp authority was asked.")
    if authority:
        when = gettext("Its time is confirmed by a token of the timestamp authority at %(host)s.", host=authority)
    story.append(paragraph(when, pdf.SERIF, 10.5, spaceAfter=4))
    story.extend(
        _pairs(
            [
                (gettext("Address"), url),
                (gettext("Report code"), code),
                (gettext("SHA-256 of the site’s certificate"), grouped(fingerprint)),
                (gettext("Head of the log when this was made"), log_words),
                (gettext("Public key of the checkpoints"), grouped(checkpoints.public_key()) or "–"),
            ]
        )
    )
    words = gettext(
        "Enclosed in this file is checkpoint.json: the same head of the log, signed by the site with the key above. Whoever keeps "
        "this file can have it shown later that no entry up to there was changed or removed."
    )
    story.append(paragraph(words, pdf.SERIF, 10.5, spaceBefore=6))
    return story
