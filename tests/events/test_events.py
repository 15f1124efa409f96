"""Events: made, changed, published, cancelled; the agenda, the calendar file and the poster."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

import icalendar
import pytest
import zxingcpp
from PIL import Image

from consult_app.db import db
from consult_app.events.actions import add_session
from consult_app.events.models import Event, EventState, Session
from consult_app.policy import Role
from tests import factories

FORM = {
    "title-en": "Validation workshop",
    "title-id": "Lokakarya validasi",
    "kind": "validation",
    "starts_on": "2030-12-19",
    "ends_on": "2030-12-19",
    "starts_at": "08:30",
    "ends_at": "16:00",
    "timezone": "Asia/Jakarta",
    "mode": "in_person",
    "venue": "Hall <b>A</b>",
    "capacity": "58",
}
ITEM = {"title-en": "Opening", "kind": "opening", "starts_at": "09:00", "ends_at": "09:30", "speaker": "A. Speaker"}


@pytest.fixture
def event(app: Any) -> Event:
    made = factories.make_event()
    db.session.commit()
    return made


@pytest.fixture
def organiser(event: Event, browse: Any) -> Any:
    return browse(factories.make_user(Role.ORGANISER, event.consultation))


def test_create_edit_publish_cancel(event: Event, organiser: Any, last_entry: Any, audit_ok: None) -> None:
    answer = organiser.post(f"/consultations/{event.consultation.slug}/events/new", data=FORM)
    assert (answer.status_code, answer.location) == (303, "/events/validation-workshop-2030")
    made = db.session.scalars(db.select(Event).where(Event.slug == "validation-workshop-2030")).one()
    assert (made.state, made.capacity, made.venue) == (EventState.DRAFT, 58, "Hall <b>A</b>")
    assert last_entry("event.create").object_id == made.public_id
    assert organiser.post(f"{answer.location}/edit", data={**FORM, "description-en": "New words", "capacity": ""}).status_code == 303
    assert (made.description["en"], made.capacity) == ("New words", 58)  # seats have a page of their own
    assert last_entry("event.change") is not None
    assert organiser.post(f"{answer.location}/publish").status_code == 303
    assert last_entry("event.publish") is not None
    assert "Hall &lt;b&gt;A" in organiser.get(answer.location).text
    assert organiser.post(f"{answer.location}/publish").status_code == 409
    assert organiser.post(f"{answer.location}/cancel").status_code == 303
    assert last_entry("event.cancel") is not None
    assert "Cancelled" in organiser.get(answer.location).text
    assert organiser.post(f"{answer.location}/cancel").status_code == 409
    assert organiser.post(f"{answer.location}/edit", data=FORM).status_code == 409


@pytest.mark.parametrize(
    "wrong",
    [
        {"title-en": " ", "title-id": ""},
        {"ends_on": "2030-12-18"},
        {"ends_at": "08:00"},
        {"ends_on": "2031-03-01"},
        {"starts_on": "2030-02-30"},
        {"timezone": "Mars/Base"},
        {"kind": "party"},
        {"venue": "x" * 201},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_cannot_be_is_422_and_nothing_is_lost_or_saved(event: Event, organiser: Any, wrong: dict[str, str]) -> None:
    before = event.venue
    addresses = [f"/consultations/{event.consultation.slug}/events/new", f"/events/{event.slug}/edit"]
    for address in addresses[:1] if "capacity" in wrong else addresses:  # seats are asked when the event is new
        answer = organiser.post(address, data={"address": "Typed address", **FORM, **wrong})
        assert answer.status_code == 422
        assert "Typed address" in answer.text
    assert event.venue == before
    assert db.session.scalar(db.select(db.func.count()).select_from(Event)) == 1


def test_two_events_of_one_name_have_two_addresses(event: Event, organiser: Any) -> None:
    address = f"/consultations/{event.consultation.slug}/events/new"
    assert [organiser.post(address, data=FORM).location for _n in range(2)] == [
        "/events/validation-workshop-2030",
        "/events/validation-workshop-2030-2",
    ]


def test_a_draft_is_seen_by_its_people_alone(event: Event, browse: Any, organiser: Any) -> None:
    event.state = EventState.DRAFT
    stranger = factories.make_user(Role.ORGANISER, factories.make_consultation())
    for page in ("", "/event.ics", "/poster.pdf"):
        assert browse().get(f"/events/{event.slug}{page}").status_code == 303
        assert browse(stranger).get(f"/events/{event.slug}{page}").status_code == 404
        assert organiser.get(f"/events/{event.slug}{page}").status_code == 200


@pytest.mark.parametrize("deed", ["edit", "publish", "cancel", "agenda", "agenda/x/edit", "agenda/x/remove"])
def test_only_organisers_change_an_event(event: Event, browse: Any, deed: str) -> None:
    event.state = EventState.DRAFT
    address = f"/events/{event.slug}/{deed}"
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).post(address, data=FORM).status_code == 404
    for role in (Role.RAPPORTEUR, Role.CHECK_IN, Role.OBSERVER):
        assert browse(factories.make_user(role, event.consultation)).post(address, data=FORM).status_code == 403
    assert event.state is EventState.DRAFT


def test_agenda_add_and_remove(event: Event, organiser: Any, browse: Any, last_entry: Any, audit_ok: None) -> None:
    address = f"/events/{event.slug}/agenda"
    day = event.starts_on.isoformat()
    assert organiser.post(address, data={**ITEM, "day": day, "title-en": "<script>x"}).status_code == 303
    item = event.sessions[0].public_id
    assert last_entry("session.add").object_id == item
    assert "&lt;script&gt;x" in browse().get(f"/events/{event.slug}").text
    assert organiser.post(address, data={**ITEM, "day": "2001-01-01"}).status_code == 422
    wrong = organiser.post(address, data={**ITEM, "day": day, "ends_at": "08:00"})
    assert wrong.status_code == 422
    assert "It ends before it begins." in wrong.text
    assert organiser.post(f"{address}/{item}/remove").status_code == 303
    assert last_entry("session.delete") is not None
    assert organiser.post(f"{address}/{item}/remove").status_code == 404
    assert db.session.scalar(db.select(db.func.count()).select_from(Session)) == 0


def test_an_item_is_changed_and_names_who_runs_it(event: Event, organiser: Any, browse: Any, last_entry: Any, audit_ok: None) -> None:
    day = event.starts_on.isoformat()
    organiser.post(f"/events/{event.slug}/agenda", data={**ITEM, "day": day})
    (item,) = event.sessions
    rina = factories.make_user(Role.FACILITATOR, event.consultation, name="Rina <b>Leads")
    budi = factories.make_user(Role.RAPPORTEUR, event.consultation, name="Budi Writes")
    stranger = factories.make_user(Role.FACILITATOR, factories.make_consultation())
    address = f"/events/{event.slug}/agenda/{item.public_id}/edit"
    named = {**ITEM, "title-en": "Group one", "day": day, "facilitator": rina.public_id, "rapporteur": budi.public_id}
    assert 'value="Opening"' in organiser.get(address).text
    for wrong in ({"facilitator": stranger.public_id}, {"day": "2001-01-01"}, {"ends_at": "08:00"}, {"title-en": " "}):
        assert organiser.post(address, data={**named, **wrong}).status_code == 422
    assert organiser.post(address, data=named).status_code == 303
    assert last_entry("session.change").object_id == item.public_id
    assert (item.title["en"], item.facilitator_id, item.rapporteur_id) == ("Group one", rina.id, budi.id)
    page = browse(factories.make_registration(event)).get(f"/events/{event.slug}").text
    assert "Facilitator: Rina &lt;b&gt;Leads" in page
    assert "Rapporteur: Budi Writes" in page
    assert "Budi Writes" not in browse().get(f"/events/{event.slug}").text
    event.state = EventState.CANCELLED
    factories.audit.record(factories.BY, "event.cancel", event)
    assert organiser.post(address, data=named).status_code == 409


def test_ten_items_take_the_same_statements_as_two(event: Event, browse: Any, count_queries: Any) -> None:
    member = browse(factories.make_registration(event))
    taken = []
    for number in (2, 10):
        while len(event.sessions) < number:
            user = factories.make_user(Role.FACILITATOR, event.consultation)
            times = (dt.time(9), dt.time(10))
            add_session(event, {"en": "Group"}, event.starts_on, *times, by=factories.BY, facilitator_id=user.id, rapporteur_id=user.id)
        db.session.commit()
        with count_queries() as statements:
            assert member.get(f"/events/{event.slug}").status_code == 200
        taken.append(len(statements))
    assert taken[0] == taken[1]


def test_the_agenda_of_a_cancelled_event_stays_as_it_is(event: Event, organiser: Any) -> None:
    event.state = EventState.CANCELLED
    answer = organiser.post(f"/events/{event.slug}/agenda", data={**ITEM, "day": event.starts_on.isoformat()})
    assert answer.status_code == 409
    assert event.sessions == []


def test_the_calendar_file_has_each_day_in_utc(browse: Any) -> None:
    first = dt.date(2030, 12, 18)
    event = factories.make_event(
        starts_on=first, ends_on=dt.date(2030, 12, 19), starts_at=dt.time(6), title={"en": "A, b; c\\d", "id": ""}, venue="Hall; “A”, 1"
    )
    answer = browse().get(f"/events/{event.slug}/event.ics")
    assert answer.mimetype == "text/calendar"
    entries = icalendar.Calendar.from_ical(answer.data).walk("VEVENT")
    assert [entry["dtstart"].dt for entry in entries] == [
        dt.datetime(2030, 12, 17, 23, 0, tzinfo=dt.UTC),
        dt.datetime(2030, 12, 18, 23, 0, tzinfo=dt.UTC),
    ]
    assert entries[0]["dtend"].dt == dt.datetime(2030, 12, 18, 9, 0, tzinfo=dt.UTC)
    assert (str(entries[0]["summary"]), str(entries[0]["location"])) == ("A, b; c\\d", "Hall; “A”, 1")
    assert len({str(entry["uid"]) for entry in entries}) == 2
    assert f"http://127.0.0.1:8000/events/{event.slug}" in str(entries[0]["description"])
    event.state = EventState.CANCELLED
    entries = icalendar.Calendar.from_ical(browse().get(f"/events/{event.slug}/event.ics").data).walk("VEVENT")
    assert {str(entry["status"]) for entry in entries} == {"CANCELLED"}


@pytest.mark.parametrize("title", ["Validation", "Lokakarya " * 19, "ورشة عمل"])
def test_the_posters_qr_opens_the_registration_form(browse: Any, tmp_path: Path, title: str) -> None:
    event = factories.make_event(title={"en": title, "id": ""}, address="Jalan M.H. Thamrin " * 10)
    answer = browse().get(f"/events/{event.slug}/poster.pdf", headers={"Host": "evil.example"})
    (tmp_path / "poster.pdf").write_bytes(answer.data)
    subprocess.run(["pdftoppm", "-r", "100", "-png", "-singlefile", tmp_path / "poster.pdf", tmp_path / "poster"], check=True)
    with Image.open(tmp_path / "poster.png") as page:
        (code,) = zxingcpp.read_barcodes(page.convert("L"))
    assert code.text == f"http://127.0.0.1:8000/events/{event.slug}/register"
    assert browse().get(f"/events/{event.slug}/register").status_code == 200


def test_rule_4_more_seats_move_the_waiting_list_up_in_order(browse: Any, sent: Any, audit_ok: None, last_entry: Any) -> None:
    event = factories.make_event(capacity=1, starts_on=dt.date(2030, 12, 19))
    people = [factories.make_registration(event) for _n in range(4)]
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    assert organiser.post(f"/events/{event.slug}/registrations/settings", data={"capacity": "3"}).status_code == 303
    assert [person.state.value for person in people] == ["confirmed", "confirmed", "confirmed", "waiting"]
    assert [mail["To"] for mail in sent()] == [people[1].email, people[2].email]
    assert last_entry("registration.move_up").object_id == people[2].public_id


def test_fewer_seats_take_nobodys_seat_away(browse: Any) -> None:
    event = factories.make_event(capacity=2, starts_on=dt.date(2030, 12, 19))
    people = [factories.make_registration(event) for _n in range(3)]
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    organiser.post(f"/events/{event.slug}/registrations/settings", data={"capacity": "1"})
    assert [person.state.value for person in people] == ["confirmed", "confirmed", "waiting"]
    factories.registrations.cancel(people[0], by=factories.BY)
    assert people[2].is_waiting
