"""Rooms, and what stands in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, case, func, literal, or_, select, union_all
from sqlalchemy.orm import joinedload, lazyload, load_only

from consult_app.accounts.models import User
from consult_app.attendance.queries import arrived_ids
from consult_app.audit import AuditEntry
from consult_app.comments.models import Comment, Endorsement, Position
from consult_app.comments.queries import HEAD, on_indicator
from consult_app.consultations.models import Dimension, Indicator, Revision, Section
from consult_app.db import db, now
from consult_app.errors import Missing
from consult_app.events.models import Event, Session
from consult_app.i18n import _
from consult_app.registrations.models import Registration, RegistrationState
from consult_app.registrations.queries import search
from consult_app.room.models import ConsoleVisit, Hand, Room, RoomState

LATEST = 20  # comments that a fragment carries; the indicator's page has all
ON = (RoomState.RUNNING, RoomState.PAUSED)
GONE = dt.timedelta(seconds=40)  # a console that was not heard of for so long is closed
MOST_SPEAKERS = 200


def load_room(public_id: str) -> Room:
    """A room with its session, what it shows, and what is pinned. Raises Missing."""
    dimension = joinedload(Room.indicator).joinedload(Indicator.dimension)
    found = db.session.scalar(
        select(Room)
        .where(Room.public_id == public_id)
        .options(
            joinedload(Room.session).options(joinedload(Session.facilitator), joinedload(Session.rapporteur)),
            joinedload(Room.event).joinedload(Event.consultation),
            joinedload(Room.notes_by),
            joinedload(Room.pinned).options(*HEAD),
            dimension.joinedload(Dimension.section).joinedload(Section.revision),
        )
    )
    if found is None:
        raise Missing(_("There is no such session."))
    return found


def _indicators(room: Room) -> Select[Indicator]:
    query = select(Indicator).where(Indicator.consultation_id == room.consultation_id).order_by(Indicator.place)
    if room.session.dimension_id is not None:
        query = query.where(Indicator.dimension_id == room.session.dimension_id)
    return query


def indicators_of(room: Room) -> list[Indicator]:
    """What the room goes through: the indicators of its session's dimension, or all."""
    return list(db.session.scalars(_indicators(room)))


def indicators_and_revisions(room: Room, held: Sequence[str]) -> tuple[list[Indicator], list[tuple[int, str]]]:
    """What the room goes through; and its sections by number, each with the revision that a form is of.

    That is one of those that are `held`, else the current one.
    """
    is_current = Revision.number == Section.revision_number
    query = (
        _indicators(room)
        .join(Section, Section.dimension_id == Indicator.dimension_id)
        .outerjoin(Revision, (Revision.section_id == Section.id) & (is_current | Revision.public_id.in_(held)))
        .add_columns(Section.number, Revision.public_id, Revision.number)
    )
    rows = db.session.execute(query).tuples().all()
    held_first = sorted((section, public_id in held, number, public_id) for _one, section, public_id, number in rows if public_id)
    return list(dict.fromkeys(row[0] for row in rows)), list({row[0]: row[3] for row in held_first}.items())


def load_shown(room: Room, code: str) -> Indicator:
    """An indicator that the room goes through, with the text of its section. Raises Missing."""
    query = select(Indicator).where(Indicator.consultation_id == room.consultation_id, Indicator.code == code)
    if room.session.dimension_id is not None:
        query = query.where(Indicator.dimension_id == room.session.dimension_id)
    section = joinedload(Indicator.dimension).joinedload(Dimension.section)
    found = db.session.scalar(query.options(section.joinedload(Section.revision)))
    if found is None:
        raise Missing(_("This indicator is not part of this session."))
    return found


def latest_comments(indicator: Indicator) -> list[Comment]:
    """The newest comments on what is shown."""
    return list(db.session.scalars(on_indicator(indicator).limit(LATEST).options(*HEAD)))


def goes_through(indicator: Indicator) -> ColumnElement[bool]:
    """Rooms (joined with their session) whose session has this indicator in it."""
    ours = or_(Session.dimension_id.is_(None), Session.dimension_id == indicator.dimension_id)
    return (Room.consultation_id == indicator.consultation_id) & ours


def is_moderated(indicator: Indicator, *, but: Room | None = None) -> bool:
    """Whether a session that runs moderates the comments on an indicator; `but` leaves one out."""
    query = select(Room.id).join(Room.session).where(goes_through(indicator), Room.is_moderated, Room.state.in_(ON))
    if but is not None:
        query = query.where(Room.id != but.id)
    return db.session.scalar(query.limit(1)) is not None


def rooms_on(event: Event) -> list[Room]:
    """The rooms of an event that people can follow now."""
    title = joinedload(Room.session).options(load_only(Session.title), lazyload(Session.facilitator), lazyload(Session.rapporteur))
    query = select(Room).where(Room.event_id == event.id, Room.state.in_(ON)).options(load_only(Room.public_id), title)
    return list(db.session.scalars(query.order_by(Room.id)))


