"""The console: two facilitators in step, what is recorded for somebody, and the notes for the plenary."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from consult_app.comments.models import Comment
from consult_app.db import clock_at, db, now
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations.models import Registration
from consult_app.room import queries
from consult_app.room.models import Room
from tests import factories
from tests.room.steps import do
from tests.room.steps import now as now_of

FETCH = {"X-Requested-With": "fetch"}


def post(who: Any, room: Room, what: str, script: bool = True, **data: Any) -> Any:
    return who.post(f"/rooms/{room.public_id}/{what}", data=data, headers=FETCH if script else {})


def spoken(room: Room, speaker: str, **more: Any) -> dict[str, Any]:
    code = room.indicator.code if room.indicator else ""
    return {"client_key": "r" * 20, "kind": "context", "text": "Said aloud", "speaker": speaker, "code": code, **more}


def test_who_did_the_last_step_stands_on_both_consoles(room: Room, event: Event, browse: Any) -> None:
    rina = browse(factories.make_user(Role.FACILITATOR, event.consultation, name="Rina <One>"))
    budi = browse(factories.make_user(Role.RAPPORTEUR, event.consultation, name="Budi Two"))
    do(rina, room, "start")
    code = room.indicator.code if room.indicator else ""
    do(rina, room, "next", code)
    clock = re.search(r"Moved on by Rina &lt;One&gt;, \d\d:\d\d WIB", now_of(budi, room, "console")["html"])
    assert clock
    do(budi, room, "pause")
    html = now_of(rina, room, "console")["html"]
    assert "Paused by Budi Two" in html
    assert 'value="start"' in html  # the buttons are part of what keeps in step
    assert 'value="pause"' not in html


def test_who_else_has_the_console_open(room: Room, event: Event, browse: Any) -> None:
    rina = browse(factories.make_user(Role.FACILITATOR, event.consultation, name="Rina One"))
    budi = browse(factories.make_user(Role.FACILITATOR, event.consultation, name="Budi Two"))
    assert "Nobody else" in post(rina, room, "here").text
    assert "Rina One" in post(budi, room, "here").text
    assert "Budi Two" in post(rina, room, "here").text
    assert "Budi Two" in rina.get(f"/rooms/{room.public_id}/console").text
    post(budi, room, "here", left="1")
    assert "Nobody else" in post(rina, room, "here").text
    with clock_at(now() + dt.timedelta(minutes=2)):  # the lid was shut
        assert queries.others_at_console(room, factories.make_user()) == []
    assert post(browse(factories.make_user(Role.OBSERVER, event.consultation)), room, "here").status_code == 403
    assert post(browse(factories.make_user(Role.FACILITATOR, factories.make_consultation())), room, "here").status_code == 404


def test_rule_12_recorded_in_place_for_whoever_has_a_place_at_the_event(
    room: Room, facilitator: Any, person: Registration, event: Event, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    do(facilitator, room, "start")
    elsewhere = factories.make_registration(factories.make_event(event.consultation))
    for speaker in ("", "none", elsewhere.public_id):
        page = post(facilitator, room, "record", **spoken(room, speaker))
        assert (page.status_code, "Choose who spoke." in page.text) == (422, True), speaker
    assert "Said aloud" in page.text  # what was typed is kept
    assert post(facilitator, room, "record", **spoken(room, person.public_id, text=" ")).status_code == 422
    assert post(facilitator, room, "record", **spoken(room, person.public_id, link="ftp://x")).status_code == 422
    assert post(facilitator, room, "record", **spoken(room, person.public_id, code="9.9")).status_code == 422
    page = facilitator.post(f"/rooms/{room.public_id}/record", data=spoken(room, person.public_id), follow_redirects=True)
    assert "The comment of Retno Speaker is recorded." in page.text
    assert last_entry("comment.record") is not None
    for index, text in enumerate(("=1+1", "مرحبا", "\x01control", "<img src=x>")):
        odd = spoken(room, person.public_id, text=text, client_key=f"odd-key-of-a-form-{index}")
        assert post(facilitator, room, "record", **odd).status_code == 204
    for comment in db.session.scalars(db.select(Comment)):
        assert (comment.registration_id, comment.recorded_by is not None) == (person.id, True)
    observer = browse(factories.make_user(Role.OBSERVER, event.consultation))
    stranger = browse(factories.make_user(Role.FACILITATOR, factories.make_consultation()))
    assert post(observer, room, "record", **spoken(room, person.public_id)).status_code == 403
    assert post(stranger, room, "record", **spoken(room, person.public_id)).status_code == 404
    person.dimension_id = None
    room.indicator.dimension.section.state = "signed"  # type: ignore[union-attr]
    db.session.commit()
    closed = spoken(room, person.public_id, client_key="after-it-was-closed")
    assert post(facilitator, room, "record", **closed).status_code == 409
    room.indicator.dimension.section.state = "open"  # type: ignore[union-attr]
    db.session.commit()


def test_who_spoke_is_found_by_typing_and_those_who_arrived_come_first(
    room: Room, facilitator: Any, person: Registration, event: Event, phone: Any
) -> None:
    factories.make_registration(event, name="Wahyu Late", institution="Other Office")
    db.session.commit()

    def found(words: str) -> list[str]:
        return re.findall(r'<option value="\w*">(.*?)</option>', facilitator.get(f"/rooms/{room.public_id}/speakers?q={words}").text)

    assert found("") == ["Retno Speaker – Secret Institution (not checked in)", "Wahyu Late – Other Office (not checked in)"]
    assert found("other+wah") == ["Wahyu Late – Other Office (not checked in)"]
    assert found("nobody+at+all") == ["Nobody is found"]
    assert found("%3Cimg%20src=x%3E%00%D9%85") == ["Nobody is found"]
    assert phone.get(f"/rooms/{room.public_id}/speakers").status_code == 403


def test_notes_edited_by_two_at_once_are_shown_to_the_second(
    room: Room, facilitator: Any, event: Event, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    budi = browse(factories.make_user(Role.RAPPORTEUR, event.consultation, name="Budi Two"))

    def keep(who: Any, notes: str, number: int) -> Any:
        return post(who, room, "notes", script=False, notes=notes, number=number)

    assert keep(budi, "We agree <b>mostly</b>", 0).status_code == 303
    assert last_entry("room.report").object_id == room.public_id
    late = keep(facilitator, "We agree on nothing", 0)
    assert late.status_code == 409
    assert "Somebody else saved these notes" in late.text
    assert "(Budi Two)" in late.text
    assert re.search(r"<del>.*?&lt;.*?</del>", late.text, re.S)  # both are shown
    assert "We agree on nothing</textarea>" in late.text  # and what was typed is kept
    assert 'name="number" type="hidden" value="1"' in late.text
    assert keep(facilitator, "We agree on nothing", 1).status_code == 303
    assert keep(budi, "We agree on nothing", 1).status_code == 303  # the same words: nothing is overwritten
    db.session.refresh(room)
    assert (room.notes, room.notes_number) == ("We agree on nothing", 2)
    assert room.notes_by is not None
    assert room.notes_by.name != "Budi Two"
    assert keep(facilitator, "x" * 10_001, 2).status_code == 422
    assert keep(browse(factories.make_user(Role.OBSERVER, event.consultation)), "x", 2).status_code == 403
    assert keep(browse(factories.make_user(Role.FACILITATOR, factories.make_consultation())), "x", 2).status_code == 404


def test_what_the_groups_report_back_stands_on_one_page_and_on_the_wall(
    room: Room, facilitator: Any, event: Event, phone: Any, browse: Any
) -> None:
    where = f"/events/{event.slug}/report-back"
    assert "No notes yet" in facilitator.get(where).text
    assert "No notes yet" in facilitator.get(f"{where}/screen").text
    post(facilitator, room, "notes", script=False, notes="Group one <img src=x> agrees", number=0)
    page, wall = facilitator.get(where).text, facilitator.get(f"{where}/screen?room={room.public_id}").text
    for text in (page, wall):
        assert "Group one &lt;img src=x&gt; agrees" in text
    assert re.search(r"Kept by User \d+, \w+, \d+ \w+ \d{4}, \d\d:\d\d WIB", page)
    assert 'data-hx-trigger="every 5s"' in facilitator.get(f"{where}/screen", headers={"HX-Request": "true"}).text
    observer = browse(factories.make_user(Role.OBSERVER, event.consultation))
    stranger = browse(factories.make_user(Role.ORGANISER, factories.make_consultation()))
    assert (observer.get(where).status_code, observer.get(f"{where}/screen").status_code) == (200, 403)
    assert (phone.get(where).status_code, stranger.get(where).status_code) == (403, 404)
