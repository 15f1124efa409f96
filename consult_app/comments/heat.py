"""Where the positions stand over all indicators, by stakeholder type: the heat map, and who has looked at what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from consult_app.comments.models import Comment, Position, PositionsTold, PositionValue
from consult_app.comments.queries import (
    SHOWN,
    Held,
    PositionRow,
    RevisionRow,
    held_as_told,
    held_in_full,
    is_newest_position,
    is_told_of,
    no_counts,
    people_on,
)
from consult_app.consultations.models import Consultation, Indicator, Revision, Section
from consult_app.db import db
from consult_app.i18n import Texts
from consult_app.registrations.models import Institution, Registration, StakeholderType


@dataclass(frozen=True)
class HeatRow:
    """What is held of one indicator. `cells` are by stakeholder type: None where nobody took a position, or none is told of alone."""

    indicator: Indicator
    held: Held
    cells: list[PositionRow | None]
    types_seen: int | None = None  # of how many types somebody commented or took a position; None: not to be told

    @property
    def everyone(self) -> PositionRow:
        return self.held.everyone

    @property
    def revisions(self) -> list[RevisionRow]:
        """The same positions by the revision that they were taken on."""
        return self.held.revisions

    def in_all(self, taken: RevisionRow) -> int | None:
        """How many took a position on a revision; where that is not broken down, on the indicator."""
        return self.held.people if taken.counts is None else taken.total


@dataclass(frozen=True)
class Holding:
    """Where one institution stands: on how many indicators it holds what, by whoever speaks for it."""

    institution: Institution
    counts: dict[PositionValue, int]


@dataclass(frozen=True)
class Holder:
    """An institution that holds something of an indicator, and the revision that it was taken on."""

    institution: Institution
    revision: int


@dataclass(frozen=True)
class InstitutionMap:
    """Positions of institutions."""

    types: list[StakeholderType]
    rows: list[HeatRow]
    holdings: list[Holding]
    held: dict[int, dict[PositionValue, list[Holder]]]  # by indicator


By = defaultdict[int, dict[int, dict[PositionValue, int]]]  # by indicator and stakeholder type, or indicator and number of the revision


def _types(consultation: Consultation) -> list[StakeholderType]:
    query = select(StakeholderType).where(StakeholderType.consultation_id == consultation.id)
    return list(db.session.scalars(query.order_by(StakeholderType.place)))


def _indicators(consultation: Consultation) -> list[Indicator]:
    return list(db.session.scalars(select(Indicator).where(Indicator.consultation_id == consultation.id).order_by(Indicator.place)))


def _people(consultation: Consultation) -> tuple[By, By]:
    """The newest position of each person on each indicator, by stakeholder type and by revision."""
    taken = (
        select(Position.indicator_id, Position.stakeholder_type_id, Revision.number, Position.value, func.count())
        .join(Revision, Revision.id == Position.revision_id)
        .where(Position.consultation_id == consultation.id, is_newest_position())
        .group_by(Position.indicator_id, Position.stakeholder_type_id, Revision.number, Position.value)
    )
    by_type: By = defaultdict(dict)
    by_revision: By = defaultdict(dict)
    for indicator_id, kind, number, value, count in db.session.execute(taken).tuples():
        by_type[indicator_id].setdefault(kind, no_counts())[value] += count
        by_revision[indicator_id].setdefault(number, no_counts())[value] += count
    return by_type, by_revision


def heat_map(consultation: Consultation, *, suppress: bool) -> tuple[list[StakeholderType], list[HeatRow]]:
    """The stakeholder types that took part, and a row for every indicator, in four statements whatever their number.

    With `suppress`, what may be told to anybody, and of the types those that are told of alone somewhere.
    """
    types = _types(consultation)
    if suppress:
        found, seen = _told(consultation, types), None
    else:
        held = _in_full(consultation, types)
        found, seen = [(one, held[one.id]) for one in _indicators(consultation)], _seen(consultation, held)
    shown = [kind for kind in types if any(kind.id in one.by_type for _indicator, one in found)]
    rows = [
        HeatRow(indicator, one, [one.by_type.get(kind.id) for kind in shown], None if seen is None else len(seen[indicator.id]))
        for indicator, one in found
    ]
    return shown, rows


def _names(types: list[StakeholderType]) -> dict[int, Texts]:
    return {kind.id: kind.name for kind in types}


def _in_full(consultation: Consultation, types: list[StakeholderType]) -> defaultdict[int, Held]:
    """By indicator, what is held of it."""
    by_type, by_revision = _people(consultation)
    names = _names(types)
    nothing = held_in_full(names, {}, {})
    return defaultdict(lambda: nothing, {one: held_in_full(names, by_type[one], by_revision[one]) for one in by_type})


def _told(consultation: Consultation, types: list[StakeholderType]) -> list[tuple[Indicator, Held]]:
    """Every indicator with what may be told of it to anybody."""
    query = (
        select(Indicator, Section.revision_number, people_on(Indicator.id), PositionsTold)
        .join(Section, Section.dimension_id == Indicator.dimension_id)
        .outerjoin(PositionsTold, is_told_of(Indicator.id))
        .where(Indicator.consultation_id == consultation.id)
        .order_by(Indicator.place)
    )
    names, rows = _names(types), db.session.execute(query).tuples()
    return [(indicator, held_as_told(names, number, people, kept)) for indicator, number, people, kept in rows]


def _seen(consultation: Consultation, held: Mapping[int, Held]) -> defaultdict[int, set[int]]:
    """By indicator, the types of which somebody commented or took a position."""
    seen = defaultdict(set, {indicator_id: set(one.by_type) for indicator_id, one in held.items()})
    commented = (
        select(Comment.indicator_id, Comment.stakeholder_type_id).where(Comment.consultation_id == consultation.id, *SHOWN).distinct()
    )
    for indicator_id, kind in db.session.execute(commented).tuples():
        seen[indicator_id].add(kind)
    return seen


def how_many(rows: list[HeatRow]) -> int:
    """How many positions count, all indicators together, but for those on which fewer than three people could be read."""
    return sum(row.held.people or 0 for row in rows)


# -- institutions --


@dataclass(frozen=True)
class Stand:
    """What an institution holds of an indicator, by whoever spoke for it last, and the revision that it was taken on."""

    stakeholder_type_id: int
    value: PositionValue
    revision: int


def _standing(consultation: Consultation) -> dict[tuple[int, int], Stand]:
    """By indicator and institution, the position of whoever spoke for it last, on the latest revision that any of them spoke on."""
    is_theirs = (Registration.person_id == Position.person_id) & (Registration.institution_id == Position.institution_id)
    speaks = select(Registration.id).where(is_theirs, Registration.speaks_for_institution).exists()
    query = (
        select(Position.indicator_id, Position.institution_id, Position.stakeholder_type_id, Position.value, Revision.number)
        .join(Revision, Revision.id == Position.revision_id)
        .where(Position.consultation_id == consultation.id, is_newest_position(), speaks | Position.was_spoken)
        .order_by(Revision.number, Position.taken_at, Position.id)
    )
    rows = db.session.execute(query).tuples()
    return {(indicator, institution): Stand(kind, value, number) for indicator, institution, kind, value, number in rows}


def institution_map(consultation: Consultation) -> InstitutionMap:
    """Where the institutions stand whose participant speaks for them, in four statements whatever their number.

    For those who may know who spoke, or where everybody may: those who speak for institutions are some of the people of the other
    map, so that under the Chatham House Rule no number of them may stand beside it.
    """
    standing = _standing(consultation)
    ids = {institution for _indicator, institution in standing}
    known = {i.id: i for i in db.session.scalars(select(Institution).where(Institution.id.in_(ids)).order_by(Institution.key))}
    by_type: By = defaultdict(dict)
    by_revision: By = defaultdict(dict)
    counts = {key: no_counts() for key in known}
    holders: defaultdict[int, dict[PositionValue, list[Holder]]] = defaultdict(dict)
    for (indicator_id, institution_id), stand in standing.items():
        by_type[indicator_id].setdefault(stand.stakeholder_type_id, no_counts())[stand.value] += 1
        by_revision[indicator_id].setdefault(stand.revision, no_counts())[stand.value] += 1
        counts[institution_id][stand.value] += 1
        holders[indicator_id].setdefault(stand.value, []).append(Holder(known[institution_id], stand.revision))
    types = _types(consultation)
    held = {one: held_in_full(_names(types), by_type[one], by_revision[one]) for one in by_type}
    nothing = held_in_full({}, {}, {})
    shown = [kind for kind in types if any(kind.id in one.by_type for one in held.values())]
    rows = []
    for one in _indicators(consultation):
        of_it = held.get(one.id, nothing)
        rows.append(HeatRow(one, of_it, [of_it.by_type.get(kind.id) for kind in shown]))
    return InstitutionMap(shown, rows, [Holding(known[key], counts[key]) for key in known], dict(holders))
