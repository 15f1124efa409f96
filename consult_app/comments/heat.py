"""Where the positions stand over all indicators, by stakeholder type: the heat map, and who has looked at what."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select

from consult_app.comments.models import Comment, Position, PositionValue
from consult_app.comments.queries import SHOWN, SMALL, Held, PositionRow, RevisionRow, held, is_newest_position, no_counts, suppressed
from consult_app.consultations.models import Consultation, Indicator, Revision
from consult_app.db import db
from consult_app.registrations.models import Institution, Registration, StakeholderType


@dataclass(frozen=True)
class HeatRow:
    """One indicator. `cells` are by stakeholder type: None where nobody took a position, counts None where it must not be told."""

    indicator: Indicator
    everyone: PositionRow
    cells: list[PositionRow | None]
    revisions: list[RevisionRow]  # the same positions by the revision that they were taken on
    untold: int  # positions whose numbers must not be told: for `how_many` alone
    types_seen: int | None  # of how many types somebody commented or took a position; None: not to be told


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
    """Positions of institutions. Where they must not be told, `holdings` and `held` are empty and only numbers by type remain."""

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
    """The stakeholder types that took part, and a row for every indicator, in four statements whatever their number."""
    types, (by_type, by_revision) = _types(consultation), _people(consultation)
    seen = defaultdict(set, {indicator_id: set(kinds) for indicator_id, kinds in by_type.items()})
    commented = (
        select(Comment.indicator_id, Comment.stakeholder_type_id).where(Comment.consultation_id == consultation.id, *SHOWN).distinct()
    )
    for indicator_id, kind in db.session.execute(commented).tuples():
        seen[indicator_id].add(kind)
    rows = []
    for one in _indicators(consultation):
        present = [kind for kind in types if kind.id in by_type[one.id]]
        told = held([PositionRow(kind.name, by_type[one.id][kind.id]) for kind in present], by_revision[one.id], suppress=suppress)
        cells = _cells(types, present, told.by_type)
        untold = sum(_sum(by_type[one.id]).values()) if told.everyone.counts is None else 0
        rows.append(HeatRow(one, told.everyone, cells, told.revisions, untold, None if suppress else len(seen[one.id])))
    return _shown(types, rows, by_type)


def _shown(types: list[StakeholderType], rows: list[HeatRow], by_type: By) -> tuple[list[StakeholderType], list[HeatRow]]:
    """Without the columns in which there is nothing."""
    present = {kind for cells in by_type.values() for kind in cells}
    shown = [n for n, kind in enumerate(types) if kind.id in present]
    trimmed = [HeatRow(r.indicator, r.everyone, [r.cells[n] for n in shown], r.revisions, r.untold, r.types_seen) for r in rows]
    return [types[n] for n in shown], trimmed


def _cells(types: list[StakeholderType], present: list[StakeholderType], told: list[PositionRow]) -> list[PositionRow | None]:
    """A cell for each type: of those present what is told (nothing, where none of them is), of the others None."""
    rows = told or [PositionRow(kind.name, None) for kind in present]
    by_type = {kind.id: row for kind, row in zip(present, rows, strict=True)}
    return [by_type.get(kind.id) for kind in types]


def _sum(by_type: dict[int, dict[PositionValue, int]]) -> dict[PositionValue, int]:
    return {value: sum(counts[value] for counts in by_type.values()) for value in PositionValue}


def how_many(rows: list[HeatRow]) -> int | None:
    """How many positions count, all indicators together; None where one could read from it that an indicator has one or two."""
    told = sum(one.total for row in rows for one in row.revisions)
    untold = [row.untold for row in rows if row.untold]
    return told + sum(untold) if sum(untold) >= SMALL * len(untold) else None


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


def institution_map(consultation: Consultation, *, suppress: bool) -> InstitutionMap:
    """Where the institutions stand whose participant speaks for them, in five statements whatever their number."""
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
    people = _people(consultation) if suppress else None
    rows = []
    for one in _indicators(consultation):
        present = [kind for kind in types if kind.id in by_type[one.id]]
        found = [PositionRow(kind.name, by_type[one.id][kind.id]) for kind in present]
        if people is None:
            told = held(found, by_revision[one.id], suppress=False)
        else:
            each_among = [people[0][one.id][kind.id] for kind in present]
            told = _held_among(found, by_type[one.id], each_among, people[1][one.id])
        rows.append(HeatRow(one, told.everyone, _cells(types, present, told.by_type), told.revisions, 0, None))
    shown_types, shown_rows = _shown(types, rows, by_type)
    if suppress:
        return InstitutionMap(shown_types, shown_rows, [], {})
    return InstitutionMap(shown_types, shown_rows, [Holding(known[key], counts[key]) for key in known], dict(holders))


def _held_among(
    rows: list[PositionRow],
    by_type: dict[int, dict[PositionValue, int]],
    each_among: list[dict[PositionValue, int]],
    by_revision: dict[int, dict[PositionValue, int]],
) -> Held:
    """What institutions hold as it may be told beside what people hold: on the people's revisions together, never apart."""
    total, told = suppressed(_sum(by_type), rows, _sum(by_revision), each_among)
    return Held(total, told, [RevisionRow(tuple(sorted(by_revision)), total.counts)] if rows else [])
