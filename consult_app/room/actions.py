"""What a facilitator does with a room. Rules 10-12 of product.md hold for what is said in it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.comments.actions import release
from consult_app.comments.models import Comment
from consult_app.comments.queries import waiting
from consult_app.consultations.actions import Stale
from consult_app.consultations.models import Indicator
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.events.models import Session
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.room.models import ConsoleVisit, Hand, Room, RoomState
from consult_app.room.queries import ON, hand_of, hands_up, indicators_of, is_moderated

MOST_MINUTES = 240


@audit.in_turn
def open_room(session: Session, *, by: Actor) -> Room:
    """The room of a session; it is made by whoever asks first."""
    room = db.session.scalar(select(Room).where(Room.session_id == session.id))
    if room is None:
        room = Room(consultation_id=session.consultation_id, event_id=session.event_id, session=session)
        db.session.add(room)
        audit.record(by, "room.open", room)
    return room


@audit.in_turn
def start(room: Room, *, by: Actor) -> None:
    """Begin, go on after a pause, or open again: at the indicator where it was, else at the first."""
    if room.state is RoomState.RUNNING:
        raise Conflict(_("This session is running already."))
    if room.indicator_id is None:
        first = next(iter(indicators_of(room)), None)
        if first is None:
            raise Conflict(_("There is no indicator to go through. Import the framework first."))
        room.indicator = first
    room.state = RoomState.RUNNING
    audit.record(by, "room.start", room)


@audit.in_turn
def pause(room: Room, *, by: Actor) -> None:
    if room.state is not RoomState.RUNNING:
        raise Conflict(_("This session is not running."))
    room.state = RoomState.PAUSED
    audit.record(by, "room.pause", room)


@audit.in_turn
def close(room: Room, *, by: Actor) -> None:
    """End it: phones stop following, hands are lowered, and nothing of it is lost."""
    if not room.is_on:
        raise Conflict(_("This session is not running."))
    for hand in hands_up(room):
        lower_hand(hand, by=by)
    room.state, room.pinned, room.ends_at = RoomState.CLOSED, None, None
    audit.record(by, "room.close", room)


@audit.in_turn
def show(room: Room, indicator: Indicator, *, by: Actor) -> None:
    """Move everybody to an indicator of this room."""
    if not room.is_on:
        raise Conflict(_("Start the session first."))
    if indicator.id not in {one.id for one in indicators_of(room)}:
        raise Invalid(_("This indicator is not part of this session."), field="code")
    if room.indicator_id == indicator.id:
        return  # two facilitators pressed at once
    room.indicator, room.pinned, room.ends_at = indicator, None, None
    audit.record(by, "room.show", room)


@audit.in_turn
def step(room: Room, shown: str, by_how_many: int, *, by: Actor) -> None:
    """To the next or the previous indicator from the one that the facilitator saw; pressed twice, it moves once."""
    codes = [one.code for one in indicators_of(room)]
    if shown not in codes:
        raise Invalid(_("This indicator is not part of this session."), field="code")
    place = codes.index(shown) + by_how_many
    if not 0 <= place < len(codes):
        raise Conflict(_("There is no further indicator in this session."))
    if room.indicator is not None and room.indicator.code != shown:
        return
    show(room, indicators_of(room)[place], by=by)


@audit.in_turn
def allow(room: Room, *, by: Actor, comments: bool | None = None, positions: bool | None = None) -> None:
    """Open or close comments and positions on the indicator that is shown."""
    room.takes_comments = room.takes_comments if comments is None else comments
    room.takes_positions = room.takes_positions if positions is None else positions
    audit.record(by, "room.allow", room)


@audit.in_turn
def moderate(room: Room, is_moderated_now: bool, *, by: Actor) -> None:
    """Let the comments of participants wait for a facilitator, or not any more: then what waits is shown.

    What also stands in another session that is moderated goes on waiting there.
    """
    room.is_moderated = is_moderated_now
    audit.record(by, "room.moderate", room)
    if not is_moderated_now:
        for comment in waiting([one.id for one in indicators_of(room)]):
            if comment.waits_for_facilitator and not is_moderated(comment.indicator, but=room):
                release(comment, by=by)


@audit.in_turn
def pin(room: Room, comment: Comment | None, *, by: Actor) -> None:
    """Put a comment on the screen, alone and large, or take it off."""
    if comment is not None and (comment.is_withdrawn or comment.consultation_id != room.consultation_id):
        raise Conflict(_("This comment was withdrawn."))
    if comment is not None and not comment.is_shown:
        raise Conflict(_("This comment waits for a facilitator. Show it to all first."))
    room.pinned = comment
    audit.record(by, "room.pin", room)


@audit.in_turn
def give_time(room: Room, minutes: int, *, by: Actor) -> None:
    """Say how long the indicator that is shown may take; 0 takes the time away."""
    if not 0 <= minutes <= MOST_MINUTES:
        raise Invalid(_("Between 0 and 240 minutes."), field="minutes")
    room.ends_at = now() + dt.timedelta(minutes=minutes) if minutes else None
    audit.record(by, "room.time", room)


@audit.in_turn
def report_back(room: Room, notes: str, notes_number: int, *, by: Actor) -> None:
    """What the group tells the plenary; `notes_number` is that of the notes they began from. Raises Stale where somebody saved since."""
    notes = notes.strip()
    if notes == room.notes:
        return
    if notes_number != room.notes_number:
        raise Stale(_("Somebody else saved these notes while you were writing. Compare both, then save yours."))
    room.notes, room.notes_number, room.notes_at = notes, room.notes_number + 1, now()
    room.notes_by = by if isinstance(by, User) else None
    audit.record(by, "room.report", room)


@audit.in_turn
def raise_hand(room: Room, *, by: Actor) -> Hand:
    """Ask to speak. Raised twice, it is up once, and keeps its place."""
    if not room.is_on:
        raise Conflict(_("This session is not running."))
    hand = hand_of(room, by)  # type: ignore[arg-type]  # policy: a participant
    if hand is None:
        hand = Hand(consultation_id=room.consultation_id, room_id=room.id, registration=by)
        db.session.add(hand)
        audit.record(by, "hand.raise", hand)
    return hand


@audit.in_turn
def lower_hand(hand: Hand, *, by: Actor) -> None:
    """The participant takes it down, or a facilitator once they spoke; two who press at once lower it once."""
    if hand.lowered_at is None:
        hand.lowered_at = now()
        audit.record(by, "hand.lower", hand)


def visit(room: Room, *, by: User) -> None:
    """Say that somebody has the console open."""
    moment = now()
    here = (ConsoleVisit.room_id == room.id, ConsoleVisit.user_id == by.id)
    db.session.execute(delete(ConsoleVisit).where(ConsoleVisit.seen_at < moment - dt.timedelta(days=1)))
    known = db.session.execute(update(ConsoleVisit).where(*here).values(seen_at=moment))
    if not known.rowcount:  # type: ignore[attr-defined]
        try:
            with db.session.begin_nested():
                db.session.add(ConsoleVisit(room_id=room.id, user_id=by.id, seen_at=moment))
        except IntegrityError:
            pass  # another window of the same person said so at this moment


def leave(room: Room, *, by: User) -> None:
    """The console was closed."""
    db.session.execute(delete(ConsoleVisit).where(ConsoleVisit.room_id == room.id, ConsoleVisit.user_id == by.id))


def refuse_where_closed(indicator: Indicator, what: str, by: Actor) -> None:
    """Raises Conflict while a room that shows the indicator has closed comments or positions; staff may go on recording."""
    if not by.is_participant:
        return
    column = Room.takes_positions if what == "position" else Room.takes_comments
    if db.session.scalar(select(Room.id).where(Room.indicator_id == indicator.id, Room.state.in_(ON), column.is_(False)).limit(1)):
        raise Conflict(_("The facilitator has closed this for the moment. What you wrote is kept on this device."))


def let_wait_where_moderated(indicator: Indicator, by: Actor) -> bool:
    """Whether what a participant writes waits for a facilitator; what staff record was heard in the room already."""
    return by.is_participant and is_moderated(indicator)
