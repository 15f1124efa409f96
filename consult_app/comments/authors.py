"""What was said keeps the institution and type that its author had then (rule 28); here is what happens to it when they change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from consult_app import audit
from consult_app.comments.models import Comment, Position, Reply
from consult_app.db import db
from consult_app.policy import Actor
from consult_app.registrations.actions import corrected, institution_left
from consult_app.registrations.models import Institution, Registration

FROM_THE_BEGINNING = "the registration was wrong from the beginning"


@corrected.connect
def _correct(registration: Registration, by: Actor) -> None:
    """An organiser says that it was so from the beginning: what was said by this registration follows."""
    said: tuple[Any, ...] = (Comment, Reply, Position)
    for model in said:
        for row in db.session.scalars(select(model).where(model.registration_id == registration.id).order_by(model.id)):
            row.institution_id, row.stakeholder_type_id = registration.institution.id, registration.stakeholder_type.id
            audit.record(by, f"{model.__name__.lower()}.correct", row, note=FROM_THE_BEGINNING)


@institution_left.connect
def _keep_standing(registration: Registration, institution: Institution, by: Actor) -> None:
    """What was held by who spoke for an institution goes on standing for it when they leave it."""
    theirs = (Position.person_id == registration.person_id, Position.institution_id == institution.id, ~Position.was_spoken)
    for position in db.session.scalars(select(Position).where(*theirs).order_by(Position.id)):
        position.was_spoken = True
        audit.record(by, "position.keep", position, note="taken by who spoke for the institution")
