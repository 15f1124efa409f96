"""Rooms, and what stands in them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app.comments.models import Comment
from consult_app.comments.queries import on_indicator
from consult_app.consultations.models import Dimension, Indicator, Section
from consult_app.db import db
from consult_app.errors import Missing
from consult_app.events.models import Event
from consult_app.i18n import _
from consult_app.room.models import Room, RoomState

LATEST = 20  # comments that a fragment carries; the indicator's page has all


def load_room(public_id: str) -> Room:
    """A room with its session and what it shows. Raises Missing."""
    dimension = joinedload(Room.indicator).joinedload(Indicator.dimension)
    found = db.session.scalar(
        select(Room)
        .where(Room.public_id == public_id)
        .options(
            joinedload(Room.session),
            joinedload(Room.event).joinedload(Event.consultation),
            dimension.joinedload(Dimension.section).joinedload(Section.revision),
        )
    )
    if found is None:
        raise Missing(_("There is no such session."))
    return found


def indicators_of(room: Room) -> list[Indicator]:
    """What the room goes through: the indicators of its session's dimension, or all."""
    query = select(Indicator).where(Indicator.consultation_id == room.consultation_id).order_by(Indicator.place)
    if room.session.dimension_id is not None:
        query = query.where(Indicator.dimension_id == room.session.dimension_id)
    return list(db.session.scalars(query))


def latest_comments(indicator: Indicator) -> list[Comment]:
    """The newest comments on what is shown."""
    return list(db.session.scalars(on_indicator(indicator).limit(LATEST)).unique())


def rooms_on(event: Event) -> list[Room]:
    """The rooms of an event that people can follow now."""
    on = (RoomState.RUNNING, RoomState.PAUSED)
    query = select(Room).where(Room.event_id == event.id, Room.state.in_(on)).options(joinedload(Room.session))
    return list(db.session.scalars(query.order_by(Room.id)))
