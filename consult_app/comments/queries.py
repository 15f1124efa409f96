"""Selects over comments and positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from consult_app.comments.models import (
    Comment,
    CommentKind,
    Disposition,
    Endorsement,
    Objection,
    Position,
    PositionValue,
)
from consult_app.consultations.models import Consultation, Indicator, Section
from consult_app.db import db
from consult_app.errors import Missing
from consult_app.i18n import Texts, _
from consult_app.registrations.models import Registration, StakeholderType

SMALL = 3

WITH = (
    joinedload(Comment.section).joinedload(Section.consultation),
    joinedload(Comment.indicator),
    joinedload(Comment.revision),
    joinedload(Comment.registration).options(joinedload(Registration.institution), joinedload(Registration.stakeholder_type)),
    joinedload(Comment.recorded_by),
    selectinload(Comment.dispositions).options(
        joinedload(Disposition.revision), joinedload(Disposition.decided_by), joinedload(Disposition.duplicate_of)
    ),
    selectinload(Comment.objections),
)


def load_comment(consultation: Consultation, public_id: str) -> Comment:
    """A comment of this consultation. Raises Missing."""
    found = db.session.scalar(
        select(Comment).where(Comment.consultation_id == consultation.id, Comment.public_id == public_id).options(*WITH)
    )
    if found is None:
        raise Missing(_("There is no such comment in this consultation."))
    return found


def on_indicator(indicator: Indicator) -> Select[Comment]:
    """Comments on an indicator, the newest first, without the withdrawn ones."""
    return (
        select(Comment)
        .where(Comment.indicator_id == indicator.id, Comment.withdrawn_at.is_(None))
        .order_by(Comment.id.desc())
        .options(*WITH)
    )


def by_person(registration: Registration) -> list[Comment]:
    """What somebody wrote in this consultation, at any event, the newest first."""
    return list(
        db.session.scalars(select(Comment).where(Comment.person_id == registration.person_id).order_by(Comment.id.desc()).options(*WITH))
    )


def newest_disposition() -> Select[int]:
    """The id of each comment's newest disposition."""
    return select(func.max(Disposition.id)).group_by(Disposition.comment_id)


def review(consultation: Consultation, filters: Mapping[str, str]) -> Select[Comment]:
    """The comments of a consultation for the filters `section` (number), `state`, `kind` and `type`, in the matrix's order."""
    query = (
        select(Comment)
        .join(Comment.section)
        .where(Comment.consultation_id == consultation.id, Comment.withdrawn_at.is_(None))
        .options(contains_eager(Comment.section).joinedload(Section.consultation), *WITH[1:])
        .order_by(Section.number, Comment.number)
    )
    if filters.get("section", "").isdigit():
        query = query.where(Section.number == int(filters["section"]))
    if filters.get("kind") in set(CommentKind):
        query = query.where(Comment.kind == filters["kind"])
    if filters.get("type"):
        query = query.where(
            Comment.registration_id.in_(select(Registration.id).join(StakeholderType).where(StakeholderType.code == filters["type"]))
        )
    return _in_state(query, filters.get("state", ""))


def _in_state(query: Select[Comment], state: str) -> Select[Comment]:
    answered = select(Disposition.comment_id)
    if state == "open":
        return query.where(Comment.id.not_in(answered))
    if state == "answered":
        return query.where(Comment.id.in_(answered))
    if state == "revision":
        waiting = select(Disposition.comment_id).where(
            Disposition.id.in_(newest_disposition()),
            Disposition.kind.in_(["accepted", "accepted_in_part"]),
            Disposition.revision_id.is_(None),
        )
        return query.where(Comment.id.in_(waiting))
    if state == "objection":
        return query.where(Comment.id.in_(select(Objection.comment_id).where(Objection.resolved_at.is_(None))))
    return query


def endorsement_counts(comments: list[Comment]) -> dict[int, int]:
    """How many endorse each comment."""
    ids = [comment.id for comment in comments]
    rows = db.session.execute(
        select(Endorsement.comment_id, func.count()).where(Endorsement.comment_id.in_(ids)).group_by(Endorsement.comment_id)
    )
    return dict(rows.tuples().all())


def endorsed_by(registration: Registration, comments: list[Comment]) -> set[int]:
    """Which of the comments somebody endorses."""
    ids = [comment.id for comment in comments]
    return set(
        db.session.scalars(
            select(Endorsement.comment_id).where(Endorsement.person_id == registration.person_id, Endorsement.comment_id.in_(ids))
        )
    )


