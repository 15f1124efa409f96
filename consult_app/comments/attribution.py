"""Who is shown as the author of a comment, to whom (product.md rule 11).

Organisers, facilitators and rapporteurs see who spoke, since they have to work with it. Everyone else sees what the
consultation's rule says; under the Chatham House Rule that is the stakeholder type alone, and where too few could have spoken for a
type, only that it was a participant (rule 28).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import case, event, func, select
from sqlalchemy.orm import Session

from consult_app.comments.models import Comment, Reply
from consult_app.consultations.labels import ROLE
from consult_app.consultations.models import Attribution, Consultation
from consult_app.db import db
from consult_app.disclosure import LEAST
from consult_app.i18n import gettext, local
from consult_app.policy import STAFF, Actor, Role, can, roles
from consult_app.registrations.models import Registration, RegistrationState, StakeholderType

KNOW = frozenset({Role.ORGANISER, Role.FACILITATOR, Role.RAPPORTEUR, Role.SYSTEM})


@dataclass(frozen=True)
class Byline:
    """What is shown: an empty name or institution is not to be told."""

    name: str
    institution: str
    stakeholder_type: str
    recorded_by: str = ""

    def __str__(self) -> str:
        return ", ".join(part for part in (self.name, self.institution, self.stakeholder_type) if part)


def wide_types(consultation_id: int) -> frozenset[int]:
    """The ids of the stakeholder types that are told as "Participants" under the Chatham House Rule.

    Those that fit fewer than three people with a place at an event of the consultation; and, where these are fewer than three
    together, the next smallest too, so that the wide label does not fit them alone.
    """
    known: dict[int, frozenset[int]] = db.session.info.setdefault("wide_types", {})
    if consultation_id not in known:
        has_place = case((Registration.state == RegistrationState.CONFIRMED, Registration.person_id))
        of_type = Registration.stakeholder_type_id
        counted = select(of_type.label("kind"), func.count(has_place.distinct()).label("number")).group_by(of_type)
        people = counted.where(Registration.consultation_id == consultation_id).subquery()
        query = select(StakeholderType.id, people.c.number).outerjoin(people, people.c.kind == StakeholderType.id)
        found: dict[int, int | None] = dict(
            db.session.execute(query.where(StakeholderType.consultation_id == consultation_id)).tuples().all()
        )
        wide = {kind for kind, number in found.items() if (number or 0) < LEAST}
        others = sorted((number, kind) for kind, number in found.items() if kind not in wide)
        while others and any(found[kind] is not None for kind in wide) and sum(found[kind] or 0 for kind in wide) < LEAST:
            wide.add(others.pop(0)[1])
        known[consultation_id] = frozenset(wide)
    return known[consultation_id]


@event.listens_for(Session, "after_transaction_end")
def _forget_wide_types(session: Session, _transaction: Any) -> None:
    session.info.pop("wide_types", None)


def told_as_one(consultation: Consultation, roles: frozenset[Role]) -> frozenset[int]:
    """The ids of the stakeholder types that somebody with these roles must not tell apart."""
    return wide_types(consultation.id) if must_suppress(consultation.attribution, roles) else frozenset()


def type_name(kind: StakeholderType, rule: Attribution, roles: frozenset[Role]) -> str:
    """A stakeholder type as somebody with these roles may hear of it: pages, files, mails and the hall ask here."""
    if must_suppress(rule, roles) and kind.id in wide_types(kind.consultation_id):
        return str(gettext("Participants"))
    return local(kind.name)


def _told(name: str, institution: str, kind: str, rule: Attribution, roles: frozenset[Role]) -> Byline:
    if roles & KNOW or rule is Attribution.BY_NAME:
        return Byline(name, institution, kind)
    return Byline("", institution if rule is Attribution.BY_INSTITUTION else "", kind)


def _of(said: Comment | Reply, author: Registration, rule: Attribution, roles: frozenset[Role]) -> Byline:
    """By the institution and type that the author had when writing (rule 28)."""
    assert said.institution is not None
    assert said.stakeholder_type is not None
    return _told(author.full_name, local(said.institution.name), type_name(said.stakeholder_type, rule, roles), rule, roles)


def byline(comment: Comment, roles: frozenset[Role]) -> Byline:
    """The author of a comment as somebody with these roles may see them."""
    rule = comment.section.consultation.attribution
    shown = _of(comment, comment.registration, rule, roles)
    if comment.recorded_by is None or (rule is Attribution.BY_STAKEHOLDER_TYPE and not roles & KNOW):
        return shown
    return replace(shown, recorded_by=comment.recorded_by.name)


def reply_byline(reply: Reply, roles: frozenset[Role]) -> Byline:
    """The author of a reply, by the same rule; of somebody of the staff the role stands where a participant has the type."""
    comment = reply.comment
    rule = comment.section.consultation.attribution
    if reply.registration is not None:
        return _of(reply, reply.registration, rule, roles)
    assert reply.written_by is not None
    held = [membership for membership in reply.roles if membership.role in STAFF]
    held.sort(key=lambda membership: STAFF.index(membership.role))
    role = held[0].role if held else Role.ORGANISER
    return _told(reply.written_by.name, held[0].institution if held else "", str(ROLE[role]), rule, roles)


def shown(comments: Iterable[Comment], roles: frozenset[Role]) -> dict[str, Any]:
    """The names that fragments with comments need, as somebody with these roles may see them."""
    comments = list(comments)
    bylines = {comment.id: byline(comment, roles) for comment in comments}
    return {
        "bylines": bylines,
        "reply_bylines": {reply.id: reply_byline(reply, roles) for comment in comments for reply in comment.standing_replies},
        "named": {one for one, told in bylines.items() if told.name},
    }


def may_see(comment: Comment, actor: Actor) -> bool:
    """Whether somebody sees a comment at all: its author always, others what stands and no facilitator keeps from the screens.

    Those who are told who spoke also see what was withdrawn, and the staff what waits or is held back.
    """
    held = roles(actor, comment)
    if Role.OWNER in held:
        return True
    return (not comment.is_withdrawn or bool(held & KNOW)) and (comment.moderation is None or can(actor, "comment.see_unshown", comment))


def must_suppress(attribution: Attribution, roles: frozenset[Role]) -> bool:
    """Whether cells of fewer than three are hidden from somebody with these roles."""
    return attribution is Attribution.BY_STAKEHOLDER_TYPE and not roles & KNOW
