"""What each focal point's sign-off is worth today: computed, so that a new revision makes it stale by itself (rule 18)."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import defer, joinedload, selectinload

from consult_app.accounts.models import User
from consult_app.consultations.models import SECTION_PARTS, Consultation, FocalPoint, Revision, Section
from consult_app.db import db
from consult_app.signoff.models import Decision, SignOff, Withdrawal


class Standing(enum.StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    RESERVATION = "reservation"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    STALE = "stale"  # made on an earlier revision


@dataclass(frozen=True)
class Place:
    """One required signature: who is named, how it stands, its newest sign-off if any, and who has to sign before."""

    focal_point: FocalPoint
    standing: Standing
    sign_off: SignOff | None
    waits_for: tuple[FocalPoint, ...] = ()

    @property
    def stands(self) -> bool:
        return self.standing in (Standing.APPROVED, Standing.RESERVATION)

    @property
    def is_turn(self) -> bool:
        """Whether nobody has to sign before."""
        return not self.waits_for


_TEXTS = [defer(getattr(Section, part)) for part in SECTION_PARTS]


def sections_of(*consultations: Consultation, texts: bool = True) -> list[Section]:
    """The sections with their dimension, current revision and focal points, in order; without `texts` where only states are asked."""
    revision = joinedload(Section.revision)
    return list(
        db.session.scalars(
            select(Section)
            .where(Section.consultation_id.in_([consultation.id for consultation in consultations]))
            .order_by(Section.number)
            .options(
                joinedload(Section.dimension),
                *((revision,) if texts else (*_TEXTS, revision.defer(Revision.content))),
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
            .options(
                joinedload(SignOff.withdrawal).joinedload(Withdrawal.user),
                joinedload(SignOff.revision),
                joinedload(SignOff.user),
                joinedload(SignOff.delegation),
            )
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
    newest = {(sign_off.section_id, sign_off.place_of): sign_off for sign_off in sign_offs_of(sections)}
    places: dict[int, list[Place]] = {}
    for section in sections:
        named = [(point, newest.get((section.id, point.user_id))) for point in section.focal_points]
        found = [Place(point, _standing(section, sign_off), sign_off) for point, sign_off in named]
        places[section.id] = [replace(place, waits_for=_before(place, found)) for place in found] if section.signs_in_order else found
    return places


def _before(place: Place, found: Sequence[Place]) -> tuple[FocalPoint, ...]:
    """Who has a smaller order number and does not stand."""
    number = place.focal_point.order_number
    return tuple(other.focal_point for other in found if other.focal_point.order_number < number and not other.stands)


def places(section: Section) -> list[Place]:
    """The required signatures of one section."""
    return places_of([section])[section.id]


def is_validated(section: Section, found: Sequence[Place]) -> bool:
    """Whether a section is validated: its current revision stands for signature, and every required signature stands on it.

    The one place that says it (rules 19 and 27). A section that is open again is not validated, though its signatures stand; nor
    is one for which nobody is named. The state "signed" of a section is what this said last (`actions.settle`).
    """
    return section.is_frozen and section.revision is not None and bool(found) and all(place.stands for place in found)


def is_deputy_for(point: FocalPoint, user: User) -> bool:
    """Whether the user acts today in the place of this focal point."""
    return any(d.principal_id == point.user_id and d.covers(point.section_id) for d in user.delegations)


def fillable(found: Sequence[Place], user: User) -> list[Place]:
    """The places that this user may fill today: their own first, then those of whom they are the deputy."""
    own = [place for place in found if place.focal_point.user_id == user.id]
    return own + [place for place in found if place not in own and is_deputy_for(place.focal_point, user)]


def awaited_from(found: Sequence[Place], user: User) -> list[Place]:
    """Of those, the places whose turn it is and that do not stand."""
    return [place for place in fillable(found, user) if place.is_turn and not place.stands]
