"""Which change answers which accepted comment: linked when the text is saved, carried by the revision that follows (rule 14)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.comments import queries
from consult_app.comments.answers import carry
from consult_app.comments.models import ChangeLink, Comment, Disposition
from consult_app.consultations.actions import content_of, revision_made, text_saved
from consult_app.consultations.models import Consultation, Indicator, Revision, Section
from consult_app.db import db
from consult_app.errors import Conflict, Invalid, Missing
from consult_app.i18n import _
from consult_app.policy import Actor


def waiting(section: Section, indicator: Indicator | None = None) -> list[Comment]:
    """The accepted comments of a section, or of one of its indicators, that no revision carries yet, in the matrix's order."""
    query = queries.review(section.consultation, {"section": str(section.number), "state": "revision"}, unshown=True)
    if indicator is not None:
        query = query.where(Comment.indicator_id == indicator.id)
    return list(db.session.scalars(query.options(*queries.HEAD, queries.ANSWERS)))


def links(section: Section) -> list[ChangeLink]:
    """The changes of a section that wait for its next revision."""
    query = select(ChangeLink).where(ChangeLink.section_id == section.id, ChangeLink.revision_id.is_(None)).order_by(ChangeLink.id)
    return list(db.session.scalars(query.options(joinedload(ChangeLink.indicator), joinedload(ChangeLink.comment))))


def load_link(consultation: Consultation, public_id: str) -> ChangeLink:
    """A link of this consultation. Raises Missing."""
    found = db.session.scalar(select(ChangeLink).where(ChangeLink.consultation_id == consultation.id, ChangeLink.public_id == public_id))
    if found is None:
        raise Missing(_("This change is not linked to the comment any more."))
    return found


@audit.in_turn
def link(section: Section, indicator: Indicator | None, answering: Sequence[str], *, by: Actor) -> None:
    """Say that the text as it is saved now answers these comments; one that is linked here already stays so.

    Raises Invalid where one of them does not wait for a revision, or nothing differs from the revision they were made on.
    """
    db.session.flush()
    found = {comment.public_id: comment for comment in waiting(section)}
    if any(public_id not in found for public_id in answering):
        raise Invalid(_("One of the ticked comments does not wait for a revision any more. Look at what is ticked, then save again."))
    if section.revision is not None and audit.sha256(audit.canonical(content_of(section))) == section.revision.sha256:
        raise Invalid(_("The text does not differ from revision %(number)s, so it answers no comment yet.", number=section.revision_number))
    place = indicator.id if indicator else None
    linked = {one.comment_id for one in links(section) if one.indicator_id == place}
    for comment in (found[public_id] for public_id in dict.fromkeys(answering)):
        if comment.id in linked:
            continue
        made = ChangeLink(
            consultation_id=section.consultation_id,
            section=section,
            indicator=indicator,
            comment=comment,
            edit_number=(indicator or section).edit_number,
            linked_by=by if isinstance(by, User) else None,
        )
        db.session.add(made)
        audit.record(by, "change_link.make", made)


@audit.in_turn
def take_back(made: ChangeLink, *, by: Actor) -> None:
    """The change does not answer the comment after all. Raises Conflict once a revision carries it."""
    if made.is_carried:
        raise Conflict(_("A revision carries this change already; what was recorded with it stays."))
    audit.record(by, "change_link.delete", made)
    db.session.delete(made)


def answered_by(revision: Revision, *, unshown: bool) -> list[tuple[str, list[Comment]]]:
    """The comments that a revision carries, by the indicator whose finding was changed ("" for the section's own text, and for
    those that were named without a change). With `unshown`, also those that a facilitator keeps from the screens.
    """
    query = select(Comment).join(Disposition, Disposition.comment_id == Comment.id).where(Disposition.revision_id == revision.id)
    if not unshown:
        query = query.where(*queries.SHOWN)
    options = joinedload(Comment.indicator)
    comments = {comment.id: comment for comment in db.session.scalars(query.order_by(Comment.number).options(options))}
    rows = db.session.scalars(
        select(ChangeLink).where(ChangeLink.revision_id == revision.id).order_by(ChangeLink.id).options(joinedload(ChangeLink.indicator))
    )
    places: dict[tuple[int, str], list[Comment]] = {}
    named = set()
    for made in rows:
        if made.comment_id in comments:
            named.add(made.comment_id)
            place = (made.indicator.place, made.indicator.code) if made.indicator else (-1, "")
            places.setdefault(place, []).append(comments[made.comment_id])
    if rest := [comment for comment in comments.values() if comment.id not in named]:
        places.setdefault((-1, ""), []).extend(rest)
    return [(code, found) for (_place, code), found in sorted(places.items(), key=lambda one: one[0])]


def _link_what_is_ticked(section: Section, by: Actor, indicator: Indicator | None, answering: Sequence[str]) -> None:
    if answering:
        link(section, indicator, answering, by=by)


def _carry_what_is_linked(section: Section, revision: Revision, by: Actor) -> None:
    """The revision carries what was linked since the last; a comment whose answer was changed meanwhile is let go."""
    made = links(section)
    if not made:
        return
    wait = {comment.id: comment for comment in waiting(section)}
    answered = {one.comment_id: wait[one.comment_id] for one in made if one.comment_id in wait}
    carry(list(answered.values()), revision, by=by)
    for one in made:
        if one.comment_id in answered:
            one.revision = revision
            audit.record(by, "change_link.carry", one)
        else:
            audit.record(by, "change_link.delete", one)
            db.session.delete(one)


text_saved.connect(_link_what_is_ticked, weak=False)
revision_made.connect(_carry_what_is_linked, weak=False)