def rooms_of(event: Event) -> list[Room]:
    """All rooms of an event in the agenda's order, with who leads them and who wrote their notes."""
    who = joinedload(Room.session).options(joinedload(Session.facilitator), joinedload(Session.rapporteur), joinedload(Session.dimension))
    query = select(Room).join(Room.session).where(Room.event_id == event.id).options(who, joinedload(Room.notes_by))
    return list(db.session.scalars(query.order_by(Session.day, Session.starts_at, Session.id)).unique())


def hands_up(room: Room) -> list[Hand]:
    """The hands that are raised, in the order in which they were."""
    author = joinedload(Hand.registration).joinedload(Registration.institution)
    return list(
        db.session.scalars(select(Hand).where(Hand.room_id == room.id, Hand.lowered_at.is_(None)).order_by(Hand.id).options(author))
    )


def hand_of(room: Room, registration: Registration) -> Hand | None:
    """The raised hand of a participant in this room."""
    query = select(Hand).where(Hand.room_id == room.id, Hand.registration_id == registration.id, Hand.lowered_at.is_(None))
    return db.session.scalar(query)


def load_hand(room: Room, public_id: str) -> Hand:
    """A hand in this room, raised or not. Raises Missing."""
    found = db.session.scalar(select(Hand).where(Hand.room_id == room.id, Hand.public_id == public_id))
    if found is None:
        raise Missing(_("There is no such hand."))
    return found


def speakers(room: Room, words: str = "") -> list[tuple[Registration, bool]]:
    """Who may have spoken, those who arrived first: all who arrived, or who has a place and matches the words."""
    present = Registration.id.in_(arrived_ids(room.event))
    query = search(room.event, {"q": words, "state": RegistrationState.CONFIRMED.value}).order_by(None).add_columns(present)
    rows = db.session.execute(query.order_by(case((present, 0), else_=1), Registration.name, Registration.id).limit(MOST_SPEAKERS))
    found = [(person, bool(arrived)) for person, arrived in rows.unique().tuples()]
    arrived = [one for one in found if one[1]]
    return found if words or not arrived else arrived


@dataclass(frozen=True)
class Mine:
    """What a participant has said in a consultation, as their phone marks it."""

    hand: str  # the public id of the raised hand
    held: dict[str, tuple[str, bool]]  # by the indicator's code: the position, and whether it is on the current revision
    endorsed: list[str]  # public ids of comments
    written: list[str]


def mine(room: Room, registration: Registration, hands: Sequence[Hand]) -> Mine:
    """What a participant holds, endorses and wrote; and which of the raised hands is theirs."""
    of_person, here = registration.person_id, room.consultation_id
    positions = (
        select(Indicator.code, Position.value, Revision.number == Section.revision_number)
        .join(Indicator, Indicator.id == Position.indicator_id)
        .join(Revision, Revision.id == Position.revision_id)
        .join(Section, Section.id == Revision.section_id)
        .where(Position.person_id == of_person, Position.consultation_id == here)
        .order_by(Position.revision_id)
    )
    endorsed = select(Comment.public_id, literal(False)).join(Endorsement, Endorsement.comment_id == Comment.id)
    written = select(Comment.public_id, literal(True)).where(Comment.person_id == of_person)
    comments = db.session.execute(union_all(endorsed.where(Endorsement.person_id == of_person), written)).tuples().all()
    return Mine(
        next((hand.public_id for hand in hands if hand.registration_id == registration.id), ""),
        {code: (value.value, is_current) for code, value, is_current in db.session.execute(positions).tuples()},
        [one for one, is_own in comments if not is_own],
        [one for one, is_own in comments if is_own],
    )


@dataclass(frozen=True)
class Step:
    """The last thing that was done with a room: the log's name of it, whose deed it was, and when."""

    action: str
    name: str
    at: dt.datetime


def last_step(room: Room) -> Step | None:
    """What a facilitator did last, from the log."""
    entry = db.session.execute(
        select(AuditEntry.action, User.name, AuditEntry.at)
        .outerjoin(User, User.public_id == func.substr(AuditEntry.actor, len("user:") + 1))
        .where(AuditEntry.object_type == "Room", AuditEntry.object_id == room.public_id)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).first()
    return Step(entry.action, entry.name or "–", entry.at) if entry is not None else None


def others_at_console(room: Room, user: User) -> list[str]:
    """Who else has the console open now, by name."""
    query = select(User.name).join(ConsoleVisit, ConsoleVisit.user_id == User.id)
    query = query.where(ConsoleVisit.room_id == room.id, ConsoleVisit.seen_at > now() - GONE, User.id != user.id)
    return list(db.session.scalars(query.order_by(User.name)))
