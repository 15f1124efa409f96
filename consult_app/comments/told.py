"""What others are told of positions under the Chatham House Rule, and when they are told anew (product.md rules 11 and 29)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from consult_app import audit
from consult_app.comments.models import Position, PositionsTold, PositionValue
from consult_app.comments.queries import REVISIONS, TYPES, is_newest_position
from consult_app.consultations.actions import attribution_changed
from consult_app.consultations.models import Attribution, Consultation, Indicator, Revision
from consult_app.db import db
from consult_app.disclosure import Told, added, tell, tell_next
from consult_app.policy import System
from consult_app.registrations.models import StakeholderType

WIDTH = len(PositionValue)


def tell_again(indicator: Indicator) -> None:
    """Tell the positions on an indicator as they now are, unless a cell of one or two could be worked out from that.

    Kept and recorded, since it depends on what was told before. The caller has taken the turn.
    """
    if indicator.consultation.attribution is not Attribution.BY_STAKEHOLDER_TYPE:
        return
    query = select(PositionsTold.told).where(PositionsTold.indicator_id == indicator.id).order_by(PositionsTold.id.desc())
    told = tell_next(_as_they_are(indicator), [Told.from_json(one) for one in db.session.scalars(query)])
    if told is None:
        return
    kept = {**told.to_json(), "revision": indicator.dimension.section.revision_number}
    row = PositionsTold(consultation_id=indicator.consultation_id, indicator_id=indicator.id, told=kept)
    db.session.add(row)
    audit.record(System("disclosure"), "positions.tell", row)


def tell_all(consultation: Consultation, **_more: Any) -> None:
    """The same for every indicator: where the rule came after the positions, or a site was there before this was kept."""
    audit.take_turn(consultation.id)
    taken = select(Position.indicator_id).where(Position.consultation_id == consultation.id)
    for indicator in db.session.scalars(select(Indicator).where(Indicator.id.in_(taken)).order_by(Indicator.id)).all():
        tell_again(indicator)


attribution_changed.connect(tell_all)


def tell_untold() -> None:
    """The same for each consultation under the rule of which nothing was told yet: of a site that was there before this was kept."""
    told = select(PositionsTold.id).where(PositionsTold.consultation_id == Consultation.id)
    query = select(Consultation).where(Consultation.attribution == Attribution.BY_STAKEHOLDER_TYPE, ~told.exists())
    for consultation in db.session.scalars(query.order_by(Consultation.id)).all():
        tell_all(consultation)


def _as_they_are(indicator: Indicator) -> Told | None:
    """What may be told of the positions that count now, with every type and every revision that could have some."""
    groups = db.session.execute(
        select(Position.stakeholder_type_id, Revision.number, Position.value, func.count())
        .join(Revision, Revision.id == Position.revision_id)
        .where(Position.indicator_id == indicator.id, is_newest_position())
        .group_by(Position.stakeholder_type_id, Revision.number, Position.value)
    ).tuples()
    types = db.session.scalars(select(StakeholderType.id).where(StakeholderType.consultation_id == indicator.consultation_id))
    numbers = range(1, indicator.dimension.section.revision_number + 1)
    of = {TYPES: {str(one): [0] * WIDTH for one in types}, REVISIONS: {str(one): [0] * WIDTH for one in numbers}}
    place = {value: n for n, value in enumerate(PositionValue)}
    for kind, number, value, count in groups:
        of[TYPES][str(kind)][place[value]] += count
        of[REVISIONS][str(number)][place[value]] += count
    divisions = {name: {key: tuple(counts) for key, counts in rows.items()} for name, rows in of.items()}
    return tell(added(divisions[TYPES].values(), WIDTH), divisions)
