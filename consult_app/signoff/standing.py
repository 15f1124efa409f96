"""What each focal point's sign-off is worth today: computed, so that a new revision makes it stale by itself (rule 18)."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from consult_app.consultations.models import Consultation, FocalPoint, Section
from consult_app.db import db
from consult_app.signoff.models import Decision, SignOff


class Standing(enum.StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    RESERVATION = "reservation"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    STALE = "stale"  # made on an earlier revision


@dataclass(frozen=True)
class Place:
    """One required signature: who is named, how it stands, and their newest sign-off of this section, if any."""

    focal_point: FocalPoint
    standing: Standing
    sign_off: SignOff | None

    @property
    def stands(self) -> bool:
        return self.standing in (Standing.APPROVED, Standing.RESERVATION)


def sections_of(consultation: Consultation) -> list[Section]:
    """The sections with their dimension, current revision and focal points, in order."""
    return list(
        db.session.scalars(
            select(Section)
            .where(Section.consultation_id == consultation.id)
            .order_by(Section.number)
            .options(
                joinedload(Section.dimension),
                joinedload(Section.revision),
                selectinload(Section.focal_points).joinedload(FocalPoint.user),
            )
        ).unique()
    )


def sign_offs_of(sections: Iterable[Section]) -> list[SignOff]:
    """Every sign-off of these sections ever made, the oldest first."""
    return list(
        db.session.scalars(
            select(SignOff)
            .where(SignOff.section_id.in_([section.id for section in sections]))
            .order_by(SignOff.id)
            .options(joinedload(SignOff.withdrawal), joinedload(SignOff.revision), joinedload(SignOff.user))
        )
    )


def _standing(section: Section, sign_off: SignOff | None) -> Standing:
    if sign_off is None:
        return Standing.WAITING
    if sign_off.is_withdrawn:
        return Standing.WITHDRAWN
    if not sign_off.is_on(section.revision):
        return Standing.STALE
    known = {Decision.APPROVE: Standing.APPROVED, Decision.RESERVATION: Standing.RESERVATION, Decision.RETURN: Standing.RETURNED}
    return known[sign_off.decision]


def places_of(sections: Sequence[Section]) -> dict[int, list[Place]]:
    """The required signatures of each section, by the section's id."""
    newest = {(sign_off.section_id, sign_off.user_id): sign_off for sign_off in sign_offs_of(sections)}
    places: dict[int, list[Place]] = {}
    for section in sections:
        named = [(point, newest.get((section.id, point.user_id))) for point in section.focal_points]
        places[section.id] = [Place(point, _standing(section, sign_off), sign_off) for point, sign_off in named]
    return places


def places(section: Section) -> list[Place]:
    """The required signatures of one section."""
    return places_of([section])[section.id]


def is_fully_signed(found: Sequence[Place]) -> bool:
    """Whether every required signature stands; a section for which nobody is named is never signed."""
    return bool(found) and all(place.stands for place in found)
