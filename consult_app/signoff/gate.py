"""The gate before a signature and before the seal: what is missing, by name (product.md rules 14, 15 and 19)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from consult_app.comments.models import Comment
from consult_app.consultations.models import Consultation, Section
from consult_app.db import db
from consult_app.i18n import _, local
from consult_app.signoff.standing import Standing, is_fully_signed, places_of, sections_of


@dataclass(frozen=True)
class Missing:
    """One thing that stands between a text and its signature, in words, and where it is put right."""

    words: Any
    endpoint: str
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(self.words)


def _comments(sections: Sequence[Section]) -> list[Comment]:
    return list(
        db.session.scalars(
            select(Comment)
            .where(Comment.section_id.in_([section.id for section in sections]), Comment.withdrawn_at.is_(None))
            .order_by(Comment.number)
            .options(joinedload(Comment.indicator), selectinload(Comment.dispositions), selectinload(Comment.objections))
        )
    )


def _named(comments: Iterable[Comment]) -> str:
    """ "No. 3 (1.2), No. 7 (1.10)": the number in the comment matrix, and the indicator's code."""
    return ", ".join(f"No. {comment.number} ({comment.indicator.code})" for comment in comments)


def _lacks_revision(comment: Comment) -> bool:
    return comment.waits_for_revision


def _is_undecided(comment: Comment) -> bool:
    return comment.disposition is None


def _has_open_objection(comment: Comment) -> bool:
    return any(objection.is_open for objection in comment.objections)


def _missing(section: Section, comments: Sequence[Comment]) -> list[Missing]:
    slug, number = section.consultation.slug, section.number
    here = {"slug": slug, "number": number}
    found = []
    if not section.is_frozen or section.revision is None:
        words = _("The text of section %(number)s is not frozen for signature.", number=number)
        found.append(Missing(words, "consultations.section", here))
    if not section.focal_points:
        words = _("No focal point is named for section %(number)s.", number=number)
        found.append(Missing(words, "consultations.team", {"slug": slug}))
    for is_stuck, state, words in (
        (_is_undecided, "open", _("Comments without a disposition: %(comments)s")),
        (_lacks_revision, "revision", _("Accepted comments that name no revision with the change: %(comments)s")),
        (_has_open_objection, "objection", _("Open objections to the answers of these comments: %(comments)s")),
    ):
        if stuck := [comment for comment in comments if is_stuck(comment)]:
            where = {"slug": slug, "section": number, "state": state}
            found.append(Missing(str(words) % {"comments": _named(stuck)}, "desk.review", where))
    return found


def missing_of(sections: Sequence[Section]) -> dict[int, list[Missing]]:
    """What stands between each section and its signature, by the section's id; nothing: the gate is open."""
    comments = _comments(sections)
    return {section.id: _missing(section, [c for c in comments if c.section_id == section.id]) for section in sections}


def missing(section: Section) -> list[Missing]:
    """What stands between this section and its signature (rule 15); nothing: the gate is open."""
    return missing_of([section])[section.id]


def report_missing(consultation: Consultation) -> list[Missing]:
    """Which required sign-offs do not stand on a current revision; nothing: the report is validated (rule 19)."""
    sections = sections_of(consultation)
    required, slug = places_of(sections), consultation.slug
    found = []
    if not sections:
        found.append(Missing(_("The report has no section yet."), "overview.consultation", {"slug": slug}))
    for section in sections:
        what: dict[str, Any] = {"number": section.number, "title": local(section.title)}
        if section.revision is None:
            words = _("Section %(number)s, %(title)s: it has no revision yet.", **what)
            found.append(Missing(words, "consultations.section", {"slug": slug, "number": section.number}))
        elif not required[section.id]:
            words = _("Section %(number)s, %(title)s: no focal point is named.", **what)
            found.append(Missing(words, "consultations.team", {"slug": slug}))
        for place in required[section.id]:
            if not place.stands:
                who = {**what, "name": place.focal_point.user.name, "institution": place.focal_point.institution or "–"}
                found.append(Missing(str(_WHY[place.standing]) % who, "signoff.sections", {"slug": slug}))
    return found


def is_validated(consultation: Consultation) -> bool:
    """Whether every required sign-off of every section stands on its current revision (rule 19)."""
    sections = sections_of(consultation)
    return bool(sections) and all(is_fully_signed(found) for found in places_of(sections).values())


_WHY = {
    Standing.WAITING: _("Section %(number)s, %(title)s: %(name)s (%(institution)s) has not signed."),
    Standing.RETURNED: _("Section %(number)s, %(title)s: %(name)s (%(institution)s) returned it."),
    Standing.WITHDRAWN: _("Section %(number)s, %(title)s: %(name)s (%(institution)s) has withdrawn the signature."),
    Standing.STALE: _("Section %(number)s, %(title)s: %(name)s (%(institution)s) signed an earlier revision."),
}
