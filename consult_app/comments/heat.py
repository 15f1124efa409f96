"""Where the positions stand over all indicators, by stakeholder type: the heat map, and who has looked at what."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from consult_app.comments.models import Comment, Position, PositionValue
from consult_app.comments.queries import SHOWN, PositionRow, suppressed
from consult_app.consultations.models import Consultation, Indicator, Revision, Section
from consult_app.db import db
from consult_app.registrations.models import Institution, Registration, StakeholderType


@dataclass(frozen=True)
class HeatRow:
    """One indicator. `cells` are by stakeholder type: None where nobody took a position, counts None where it must not be told."""

    indicator: Indicator
    everyone: PositionRow
    cells: list[PositionRow | None]
    earlier: int  # positions on earlier revisions: marked, not counted as current
    types_seen: int | None  # of how many types somebody commented or took a position; None: not to be told


@dataclass(frozen=True)
class Holding:
    """Where one institution stands: on how many indicators it holds what, by whoever speaks for it."""

    institution: Institution
    counts: dict[PositionValue, int]


@dataclass(frozen=True)
class InstitutionMap:
    """Positions of institutions. Where they must not be told, `holdings` and `held` are empty and only numbers by type remain."""

    types: list[StakeholderType]
    rows: list[HeatRow]
    holdings: list[Holding]
    held: dict[int, dict[PositionValue, list[Institution]]]  # by indicator


Taken = defaultdict[int, dict[int, dict[PositionValue, int]]]  # by indicator and stakeholder type


def _no_counts() -> dict[PositionValue, int]:
    return dict.fromkeys(PositionValue, 0)


def _types(consultation: Consultation) -> list[StakeholderType]:
    query = select(StakeholderType).where(StakeholderType.consultation_id == consultation.id)
    return list(db.session.scalars(query.order_by(StakeholderType.place)))


def _indicators(consultation: Consultation) -> list[Indicator]:
    return list(db.session.scalars(select(Indicator).where(Indicator.consultation_id == consultation.id).order_by(Indicator.place)))


IS_CURRENT = Revision.number == Section.revision_number


def _people(consultation: Consultation) -> tuple[Taken, defaultdict[int, int], defaultdict[int, set[int]]]:
    """Positions of people on the current revisions, how many stand on earlier ones, and which types have looked at an indicator."""
    taken = (
        select(Position.indicator_id, Registration.stakeholder_type_id, Position.value, IS_CURRENT, func.count())
        .join(Registration, Registration.id == Position.registration_id)
        .join(Revision, Revision.id == Position.revision_id)
        .join(Section, Section.id == Revision.section_id)
        .where(Position.consultation_id == consultation.id)
        .group_by(Position.indicator_id, Registration.stakeholder_type_id, Position.value, IS_CURRENT)
    )
    current: Taken = defaultdict(dict)
    earlier: defaultdict[int, int] = defaultdict(int)
    seen: defaultdict[int, set[int]] = defaultdict(set)
    for indicator_id, kind, value, is_current, count in db.session.execute(taken).tuples():
        seen[indicator_id].add(kind)
        if is_current:
            current[indicator_id].setdefault(kind, _no_counts())[value] = count
        else:
            earlier[indicator_id] += count
    return current, earlier, seen


def heat_map(consultation: Consultation, *, suppress: bool) -> tuple[list[StakeholderType], list[HeatRow]]:
    """The stakeholder types that took part, and a row for every indicator, in four statements whatever their number."""
    types, (current, earlier, seen) = _types(consultation), _people(consultation)
    commented = (
        select(Comment.indicator_id, Registration.stakeholder_type_id)
        .join(Registration, Registration.id == Comment.registration_id)
        .where(Comment.consultation_id == consultation.id, *SHOWN)
        .distinct()
    )
    for indicator_id, kind in db.session.execute(commented).tuples():
        seen[indicator_id].add(kind)
    rows = [_row(i, types, current[i.id], earlier[i.id], len(seen[i.id]), suppress=suppress) for i in _indicators(consultation)]
    return _shown(types, rows, current)


def _shown(types: list[StakeholderType], rows: list[HeatRow], current: Taken) -> tuple[list[StakeholderType], list[HeatRow]]:
    """Without the columns in which nothing stands."""
    present = {kind for cells in current.values() for kind in cells}
    shown = [n for n, kind in enumerate(types) if kind.id in present]
    trimmed = [HeatRow(r.indicator, r.everyone, [r.cells[n] for n in shown], r.earlier, r.types_seen) for r in rows]
    return [types[n] for n in shown], trimmed


def _row(
    indicator: Indicator,
    types: list[StakeholderType],
    current: dict[int, dict[PositionValue, int]],
    earlier: int,
    seen: int,
    *,
    suppress: bool,
    among: dict[int, dict[PositionValue, int]] | None = None,
) -> HeatRow:
    everyone = _sum(current)
    present = [kind for kind in types if kind.id in current]
    rows = [PositionRow(kind.name, current[kind.id]) for kind in present]
    total = PositionRow({}, everyone)
    if suppress:
        each = [among[kind.id] for kind in present] if among is not None else []
        total, told = suppressed(everyone, rows, _sum(among) if among is not None else None, each)
        rows = told or [PositionRow(row.name, None) for row in rows]
    by_type = {kind.id: row for kind, row in zip(present, rows, strict=True)}
    return HeatRow(indicator, total, [by_type.get(kind.id) for kind in types], 0 if suppress else earlier, None if suppress else seen)


def _sum(current: dict[int, dict[PositionValue, int]]) -> dict[PositionValue, int]:
    return {value: sum(counts[value] for counts in current.values()) for value in PositionValue}


# -- institutions --


def _standing(consultation: Consultation) -> dict[tuple[int, int], tuple[int, PositionValue]]:
    """By indicator and institution, the type and position of whoever spoke for it last on the current revision."""
    speaks = aliased(Registration)
    is_theirs = (speaks.person_id == Registration.person_id) & (speaks.institution_id == Registration.institution_id)
    query = (
        select(Position.indicator_id, Registration.institution_id, Registration.stakeholder_type_id, Position.value)
        .join(Registration, Registration.id == Position.registration_id)
        .join(speaks, is_theirs & speaks.speaks_for_institution)
        .join(Revision, Revision.id == Position.revision_id)
        .join(Section, Section.id == Revision.section_id)
        .where(Position.consultation_id == consultation.id, IS_CURRENT)
        .order_by(Position.taken_at, Position.id)
    )
    return {(indicator, institution): (kind, value) for indicator, institution, kind, value in db.session.execute(query).tuples()}


def institution_map(consultation: Consultation, *, suppress: bool) -> InstitutionMap:
    """Where the institutions stand whose participant speaks for them, in five statements whatever their number."""
    standing = _standing(consultation)
    ids = {institution for _indicator, institution in standing}
    known = {i.id: i for i in db.session.scalars(select(Institution).where(Institution.id.in_(ids)).order_by(Institution.key))}
    current: Taken = defaultdict(dict)
    counts = {key: _no_counts() for key in known}
    held: defaultdict[int, dict[PositionValue, list[Institution]]] = defaultdict(dict)
    for (indicator, institution), (kind, value) in standing.items():
        current[indicator].setdefault(kind, _no_counts())[value] += 1
        counts[institution][value] += 1
        held[indicator].setdefault(value, []).append(known[institution])
    people = _people(consultation)[0] if suppress else None
    types = _types(consultation)
    rows = [
        _row(i, types, current[i.id], 0, 0, suppress=suppress, among=people[i.id] if people is not None else None)
        for i in _indicators(consultation)
    ]
    shown_types, shown_rows = _shown(types, rows, current)
    if suppress:
        return InstitutionMap(shown_types, shown_rows, [], {})
    return InstitutionMap(shown_types, shown_rows, [Holding(known[key], counts[key]) for key in known], dict(held))
