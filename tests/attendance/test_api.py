"""/api/v1: who may ask, what a scan answers (rule 7), and what the desk does besides."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from flask import Flask

from consult_app import audit
from consult_app.attendance import devices
from consult_app.attendance.models import CheckIn, Device, DrawnSignature
from consult_app.db import db
from consult_app.events.models import Event, EventState, Session
from consult_app.policy import Role
from consult_app.registrations.actions import Details
from consult_app.registrations.models import RegistrationState
from tests import factories
from tests.attendance.conftest import Desk, item

WALK_IN = {"nonce": "w1", "name": "Walk <b>In", "institution": "Office", "type": "ngo", "sex": "female"}
COLLEAGUE = {"nonce": "r1", "name": "Sari Colleague", "sex": "female"}
STROKES = [[10, 10, 500, 200, 990, 390]]
POSTS = {
    "/checkins": {"code": "C1A", "nonce": "n"},
    "/checkins/batch": {"device_now": "2026-11-24T02:12:03.120Z", "items": []},
    "/checkins/n/undo": {"reason": "wrong", "guest": "x"},
    "/walk-ins": WALK_IN,
    "/guests/GUEST/replace": COLLEAGUE,
    "/guests/GUEST/join": {},
    "/signatures": {"nonce": "n", "guest": "x", "strokes": STROKES},
}
GETS = ("", "/guests", "/guests/GUEST/badge")


def arrivals() -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(CheckIn).where(CheckIn.is_arrival, CheckIn.undone_at.is_(None))) or 0


def every(desk: Desk, guest: str) -> list[Any]:
    asked = [desk.post(path.replace("GUEST", guest), body) for path, body in POSTS.items()]
    return asked + [desk.ask("GET", path.replace("GUEST", guest)) for path in GETS]


# -- who may ask --


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer D1UNKNOWN", "Basic eDp5", "Bearer \xe9"])
def test_without_a_known_token_it_is_401_in_json(app: Flask, event: Event, authorization: str) -> None:
    desk = Desk(app, event.slug, "")
    guest = factories.make_registration(event).public_id
    for path, body in POSTS.items():
        answer = desk.ask("POST", path.replace("GUEST", guest), json=body, headers={"Authorization": authorization})
        assert (answer.status_code, answer.json["code"]) == (401, "unknown"), path
    for path in GETS:
        assert desk.ask("GET", path.replace("GUEST", guest), headers={"Authorization": authorization}).status_code == 401


def test_an_account_counts_for_nothing_here(event: Event, browse: Any) -> None:
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    assert organiser.get(f"/events/{event.slug}").status_code == 200
    assert organiser.get(f"/api/v1/events/{event.slug}/guests").status_code == 401
    assert organiser.post(f"/api/v1/events/{event.slug}/checkins", json=POSTS["/checkins"]).status_code == 401


def test_it_speaks_as_it_is_asked_to_and_neither_reads_nor_gives_a_cookie(event: Event, browse: Any, desk: Desk) -> None:
    browser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    assert browser.post("/language", data={"language": "id"}).status_code == 303
    for language, words in (("en", "Checked in at"), ("id", "Tercatat hadir pukul")):
        headers = {"Authorization": f"Bearer {desk.token}", "Accept-Language": language}
        scan = item(factories.make_registration(event), nonce=f"in-{language}")
        answer = browser.post(f"/api/v1/events/{event.slug}/checkins", json=scan, headers=headers)
        assert answer.json["message"].startswith(words)
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.vary


def test_a_device_is_for_its_event_alone(desk: Desk, event: Event, rows: Any) -> None:
    other = factories.make_event(event.consultation)
    person = factories.make_registration(other)
    strange = Desk(desk.app, other.slug, desk.token)
    assert {answer.status_code for answer in every(strange, person.public_id)} <= {403, 404}
    assert strange.post("/checkins", item(person)).status_code in (403, 404)
    assert rows() == []
    assert desk.ask("GET", f"/guests/{person.public_id}/badge").status_code == 404
    assert desk.post(f"/guests/{person.public_id}/replace", COLLEAGUE).status_code == 404


def test_a_revoked_device_is_told_so_and_its_scans_are_kept(desk: Desk, event: Event, rows: Any, audit_ok: None) -> None:
    person = factories.make_registration(event)
    devices.revoke(desk.device, by=factories.BY)
    for answer in (
        desk.ask("GET", "/guests"),
        desk.ask("GET"),
        desk.post("/walk-ins", WALK_IN),
        desk.ask("GET", f"/guests/{person.public_id}/badge"),
    ):
        assert (answer.status_code, answer.json["code"]) == (401, "revoked")
    same = item(person)
    for _n in range(2):
        assert desk.batch([same])[0]["result"] == "revoked"
    assert desk.scan(person)["result"] == "revoked"
    assert [(row.result, row.is_arrival) for row in rows()] == [("revoked", False)] * 2
    assert desk.device.wiped_at is not None


# -- what a scan answers --


def people_of_every_result(event: Event) -> dict[str, Any]:
    other = factories.make_event(event.consultation, title={"en": "The other meeting", "id": "Pertemuan lain"})
    people = {
        name: factories.make_registration(event, name=name) for name in ("ok", "already", "cancelled", "replaced", "refused", "pending")
    }
    people["wrong_event"] = factories.make_registration(other, name="wrong_event")
    people["wrong_day"] = factories.make_registration(event, name="wrong_day", days=[event.ends_on.isoformat()])
    factories.registrations.cancel(people["cancelled"], by=factories.BY)
    old = people["replaced"]
    factories.registrations.replace(old, Details("New", "", old.stakeholder_type, email="new@example.org"), by=factories.BY)
    people["refused"].state, people["pending"].state = RegistrationState.REFUSED, RegistrationState.PENDING
    event.capacity = 0
    people["waiting_list"] = factories.make_registration(event, name="waiting_list")
    return {**people, "unknown": "C1AAAA"}


WORDS = {
    "ok": ("ok", "", "Checked in at", "pukul"),
    "already": ("already", "", "by Desk 1", "oleh Desk 1"),
    "cancelled": ("cancelled", "", "was cancelled", "dibatalkan"),
    "replaced": ("cancelled", "replaced", "A colleague", "Rekan"),
    "refused": ("cancelled", "refused", "did not approve", "tidak menyetujui"),
    "pending": ("waiting_list", "pending", "has yet to approve", "belum"),
    "waiting_list": ("waiting_list", "", "waiting list", "daftar tunggu"),
    "wrong_event": ("wrong_event", "", "The other meeting", "Pertemuan lain"),
    "wrong_day": ("wrong_day", "", "not for today", "hari ini"),
    "unknown": ("unknown", "", "No ticket", "Tidak ada"),
}


@pytest.mark.parametrize("name", WORDS)
def test_rule_7_who_when_where_and_why_in_two_languages(desk: Desk, event: Event, name: str) -> None:
    who = people_of_every_result(event)[name]
    result, detail, english, indonesian = WORDS[name]
    if name == "already":
        desk.scan(who)
    for language, words in (("en", english), ("id", indonesian)):
        desk.language = language
        answer = desk.scan(who, "" if name != "ok" else "the-same")
        assert (answer["result"], answer["detail"]) == (result, detail)
        assert words.lower() in answer["message"].lower()
        assert (answer["guest"] or {}).get("name") == (name if name != "unknown" else None)
        assert (answer["at"] is not None, answer["where"]) == ((True, "Desk 1") if result in ("ok", "already") else (False, None))
        assert bool(answer["event"]) == (name == "wrong_event")
    assert arrivals() == (1 if name in ("ok", "already") else 0)


def test_somebody_of_another_consultation_is_nobody_here(desk: Desk) -> None:
    stranger = factories.make_registration(name="Somebody Else")
    assert desk.scan(stranger)["guest"] is None
    assert desk.post("/checkins", {"guest": stranger.public_id, "nonce": "n"}).json["result"] == "unknown"


def test_by_name_online_and_the_record_of_it(desk: Desk, event: Event, rows: Any, last_entry: Any, audit_ok: None) -> None:
    person = factories.make_registration(event)
    answer = desk.post("/checkins", {"guest": person.public_id, "nonce": "n", "mode": "online"}).json
    assert (answer["result"], rows()[0].mode) == ("ok", "online")
    assert last_entry("checkin.scan").actor == desk.device.actor_key


def test_one_nonce_for_two_people_loses_nobody(desk: Desk, event: Event) -> None:
    people = [factories.make_registration(event) for _n in range(2)]
    assert [desk.scan(person, "same")["result"] for person in people] == ["ok", "ok"]
    assert arrivals() == 2


# -- batches --


def test_a_batch_answers_in_order_and_counts_once(desk: Desk, event: Event, rows: Any, audit_ok: None) -> None:
    people = [factories.make_registration(event) for _n in range(4)]
    items = [item(person) for person in (*people, people[0])] + [item("nobody")]
    first = desk.batch(items, pending=3)
    assert [answer["nonce"] for answer in first] == [each["nonce"] for each in items]
    assert [answer["result"] for answer in first] == ["ok"] * 4 + ["already", "unknown"]
    assert desk.batch(items) == first
    assert (arrivals(), len(rows())) == (4, 5)
    assert (desk.device.app_version, desk.device.last_seen_at is not None) == ("test", True)


def test_a_batch_takes_five_hundred(desk: Desk) -> None:
    body = {"device_now": "2026-11-24T02:12:03.120Z", "items": [item("nobody", f"n{n}") for n in range(501)]}
    assert desk.post("/checkins/batch", body).status_code == 422
    body["items"] = body["items"][:500]
    assert len(desk.post("/checkins/batch", body).json["results"]) == 500


def test_one_item_of_a_session_that_is_gone_does_not_hold_up_the_others(desk: Desk, event: Event) -> None:
    people = [factories.make_registration(event) for _n in range(2)]
    answers = desk.batch([item(people[0]), item(people[1], list="gone"), item(people[1])])
    assert [answer["result"] for answer in answers] == ["ok", "unknown", "ok"]
    assert "session" in answers[1]["message"]
    assert desk.post("/checkins", item(people[0], list="gone")).json["result"] == "unknown"


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "sideways"},
        {"nonce": ""},
        {"nonce": "no spaces"},
        {"scanned_at": "yesterday"},
        {"scanned_at": "2026-11-24T02:12:03"},
        {"scanned_at": "0001-01-01T00:00:00Z"},
    ],
)
def test_what_cannot_be_read_is_422(desk: Desk, broken: dict[str, str]) -> None:
    answer = desk.post("/checkins", {**POSTS["/checkins"], **broken})
    assert (answer.status_code, bool(answer.json["message"])) == (422, True)


# -- exits, sessions, undo --


def test_out_and_in_again(desk: Desk, event: Event, rows: Any, audit_ok: None) -> None:
    person = factories.make_registration(event)
    asked = ["exit", "entry", "entry", "exit", "exit", "entry"]
    answers = [desk.scan(person, type=kind) for kind in asked]
    assert [a["result"] for a in answers] == ["ok", "ok", "already", "ok", "already", "ok"]
    assert [a["detail"] for a in answers] == ["", "", "", "", "out", ""]
    assert arrivals() == 1
    assert next(iter(desk.guests()["guests"][0]["in"].values()))["inside"] is True


def test_each_session_has_its_own_list(desk: Desk, event: Event, audit_ok: None) -> None:
    today = event.day_of(factories.now())
    sessions = []
    for day in (today, event.ends_on if event.ends_on != today else event.starts_on):
        session = Session(
            consultation_id=event.consultation_id,
            event_id=event.id,
            title={"en": "Group"},
            day=day,
            starts_at=dt.time(1),
            ends_at=dt.time(2),
        )
        db.session.add(session)
        factories.audit.record(factories.BY, "session.add", session)
        sessions.append(session)
    person = factories.make_registration(event)
    today_s, other_day = (session.public_id for session in sessions)
    assert desk.scan(person)["result"] == "ok"
    assert [desk.scan(person, list=today_s)["result"] for _n in range(2)] == ["ok", "already"]
    assert desk.scan(person, list=other_day)["result"] == "wrong_day"
    assert set(desk.guests()["guests"][0]["in"]) == {today.isoformat(), today_s}
    assert next(iter(desk.ask("GET").json["lists"]))["id"] == ""


def test_undo_with_a_reason_and_scan_again(desk: Desk, event: Event, last_entry: Any, audit_ok: None) -> None:
    person = factories.make_registration(event)
    desk.scan(person, "first")
    undo = {"reason": "wrong person", "guest": person.public_id}
    for bad in ({**undo, "reason": ""}, {**undo, "reason": "  "}, {"guest": person.public_id}):
        assert desk.post("/checkins/first/undo", bad).status_code == 422
    assert desk.post("/checkins/other/undo", undo).status_code == 404
    assert desk.post("/checkins/first/undo", undo).status_code == 200
    assert desk.post("/checkins/first/undo", undo).status_code == 409
    assert last_entry("checkin.undo").actor == desk.device.actor_key
    assert (arrivals(), desk.guests()["guests"][0]["in"]) == (0, {})
    assert desk.scan(person, "second")["result"] == "ok"
    desk.scan(person, "first")  # sent again, it undoes no undoing
    assert arrivals() == 1


# -- people who were not expected --


def test_a_walk_in_counts_once(desk: Desk, event: Event, last_entry: Any, audit_ok: None) -> None:
    answers = [desk.post("/walk-ins", WALK_IN).json for _n in range(2)]
    assert answers[0] == answers[1]
    assert (answers[0]["result"], answers[0]["guest"]["name"], arrivals()) == ("ok", "Walk <b>In", 1)
    assert last_entry("registration.register").actor == desk.device.actor_key
    assert desk.post("/walk-ins", {**WALK_IN, "nonce": "w2", "type": "martian"}).status_code == 422
    assert desk.post("/walk-ins", {**WALK_IN, "nonce": "w2", "name": " "}).status_code == 422
    event.capacity = 1
    audit.record(factories.BY, "event.edit", event)
    assert desk.post("/walk-ins", {**WALK_IN, "nonce": "w3", "name": "Late"}).json["result"] == "waiting_list"
    event.state = EventState.CANCELLED
    audit.record(factories.BY, "event.cancel", event)
    assert desk.post("/walk-ins", {**WALK_IN, "nonce": "w4", "name": "Later"}).status_code == 409


def test_a_colleague_takes_the_seat(desk: Desk, event: Event, audit_ok: None) -> None:
    old = factories.make_registration(event, position="Director")
    path = f"/guests/{old.public_id}/replace"
    answers = [desk.post(path, COLLEAGUE).json for _n in range(2)]
    assert answers[0] == answers[1]
    assert (answers[0]["result"], answers[0]["guest"]["name"], arrivals()) == ("ok", "Sari Colleague", 1)
    assert desk.post(path, {**COLLEAGUE, "nonce": "r2", "name": "Third"}).status_code == 409
    assert desk.scan(old)["detail"] == "replaced"


@pytest.mark.parametrize(
    "strokes", [[[1, 1]], [[1, 1, 2]], [[1001, 1, 2, 2]], [[1, 401, 2, 2]], [[-1, 1, 2, 2]], [[1] * 6002], [], [["x"]]]
)
def test_a_signature_that_is_none_is_422(desk: Desk, event: Event, strokes: Any) -> None:
    person = factories.make_registration(event)
    desk.scan(person, "n")
    assert desk.post("/signatures", {"nonce": "n", "guest": person.public_id, "strokes": strokes}).status_code == 422


def test_a_signature_is_kept_and_replaced(desk: Desk, event: Event, last_entry: Any, audit_ok: None) -> None:
    person = factories.make_registration(event)
    desk.scan(person, "n")
    body = {"nonce": "n", "guest": person.public_id, "strokes": STROKES}
    for strokes in (STROKES, STROKES, [[0, 0, 1000, 400]]):
        assert desk.post("/signatures", {**body, "strokes": strokes}).status_code == 200
    assert [drawn.strokes for drawn in db.session.scalars(db.select(DrawnSignature))] == [[[0, 0, 1000, 400]]]
    assert last_entry("signature.draw") is not None
    assert desk.post("/signatures", {**body, "nonce": "other"}).status_code == 404


def test_a_badge_to_print(desk: Desk, event: Event) -> None:
    person = factories.make_registration(event, name="<img src=x>")
    page = desk.ask("GET", f"/guests/{person.public_id}/badge")
    assert (page.status_code, "badge-print" in page.text, "<img src=x>" in page.text) == (200, True, False)


def test_a_device_revoked_by_another_process_checks_nobody_in(app: Flask, event: Event, desk: Desk) -> None:
    first, second = factories.make_registration(event), factories.make_registration(event)
    assert desk.scan(first)["result"] == "ok"  # its token is known from now on
    devices.revoke(db.session.scalars(db.select(Device)).one(), by=factories.BY)  # touches nothing that this process keeps
    db.session.commit()
    assert desk.scan(second)["result"] == "revoked"
    assert arrivals() == 1


def test_an_event_moved_meanwhile_is_known_to_the_next_scan(event: Event, desk: Desk) -> None:
    first, second = factories.make_registration(event), factories.make_registration(event)
    assert desk.scan(first)["result"] == "ok"
    event.starts_on, event.ends_on = event.starts_on + dt.timedelta(days=30), event.ends_on + dt.timedelta(days=30)
    audit.record(factories.BY, "event.edit", event)
    db.session.commit()
    assert desk.scan(second)["result"] == "wrong_day"


# -- hostile and broken --

HOSTILE = ["<img src=x>", "=1+1", "مرحبا", "a\x00b", "\ud800", "‮x", "x" * 9_000, " "]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_typed_is_our_mistake(desk: Desk, event: Event, text: str, audit_ok: None) -> None:
    person = factories.make_registration(event)
    desk.scan(person, "n")
    bodies = {
        **POSTS,
        "/guests/GUEST/replace": {**COLLEAGUE, "email": "", "position": ""},
        "/walk-ins": {**WALK_IN, "email": "", "list": ""},
    }
    bodies["/checkins"] = {**POSTS["/checkins"], "guest": "", "list": "", "scanned_at": "", "type": "entry", "mode": "online"}
    bodies["/checkins/batch"] = {"device_now": "2026-11-24T02:12:03Z", "app_version": "", "items": []}
    for path, body in bodies.items():
        for name in (name for name, value in body.items() if isinstance(value, str)):
            answer = desk.post(path.replace("GUEST", person.public_id), {**body, name: text})
            assert answer.status_code < 500, (path, name)
            assert (
                answer.json[
                    "message" if answer.status_code != 200 or "result" in answer.json else "ok" if "ok" in answer.json else "results"
                ]
                is not None
            )
    for each in ({"code": text}, {"list": text}, {"guest": text, "code": ""}):
        assert desk.post("/checkins/batch", {**bodies["/checkins/batch"], "items": [{**POSTS["/checkins"], **each}]}).status_code < 500
    pairing = {"secret": text, "client_key": text.ljust(16, "k")[:100], "app_version": text[:40]}
    assert desk.app.test_client().post("/api/v1/devices/pair", json=pairing).status_code in (409, 422)
    assert desk.ask("GET", "/guests", query_string={"since": text.encode("utf-8", "replace")}).status_code < 500


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"[1]", b"null", b'"x"', b"1e999", b"\xff\xfe", b"[" * 20_000, b'{"nonce": NaN}'])
def test_what_is_no_json_object_is_refused_in_words(desk: Desk, data: bytes) -> None:
    for path in POSTS:
        answer = desk.ask("POST", path, data=data, content_type="application/json")
        assert answer.status_code in (400, 404, 422), path
        assert answer.json["message"]


def test_five_megabytes(desk: Desk) -> None:
    for body in ({**WALK_IN, "name": "x" * 5_000_000}, {"nonce": "n", "code": "x" * 5_000_000}):
        for path in ("/walk-ins", "/checkins"):
            assert desk.ask("POST", path, data=json.dumps(body), content_type="application/json").status_code in (413, 422)


# -- what the device holds --


def test_a_cursor_brings_what_changed_and_nothing_else(desk: Desk, event: Event, audit_ok: None) -> None:
    people = [factories.make_registration(event, name=f"Guest {n}") for n in range(4)]
    whole = desk.guests()
    assert (whole["full"], [guest["name"] for guest in whole["guests"]]) == (True, [f"Guest {n}" for n in range(4)])
    assert "email" not in whole["guests"][0]

    def changed() -> list[str]:
        nonlocal whole
        whole = desk.guests(whole["cursor"])
        assert whole["full"] is False
        return [guest["name"] for guest in whole["guests"]]

    assert changed() == []
    desk.scan(people[1])
    assert changed() == ["Guest 1"]
    factories.registrations.cancel(people[2], by=factories.BY)
    assert (changed(), whole["guests"][0]["state"]) == (["Guest 2"], "cancelled")
    factories.make_registration(event, name="Guest 4")
    factories.make_registration(factories.make_event(event.consultation), name="Elsewhere")
    assert changed() == ["Guest 4"]
    office = people[0].institution
    office.name = {"en": "Renamed", "id": "Renamed"}
    factories.audit.record(factories.BY, "institution.change", office)
    renamed = desk.guests(whole["cursor"])
    assert (renamed["full"], renamed["guests"][0]["institution"]) == (True, "Renamed")


@pytest.mark.parametrize("cursor", ["999999", "-1", "x", "", "1e3", "٣", "9" * 20])
def test_a_cursor_that_is_none_of_ours_brings_all(desk: Desk, event: Event, cursor: str) -> None:
    factories.make_registration(event)
    answer = desk.guests(cursor)
    assert (answer["full"], len(answer["guests"])) == (True, 1)


def test_ten_and_two_hundred_guests_take_the_same_statements(desk: Desk, event: Event, count_queries: Any) -> None:
    counts = []
    for wanted in (10, 190):
        people = [factories.make_registration(event) for _n in range(wanted)]
        desk.batch([item(person) for person in people[:100]])
        with count_queries() as statements:
            desk.guests()
        counts.append(len(statements))
    assert counts[0] == counts[1]
