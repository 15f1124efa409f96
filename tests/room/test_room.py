"""A session as it runs: the console, what phones and the hall see, and the stream that carries it (rules 10-12)."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from consult_app import audit
from consult_app.accounts import actions as accounts
from consult_app.comments.models import Comment, Position
from consult_app.consultations.models import Dimension, Indicator
from consult_app.db import db
from consult_app.events.models import Event, Session
from consult_app.policy import Role
from consult_app.registrations import actions as registrations
from consult_app.registrations.models import Registration
from consult_app.room import stream
from consult_app.room.hub import Fragment, Hub
from consult_app.room.models import Room, RoomState
from consult_app.room.queries import indicators_of
from tests import factories
from tests.room.steps import do, now, say


def test_the_facilitator_goes_through_the_session(room: Room, facilitator: Any, last_entry: Any, audit_ok: None) -> None:
    codes = [one.code for one in indicators_of(room)]
    do(facilitator, room, "start")
    assert (room.state, room.indicator.code if room.indicator else "") == (RoomState.RUNNING, codes[0])
    do(facilitator, room, "next", codes[0])
    do(facilitator, room, "next", codes[0])  # the second click of two, or the second facilitator
    assert room.indicator is not None
    assert room.indicator.code == codes[1]
    assert last_entry("room.show").object_id == room.public_id
    do(facilitator, room, "previous", codes[1])
    assert "no further indicator" in do(facilitator, room, "previous", codes[0])
    do(facilitator, room, "show", code=codes[-1])
    assert "no further indicator" in do(facilitator, room, "next", codes[-1])
    by_key = {"data": {"do": f"next {codes[-1]}"}, "headers": {"X-Requested-With": "fetch"}}
    assert facilitator.post(f"/rooms/{room.public_id}/do", **by_key).status_code == 409  # the projector's arrow key
    assert "no further indicator" not in facilitator.get(f"/rooms/{room.public_id}/screen").text
    do(facilitator, room, "time", minutes=5)
    assert room.ends_at is not None
    do(facilitator, room, "time", minutes=999)
    do(facilitator, room, "pause")
    assert "not running" in do(facilitator, room, "pause")
    do(facilitator, room, "start")
    do(facilitator, room, "close")
    assert "Start the session first" in do(facilitator, room, "show", code=codes[0])
    assert "no such button" in do(facilitator, room, "explode")
    assert (room.state, room.ends_at) == (RoomState.CLOSED, None)


def test_a_group_goes_through_its_own_dimension(room: Room, event: Event, facilitator: Any) -> None:
    second = db.session.scalars(db.select(Dimension).where(Dimension.consultation_id == event.consultation_id, Dimension.number == 2)).one()
    room.session.dimension_id = second.id
    db.session.commit()
    do(facilitator, room, "start")
    assert room.indicator is not None
    assert room.indicator.dimension_id == second.id
    foreign = db.session.scalar(db.select(Indicator.code).where(Indicator.dimension_id != second.id))
    assert "not part of this session" in do(facilitator, room, "show", code=foreign)


def test_who_may(room: Room, event: Event, facilitator: Any, phone: Any, browse: Any) -> None:
    base = f"/rooms/{room.public_id}"
    stranger = browse(factories.make_registration(factories.make_event(factories.make_consultation())))
    observer = browse(factories.make_user(Role.OBSERVER, event.consultation))
    anyone = browse()
    for path in ("", "/console", "/screen", "/now", "/stream", "/now?view=console"):
        assert stranger.get(base + path).status_code == 404, path
        assert anyone.get(base + path).status_code in {302, 303, 404}, path
    for path in ("/console", "/now?view=console", "/stream?view=console", "/screen"):
        assert phone.get(base + path).status_code == 403, path
        assert observer.get(base + path).status_code == 403, path
    assert facilitator.get(f"{base}/now?view=other").status_code == 404
    assert facilitator.get("/rooms/none/console").status_code == 404
    assert phone.post(f"{base}/do", data={"do": "start"}).status_code == 403
    assert stranger.post(f"{base}/comments", data={"code": "1.1"}).status_code == 404
    assert facilitator.post(f"{base}/comments", data={"code": "1.1"}).status_code == 403
    assert (phone.get(base).status_code, facilitator.get(f"{base}/screen").status_code) == (200, 200)
    assert facilitator.post(f"/events/{event.slug}/sessions/{room.session.public_id}/room").status_code == 303
    assert phone.post(f"/events/{event.slug}/sessions/{room.session.public_id}/room").status_code == 403
    assert db.session.scalar(db.select(db.func.count()).select_from(Room)) == 1


def test_rule_10_a_comment_sent_twice_from_a_phone_is_one(room: Room, facilitator: Any, phone: Any, audit_ok: None) -> None:
    do(facilitator, room, "start")
    numbers = [say(phone, room).json["number"] for _n in range(2)]
    assert numbers[0] == numbers[1]
    assert db.session.scalar(db.select(db.func.count()).select_from(Comment)) == 1
    refused = say(phone, room, text=" ", key="other-key-of-twenty-x")
    assert (refused.status_code, "Write your comment first." in refused.json["errors"]) == (422, True)
    assert say(phone, room, link="javascript:alert(1)", key="y" * 20).status_code == 422
    position = phone.post(f"/rooms/{room.public_id}/position", data={"code": room.indicator.code, "value": "disagree"})  # type: ignore[union-attr]
    assert position.status_code == 422
    assert phone.post(f"/rooms/{room.public_id}/position", data={"code": room.indicator.code, "value": "agree"}).status_code == 200  # type: ignore[union-attr]
    assert db.session.scalar(db.select(db.func.count()).select_from(Position)) == 1


def test_what_the_facilitator_closes_is_closed_for_phones_and_open_for_the_record(
    room: Room, facilitator: Any, phone: Any, person: Registration
) -> None:
    do(facilitator, room, "start")
    assert room.indicator
    code = room.indicator.code
    do(facilitator, room, "comments", 0)
    assert say(phone, room).status_code == 409
    assert phone.post(f"/rooms/{room.public_id}/position", data={"code": code, "value": "agree"}).status_code == 200
    do(facilitator, room, "positions", 0)
    assert phone.post(f"/rooms/{room.public_id}/position", data={"code": code, "value": "abstain"}).status_code == 409
    slug = room.event.consultation.slug
    spoken = {"client_key": "r" * 20, "kind": "context", "text": "Spoken aloud", "speaker": person.public_id}
    assert facilitator.post(f"/consultations/{slug}/indicators/{code}/record", data=spoken).status_code == 303
    do(facilitator, room, "comments", 1)
    assert say(phone, room, key="n" * 20).status_code == 200
    do(facilitator, room, "next", code)
    do(facilitator, room, "comments", 0)
    room_code, other = room.indicator.code, code
    assert room_code != other
    late = {"code": other, "kind": "context", "text": "Late, on the earlier one", "client_key": "z" * 20}
    moved_on = phone.post(f"/rooms/{room.public_id}/comments", data=late)
    assert moved_on.status_code == 200  # only what is shown is closed


def test_rule_11_nobody_but_the_facilitator_reads_who_spoke(room: Room, facilitator: Any, phone: Any, browse: Any, event: Event) -> None:
    do(facilitator, room, "start")
    say(phone, room, text="A view <img src=x onerror=alert(1)>")
    comment = db.session.scalars(db.select(Comment)).one()
    do(facilitator, room, "pin", comment.public_id)
    assert room.pinned_id == comment.id
    screen = facilitator.get(f"/rooms/{room.public_id}/screen").text
    follower = browse(factories.make_registration(event))
    seen = [screen, now(facilitator, room, "hall")["html"], now(follower, room)["html"], follower.get(f"/rooms/{room.public_id}").text]
    for text in seen:
        assert "A view &lt;img" in text
        assert "Retno" not in text
        assert "Secret Institution" not in text
    assert "Retno" in now(facilitator, room, "console")["html"]
    do(facilitator, room, "unpin")
    assert room.pinned_id is None


def test_the_screen_shows_a_pinned_wording_as_an_edit_of_the_text(room: Room, facilitator: Any, phone: Any) -> None:
    do(facilitator, room, "start")
    say(phone, room, proposed=f"{room.indicator.finding['en']} <b>And more</b>" if room.indicator else "", proposed_language="en")
    do(facilitator, room, "pin", db.session.scalars(db.select(Comment)).one().public_id)
    shown = now(facilitator, room, "hall")["html"]
    assert re.search(r"Finding 0\.<ins>.*? &lt;b&gt;And more&lt;/b&gt;.*</ins>", shown)


def events_of(answer: Any, number: int) -> list[tuple[int, str]]:
    """The first events of a stream; it is closed after them."""
    found: list[tuple[int, str]] = []
    for part in answer.response:
        text = part.decode() if isinstance(part, bytes) else part
        if text.startswith("id: "):
            head, *lines = text.rstrip("\n").split("\n")
            found.append((int(head[4:]), "\n".join(line.removeprefix("data: ") for line in lines)))
        if len(found) == number:
            break
    answer.close()
    return found


def test_a_stream_says_what_stands_and_resumes_where_it_broke(room: Room, facilitator: Any, phone: Any) -> None:
    do(facilitator, room, "start")
    path = f"/rooms/{room.public_id}/stream?view=phone"
    ((first, html),) = events_of(phone.get(path, buffered=False), 1)
    assert room.indicator
    assert f'data-code="{room.indicator.code}"' in html
    say(phone, room, text="While the line was broken")
    ((second, html),) = events_of(phone.get(path, headers={"Last-Event-ID": str(first)}, buffered=False), 1)
    assert second > first
    assert "While the line was broken" in html
    answer = phone.get(path, headers={"Last-Event-ID": str(second)}, buffered=False)
    timer = threading.Timer(0.3, lambda: None)  # nothing new stands: the stream waits for the next entry
    timer.start()
    say(phone, room, text="The next one", key="q" * 20)
    ((third, html),) = events_of(answer, 1)
    assert third > second
    assert "The next one" in html
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    for odd in ("x", "-1", "9" * 40, "٣"):
        assert events_of(phone.get(path, headers={"Last-Event-ID": odd.encode().decode("latin-1")}, buffered=False), 1)


@pytest.mark.parametrize("lost", ["role", "account", "sessions", "registration"])
def test_a_stream_ends_when_the_right_to_it_is_lost(
    room: Room, event: Event, browse: Any, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    assert stream.RIGHT + stream.BEAT / 10 < 15
    monkeypatch.setattr(stream, "RIGHT", 0.05)
    monkeypatch.setattr(stream, "LIFE", 30.0)
    user, person = factories.make_user(Role.FACILITATOR, event.consultation), factories.make_registration(event)
    db.session.commit()
    client = browse().open_link(person) if lost == "registration" else browse().sign_in(user)
    user, person = db.session.merge(user), db.session.merge(person)
    parts = iter(client.get(f"/rooms/{room.public_id}/stream?view=phone", buffered=False).response)
    assert b"retry" in next(parts)  # it has begun
    begun = time.monotonic()
    {
        "role": lambda: accounts.remove_role(user.memberships[0], by=factories.BY),
        "account": lambda: accounts.set_enabled(user, False, by=factories.BY),
        "sessions": lambda: accounts.end_sessions(user, by=factories.BY),
        "registration": lambda: registrations.cancel(person, by=factories.BY),
    }[lost]()
    db.session.commit()
    for _part in parts:
        assert time.monotonic() - begun < 15, "it goes on"
    assert time.monotonic() - begun < 15


def test_one_fragment_is_rendered_once_for_all_who_see_the_same(
    room: Room, facilitator: Any, event: Event, browse: Any, monkeypatch: Any
) -> None:
    do(facilitator, room, "start")
    rendered: list[str] = []
    phones = [browse(factories.make_registration(event)) for _n in range(3)]
    render = stream.render
    monkeypatch.setattr(stream, "render", lambda *given: (rendered.append(given[3] + given[4]), render(*given))[1])
    say(phones[0], room)
    answers = [now(phone, room) for phone in phones] + [now(phones[0], room, "phone&lang=id")]
    assert rendered == ["phoneen", "phoneid"]
    assert answers[0] == answers[1] == answers[2] != answers[3]
    assert audit.last_number(str(room.consultation_id)) == answers[0]["number"]


def test_the_hub_wakes_who_waits_and_finds_what_another_process_did() -> None:
    hub = Hub()
    woken: list[int] = []
    waiting = threading.Thread(target=lambda: woken.append(hub.wait("1", 4, 30, lambda: 4)))
    waiting.start()
    hub.tell("1", 5)
    waiting.join(10)
    assert woken == [5]
    assert hub.wait("2", 4, 30, lambda: 9) == 9  # nobody told: it looked
    assert hub.wait("1", 5, 0, lambda: 99) == 5
    made: list[int] = []

    def render() -> Fragment:
        made.append(1)
        return Fragment(7, "x")

    assert [hub.fragment(("a",), n, render).number for n in (1, 7, 7)] == [7, 7, 7]
    assert made == [1]
    hub.fragment(("a",), 8, render)
    assert made == [1, 1]


def test_an_event_page_shows_the_way_to_a_running_session(room: Room, facilitator: Any, phone: Any, event: Event) -> None:
    where = f"/rooms/{room.public_id}"
    assert where not in phone.get("/my/registration").text
    do(facilitator, room, "start")
    assert where in phone.get("/my/registration").text
    assert where in phone.get(f"/events/{event.slug}").text
    page = phone.get(where).text
    assert re.search(r'data-stream="[^"]*seen=\d+"', page)
    assert json.dumps("Retno") not in page


def test_a_session_that_was_held_stays_in_the_agenda(room: Room, event: Event, browse: Any, audit_ok: None) -> None:
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    assert organiser.post(f"/events/{event.slug}/agenda/{room.session.public_id}/remove").status_code == 409
    assert db.session.scalar(db.select(db.func.count()).select_from(Session)) == 1


def test_an_item_of_the_agenda_names_its_dimension(event: Event, browse: Any) -> None:
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    item = {"kind": "group", "title-en": "Group two", "title-id": "Kelompok dua", "day": event.starts_on.isoformat(), "starts_at": "10:00"}
    assert organiser.post(f"/events/{event.slug}/agenda", data={**item, "ends_at": "11:00", "dimension": "2"}).status_code == 303
    assert organiser.post(f"/events/{event.slug}/agenda", data={**item, "ends_at": "11:00", "dimension": "99"}).status_code == 422
    (made,) = db.session.scalars(db.select(Session))
    assert made.dimension is not None
    assert made.dimension.number == 2


def test_more_who_come_than_there_are_connections_are_told_to_come_again(room: Room, facilitator: Any, monkeypatch: Any) -> None:
    def none_left(_public_id: str) -> Room:
        raise PoolTimeout("QueuePool limit reached")

    monkeypatch.setattr("consult_app.room.queries.load_room", none_left)
    answer = facilitator.get(f"/rooms/{room.public_id}/stream")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
