"""What others are told of those who arrived under the Chatham House Rule, and when they are told anew (product.md rules 11 and 29).

Only those who arrived are told by type and sex. Those who registered are the same people and a few more, so that a table of them
beside it would tell by subtraction who did not come.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, or_, select

from consult_app import audit, jobs
from consult_app.attendance.models import ArrivalsTold, CheckIn
from consult_app.attendance.queries import SEXES, TYPES, arrived_ids
from consult_app.consultations.models import Attribution, Consultation
from consult_app.db import db, now
from consult_app.disclosure import Told, added, tell, tell_next
from consult_app.events.models import Event
from consult_app.policy import System
from consult_app.registrations.models import Registration, StakeholderType

AFTERWARDS = dt.timedelta(days=1)  # as long a change of check-ins is looked for


def tell_again(event: Event) -> None:
    """Tell who arrived at an event as it now is, unless a cell of one or two could be worked out from that.

    Kept and recorded, since it depends on what was told before. The caller has taken the turn.
    """
    query = select(ArrivalsTold.told).where(ArrivalsTold.event_id == event.id).order_by(ArrivalsTold.id.desc())
    told = tell_next(_as_it_is(event), [Told.from_json(one) for one in db.session.scalars(query)])
    if told is None:
        return
    row = ArrivalsTold(consultation_id=event.consultation_id, event_id=event.id, told=told.to_json())
    db.session.add(row)
    audit.record(System("disclosure"), "arrivals.tell", row)


def _as_it_is(event: Event) -> Told | None:
    """What may be told of those who arrived, with every type of which somebody could have come."""
    query = select(Registration.stakeholder_type_id, Registration.sex, func.count()).where(Registration.id.in_(arrived_ids(event)))
    groups = db.session.execute(query.group_by(Registration.stakeholder_type_id, Registration.sex)).tuples()
    types = db.session.scalars(select(StakeholderType.id).where(StakeholderType.consultation_id == event.consultation_id))
    of = {str(one): [0] * len(SEXES) for one in types}
    for kind, sex, count in groups:
        place = next(n for n, sexes in enumerate(SEXES) if sex in sexes)
        of[str(kind)][place] += count
    rows = {key: tuple(counts) for key, counts in of.items()}
    return tell(added(rows.values(), len(SEXES)), {TYPES: rows})


@jobs.sweep
def tell_arrivals() -> None:
    """Every minute, for the events at which somebody was checked in or sent back of late, or of which nothing was told yet."""
    since = now() - AFTERWARDS
    of_it = CheckIn.event_id == Event.id
    is_new = select(CheckIn.id).where(of_it, or_(CheckIn.created_at > since, CheckIn.undone_at > since))
    is_untold = ~select(ArrivalsTold.id).where(ArrivalsTold.event_id == Event.id).exists()
    query = select(Event.id).join(Consultation).where(Consultation.attribution == Attribution.BY_STAKEHOLDER_TYPE)
    query = query.where(is_new.exists() | (is_untold & select(CheckIn.id).where(of_it).exists()))
    for event_id in db.session.scalars(query.order_by(Event.id)).all():
        event = db.session.get_one(Event, event_id)
        audit.take_turn(event.consultation_id)
        tell_again(event)
        db.session.commit()
