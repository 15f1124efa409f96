"""The gate before a signature and before the seal: what is missing, by name (product.md rules 14, 15 and 19)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import or_, select

from consult_app.comments.models import Comment
from consult_app.comments.queries import duplicate_target, is_answered, is_objected, leading_nowhere, waits_for_revision
from consult_app.consultations.models import Consultation, FocalPoint, Indicator, Section, SectionState
from consult_app.db import db
from consult_app.i18n import _, gettext, local, ngettext
from consult_app.signoff.standing import Standing, places_of, sections_of

MOST_NAMED = 12  # comments that are named one by one; the link leads to all of them


@dataclass(frozen=True)
class Missing:
    """One thing that stands between a text and its signature, in words, and where it is put right."""

    words: Any
    endpoint: str
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(self.words)


class Stuck(NamedTuple):
    """A comment that stands in the way, and why."""

    section_id: int
    number: int
    code: str
    is_undecided: bool
    lacks_revision: bool
    is_objected: bool
    leads_nowhere: bool


def _stuck(sections: Sequence[Section]) -> list[Stuck]:
    why = (~is_answered(), waits_for_revision(), is_objected())
    target = duplicate_target()
    query = select(Comment.id, target, Comment.section_id, Comment.number, Indicator.code, *why).join(
        Indicator, Indicator.id == Comment.indicator_id
    )
    ids = [section.id for section in sections]
    rows = db.session.execute(
        query.where(Comment.section_id.in_(ids), Comment.withdrawn_at.is_(None), or_(*why, target.is_not(None))).order_by(Comment.number)
    )
    found = rows.tuples().all()
    nowhere = leading_nowhere({section.consultation_id for section in sections}) if any(row[1] is not None for row in found) else set()
    return [Stuck(*tuple(row)[2:], row[0] in nowhere) for row in found]  # type: ignore[call-arg]


def _listed(comments: Sequence[Stuck]) -> str:
    """ "No. 3 (1.2), No. 7 (1.10)": the number in the comment matrix, and the indicator's code; the first of many."""
    names = [f"No. {comment.number} ({comment.code})" for comment in comments[:MOST_NAMED]]
    if len(comments) > MOST_NAMED:
        more = len(comments) - MOST_NAMED
        names.append(ngettext("and %(num)s more", "and %(num)s more", more))
    return ", ".join(names)


def named(point: FocalPoint) -> str:
    """ "Retno Wulandari (Ministry of Foreign Affairs)"; says so where the account is switched off."""
    words = f"{point.user.name} ({point.institution or '–'})"
    return words if point.user.is_enabled else f"{words}, {gettext('account switched off')}"


def _missing(section: Section, comments: Sequence[Stuck]) -> list[Missing]:
    slug, number = section.consultation.slug, section.number
    here = {"slug": slug, "number": number}
    found = []
    if not section.is_frozen or section.revision is None:
        words = _("The text of section %(number)s is not frozen for signature.", number=number)
        found.append(Missing(words, "consultations.section", here))
    if not section.focal_points:
        words = _("No focal point is named for section %(number)s.", number=number)
        found.append(Missing(words, "consultations.team", {"slug": slug}))
    for reason, state, words in (
        ("is_undecided", "open", _("Comments without a disposition: %(comments)s")),
        ("lacks_revision", "revision", _("Accepted comments that name no revision with the change: %(comments)s")),
        ("is_objected", "objection", _("Open objections to the answers of these comments: %(comments)s")),
        ("leads_nowhere", "answered", _("Duplicates that lead to no answer, since the other comment has none: %(comments)s")),
    ):
        if stuck := [comment for comment in comments if getattr(comment, reason)]:
            where = {"slug": slug, "section": number, "state": state}
            found.append(Missing(str(words) % {"comments": _listed(stuck)}, "desk.review", where))
    return found


def missing_of(sections: Sequence[Section]) -> dict[int, list[Missing]]:
    """What stands between each section and its signature, by the section's id; nothing: the gate is open."""
    comments = _stuck(sections)
    return {section.id: _missing(section, [c for c in comments if c.section_id == section.id]) for section in sections}


def missing(section: Section) -> list[Missing]:
    """What stands between this section and its signature (rule 15); nothing: the gate is open."""
    return missing_of([section])[section.id]


def report_missing(consultation: Consultation, sections: Sequence[Section] | None = None) -> list[Missing]:
    """What stands between the report and its validation: sections that are not frozen or open again, and required sign-offs that
    do not stand on a current revision; nothing: every section is validated (rules 19 and 27).

    `sections` are those that `sections_of` gives, where they are read already.
    """
    sections = sections_of(consultation) if sections is None else sections
    required, slug = places_of(sections), consultation.slug
    found = []
    if not sections:
        found.append(Missing(_("The report has no section yet."), "overview.consultation", {"slug": slug}))
    for section in sections:
        what: dict[str, Any] = {"number": section.number, "title": local(section.title)}
        if section.revision is None:
            words = _("Section %(number)s, %(title)s: it has no revision yet.", **what)
            found.append(Missing(words, "consultations.section", {"slug": slug, "number": section.number}))
        elif not section.is_frozen:
            words = REOPENED if section.frozen_at is not None and section.is_in_review else NOT_FROZEN[section.state]
            found.append(Missing(str(words) % what, "consultations.section", {"slug": slug, "number": section.number}))
        if section.revision is not None and not required[section.id]:
            words = _("Section %(number)s, %(title)s: no focal point is named.", **what)
            found.append(Missing(words, "consultations.team", {"slug": slug}))
        for place in required[section.id]:
            if not place.stands:
                who = {**what, "who": named(place.focal_point)}
                found.append(Missing(str(_WHY[place.standing]) % who, "signoff.sections", {"slug": slug}))
    return found


REOPENED = _("Section %(number)s, %(title)s: it is open again, so its text may be changing. Freeze it before the report is sealed.")
NOT_FROZEN = {
    SectionState.DRAFT: _("Section %(number)s, %(title)s: it is a draft."),
    SectionState.OPEN: _("Section %(number)s, %(title)s: it is open for comments."),
    SectionState.IN_REVIEW: _("Section %(number)s, %(title)s: its text is not frozen for signature yet."),
    SectionState.RETURNED: _("Section %(number)s, %(title)s: it was returned, and its text may be changing."),
}
_WHY = {
    Standing.WAITING: _("Section %(number)s, %(title)s: %(who)s has not signed."),
    Standing.RETURNED: _("Section %(number)s, %(title)s: %(who)s returned it."),
    Standing.WITHDRAWN: _("Section %(number)s, %(title)s: %(who)s has withdrawn the signature."),
    Standing.STALE: _("Section %(number)s, %(title)s: %(who)s signed an earlier revision."),
}