def position_of(indicator: Indicator, registration: Registration) -> Position | None:
    """The newest position somebody took on an indicator, on whatever revision."""
    return db.session.scalar(
        select(Position)
        .where(Position.indicator_id == indicator.id, Position.person_id == registration.person_id)
        .order_by(Position.revision_id.desc())
        .limit(1)
        .options(joinedload(Position.revision))
    )


@dataclass(frozen=True)
class PositionRow:
    """Positions of one stakeholder type (or all) on the current revision; None for a number that must not be told."""

    name: Texts
    counts: dict[PositionValue, int] | None


def positions(indicator: Indicator, revision_id: int | None, *, suppress: bool) -> tuple[PositionRow, list[PositionRow]]:
    """All positions on a revision, and by stakeholder type. With `suppress`, no number below three is told."""
    groups = (
        db.session.execute(
            select(StakeholderType.name, StakeholderType.place, Position.value, func.count())
            .join(Registration, Registration.id == Position.registration_id)
            .join(StakeholderType, StakeholderType.id == Registration.stakeholder_type_id)
            .where(Position.indicator_id == indicator.id, Position.revision_id == revision_id)
            .group_by(StakeholderType.id, Position.value)
            .order_by(StakeholderType.place)
        )
        .tuples()
        .all()
    )
    everyone = dict.fromkeys(PositionValue, 0)
    by_type: dict[int, tuple[Texts, dict[PositionValue, int]]] = {}
    for name, place, value, count in groups:
        everyone[value] += count
        by_type.setdefault(place, (name, dict.fromkeys(PositionValue, 0)))[1][value] = count
    rows = [PositionRow(name, counts) for name, counts in by_type.values()]
    return suppressed(everyone, rows) if suppress else (PositionRow({}, everyone), rows)


def suppressed(everyone: dict[PositionValue, int], rows: list[PositionRow]) -> tuple[PositionRow, list[PositionRow]]:
    """The same without numbers that tell on one or two people (product.md rule 11).

    Any cell of one or two does; and the rest of a single hidden row could be worked out from the total.
    """
    if any(0 < n < SMALL for n in everyone.values()):
        return PositionRow({}, None), []
    hidden = [row for row in rows if any(0 < n < SMALL for n in (row.counts or {}).values())]
    if len(hidden) == 1 and len(rows) > 1:
        return PositionRow({}, everyone), []
    return PositionRow({}, everyone), [PositionRow(row.name, None) if row in hidden else row for row in rows]


@dataclass(frozen=True)
class SectionCounts:
    """Comments of one section, as the review desk and the gates count them."""

    comments: int
    open: int
    waiting_for_revision: int
    objections: int


def section_counts(consultation: Consultation) -> dict[int, SectionCounts]:
    """For every section of a consultation that has comments, in one statement."""
    newest = (
        select(Disposition.comment_id, Disposition.kind, Disposition.revision_id).where(Disposition.id.in_(newest_disposition())).subquery()
    )
    waits = newest.c.kind.in_(["accepted", "accepted_in_part"]) & newest.c.revision_id.is_(None)

    def counted(condition: ColumnElement[bool]) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    rows = db.session.execute(
        select(Comment.section_id, func.count(), counted(newest.c.comment_id.is_(None)), counted(waits), counted(Objection.id.is_not(None)))
        .outerjoin(newest, newest.c.comment_id == Comment.id)
        .outerjoin(Objection, (Objection.comment_id == Comment.id) & Objection.resolved_at.is_(None))
        .where(Comment.consultation_id == consultation.id, Comment.withdrawn_at.is_(None))
        .group_by(Comment.section_id)
    )
    return {section: SectionCounts(*numbers) for section, *numbers in rows.tuples()}


def indicator_counts(consultation: Consultation) -> dict[int, int]:
    """How many comments each indicator has."""
    return dict(
        db.session.execute(
            select(Comment.indicator_id, func.count())
            .where(Comment.consultation_id == consultation.id, Comment.withdrawn_at.is_(None))
            .group_by(Comment.indicator_id)
        )
        .tuples()
        .all()
    )


def positions_taken(registration: Registration) -> dict[int, Position]:
    """The newest position of somebody on each indicator."""
    rows = db.session.scalars(select(Position).where(Position.person_id == registration.person_id).order_by(Position.revision_id))
    return {position.indicator_id: position for position in rows}
