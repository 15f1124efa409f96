"""Hands from the floor: raised, lowered, recorded from; and whose they are (rules 11 and 12)."""

from __future__ import annotations

from typing import Any

from consult_app.comments.models import Comment
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations.models import Registration
from consult_app.room.models import Hand, Room
from tests import factories
from tests.room.steps import do, now

FETCH = {"X-Requested-With": "fetch"}


def raise_hand(who: Any, room: Room, up: str = "1") -> Any:
    return who.post(f"/rooms/{room.public_id}/hand", data={"up": up}, headers=FETCH)


def hands(room: Room) -> list[str]:
    rows = db.session.scalars(db.select(Hand).where(Hand.room_id == room.id, Hand.lowered_at.is_(None)).order_by(Hand.id))
    return [hand.registration.name for hand in rows]


def test_hands_stand_in_order_and_go_down_by_either_side(
    room: Room, facilitator: Any, phone: Any, event: Event, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    assert raise_hand(phone, room).status_code == 409  # nothing runs yet
    do(facilitator, room, "start")
    second = factories.make_registration(event, name="Second Speaker")
    other = browse(second)
    first = raise_hand(phone, room).json["hand"]
    assert last_entry("hand.raise").object_id == first
    raise_hand(other, room)
    assert raise_hand(phone, room).json["hand"] == first  # raised twice, it keeps its place
    assert hands(room) == ["Retno Speaker", "Second Speaker"]
    console = now(facilitator, room, "console")["html"]
    assert console.index("Retno Speaker") < console.index("Second Speaker")
    assert "Secret Institution" in console
    assert f'data-hands="{first} ' in now(phone, room)["html"]  # by which a phone knows its own place
    assert "Lower hand" in phone.get(f"/rooms/{room.public_id}").text
    do(facilitator, room, "lower", first)
    do(facilitator, room, "lower", first)  # two facilitators press at once
    assert last_entry("hand.lower").object_id == first
    assert hands(room) == ["Second Speaker"]
    assert raise_hand(other, room, up="").json["hand"] == ""
    assert hands(room) == []
    raise_hand(phone, room)
    assert other.post(f"/rooms/{room.public_id}/hand", data={"up": "1"}).status_code == 303  # without a script
    do(facilitator, room, "close")
    assert hands(room) == []


def test_rule_11_nobody_but_the_facilitator_reads_whose_hand_it_is(
    room: Room, facilitator: Any, phone: Any, event: Event, browse: Any
) -> None:
    do(facilitator, room, "start")
    raise_hand(phone, room)
    follower = browse(factories.make_registration(event))
    observer = browse(factories.make_user(Role.OBSERVER, event.consultation))
    seen = [
        now(follower, room)["html"],
        follower.get(f"/rooms/{room.public_id}").text,
        now(observer, room)["html"],
        observer.get(f"/rooms/{room.public_id}").text,
        now(facilitator, room, "hall")["html"],
        facilitator.get(f"/rooms/{room.public_id}/screen").text,
        follower.get(f"/events/{event.slug}").text,
    ]
    for text in seen:
        assert "Retno" not in text
        assert "Secret Institution" not in text
    assert "1 hand" in seen[4]  # how many, on the wall


def test_rule_12_one_tap_from_a_raised_hand_to_the_record(
    room: Room, facilitator: Any, phone: Any, person: Registration, audit_ok: None
) -> None:
    do(facilitator, room, "start")
    raise_hand(phone, room)
    console = now(facilitator, room, "console")["html"]
    link = f"/rooms/{room.public_id}/console?speaker={person.public_id}"
    assert link in console
    assert f'<option selected value="{person.public_id}">Retno Speaker' in facilitator.get(link).text
    code = room.indicator.code if room.indicator else ""
    spoken = {"client_key": "r" * 20, "kind": "context", "text": "Said <i>aloud</i>", "speaker": person.public_id, "code": code}
    assert facilitator.post(f"/rooms/{room.public_id}/record", data=spoken, headers=FETCH).status_code == 204
    assert facilitator.post(f"/rooms/{room.public_id}/record", data=spoken, headers=FETCH).status_code == 204
    (comment,) = db.session.scalars(db.select(Comment))
    assert comment.registration_id == person.id
    assert comment.recorded_by is not None
    assert "recorded in the room by" in phone.get("/my/comments").text


def test_who_may_raise_and_lower(room: Room, facilitator: Any, phone: Any, event: Event, browse: Any) -> None:
    do(facilitator, room, "start")
    hand = raise_hand(phone, room).json["hand"]
    stranger = browse(factories.make_registration(factories.make_event(factories.make_consultation())))
    observer = browse(factories.make_user(Role.OBSERVER, event.consultation))
    assert raise_hand(stranger, room).status_code == 404
    assert raise_hand(observer, room).status_code == 403
    assert raise_hand(facilitator, room).status_code == 403
    assert phone.post(f"/rooms/{room.public_id}/do", data={"do": f"lower {hand}"}).status_code == 403
    answer = facilitator.post(f"/rooms/{room.public_id}/do", data={"do": "lower none"}, headers=FETCH)
    assert answer.status_code == 404
    assert hands(room) == ["Retno Speaker"]
    assert hand in phone.get("/my/data.json").text  # it is data on a person, and theirs to take along
