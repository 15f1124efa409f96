"""What a new event takes over from its template: quotas, targets and questions; a new consultation: stakeholder types."""

from __future__ import annotations

from sqlalchemy import select

from consult_app import audit
from consult_app.consultations.cloning import consultation_cloned
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.events.actions import event_cloned
from consult_app.events.models import Event
from consult_app.policy import Actor
from consult_app.registrations.models import Question, Quota, StakeholderType
from consult_app.registrations.queries import stakeholder_types


@consultation_cloned.connect
def _copy_types(consultation: Consultation, template: Consultation, by: Actor) -> None:
    """The template's types in its order and words; a default that it had removed is not brought back."""
    wanted = stakeholder_types(template.id)
    standing = {kind.code: kind for kind in stakeholder_types(consultation.id)}
    for kind in wanted:
        mine = standing.pop(kind.code, None)
        if mine is None:
            mine = StakeholderType(consultation_id=consultation.id, code=kind.code)
            db.session.add(mine)
        mine.name, mine.place = dict(kind.name), kind.place
        audit.record(by, "stakeholder_type.add", mine)
    for mine in standing.values():
        audit.record(by, "stakeholder_type.delete", mine)
        db.session.delete(mine)


@event_cloned.connect
def _copy_settings(event: Event, template: Event, by: Actor) -> None:
    """Quotas by type (types are found by their code), those of groups only within one consultation, and the questions still asked."""
    types = {kind.code: kind for kind in stakeholder_types(event.consultation_id)}
    for quota in db.session.scalars(select(Quota).where(Quota.event_id == template.id).order_by(Quota.id)):
        kind = types.get(quota.stakeholder_type.code) if quota.stakeholder_type is not None else None
        group = quota.dimension_id if event.consultation_id == template.consultation_id else None
        if kind is not None or group is not None:
            copy = Quota(
                consultation_id=event.consultation_id, event_id=event.id, stakeholder_type=kind, dimension_id=group,
                seats=quota.seats, target=quota.target,
            )  # fmt: skip
            db.session.add(copy)
            audit.record(by, "quota.set", copy)
    asked = select(Question).where(Question.event_id == template.id, ~Question.is_retired).order_by(Question.place)
    for question in db.session.scalars(asked):
        same = Question(
            consultation_id=event.consultation_id, event_id=event.id, place=question.place, kind=question.kind, label=dict(question.label),
            hint=dict(question.hint), is_required=question.is_required, options=[dict(option) for option in question.options],
            stakeholder_type_codes=[code for code in question.stakeholder_type_codes if code in types],
        )  # fmt: skip
        db.session.add(same)
        audit.record(by, "question.add", same)
