"""Where the positions stand over all indicators, by stakeholder type: the heat map, and who has looked at what."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select

from consult_app.comments.models import Comment, Position, PositionValue
from consult_app.comments.queries import PositionRow, suppressed
from consult_app.consultations.models import Consultation, Indicator, Revision, Section
from consult_app.db import db
from consult_app.registrations.models import Registration, StakeholderType


@dataclass(frozen=True)
class HeatRow:
    """One indicator. `cells` are by stakeholder type: None where nobody took a position, counts None where it must not be told."""

    indicator: Indicator
    everyone: PositionRow
    cells: list[PositionRow | None]
    earlier: int  # positions on earlier revisions: marked, not counted as current
    types_seen: int | None  # of how many types somebody commented or took a position; None: not to be told


def heat_map(consultation: Consultation, *, suppress: bool) -> tuple[list[StakeholderType], list[HeatRow]]:
    """The stakeholder types that took part, and a row for every indicator, in four statements whatever their number."""
    types = list(
        db.session.scalars(
            select(StakeholderType).where(StakeholderType.consultation_id == consultation.id).order_by(StakeholderType.place)
        )
    )
    indicators = db.session.scalars(select(Indicator).where(Indicator.consultation_id == consultation.id).order_by(Indicator.place)).all()
    taken = (
        select(
            Position.indicator_id,
            Registration.stakeholder_type_id,
            Position.value,
            Revision.number == Section.revision_number,
            func.count(),
        )
        .join(Registration, Registration.id == Position.registration_id)
        .join(Revision, Revision.id == Position.revision_id)
        .join(Section, Section.id == Revision.section_id)
        .where(Position.consultation_id == consultation.id)
        .group_by(Position.indicator_id, Registration.stakeholder_type_id, Position.value, Revision.number == Section.revision_number)
    )
    current: defaultdict[int, dict[int, dict[PositionValue, int]]] = defaultdict(dict)
    earlier: defaultdict[int, int] = defaultdict(int)
    seen: defaultdict[int, set[int]] = defaultdict(set)
    for indicator_id, kind, value, is_current, count in db.session.execute(taken).tuples():
        seen[indicator_id].add(kind)
        if is_current:
            current[indicator_id].setdefault(kind, dict.fromkeys(PositionValue, 0))[value] = count
        else:
            earlier[indicator_id] += count
    commented = (
        select(Comment.indicator_id, Registration.stakeholder_type_id)
        .join(Registration, Registration.id == Comment.registration_id)
        .where(Comment.consultation_id == consultation.id, Comment.withdrawn_at.is_(None))
        .distinct()
    )
    for indicator_id, kind in db.session.execute(commented).tuples():
        seen[indicator_id].add(kind)
    rows = [_row(i, types, current[i.id], earlier[i.id], len(seen[i.id]), suppress=suppress) for i in indicators]
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
) -> HeatRow:
    everyone = {value: sum(counts[value] for counts in current.values()) for value in PositionValue}
    present = [kind for kind in types if kind.id in current]
    rows = [PositionRow(kind.name, current[kind.id]) for kind in present]
    total = PositionRow({}, everyone)
    if suppress:
        total, told = suppressed(everyone, rows)
        rows = told or [PositionRow(row.name, None) for row in rows]
    by_type = {kind.id: row for kind, row in zip(present, rows, strict=True)}
    return HeatRow(indicator, total, [by_type.get(kind.id) for kind in types], 0 if suppress else earlier, None if suppress else seen)
