"""The check-in desk: what a scan answers (rule 7), walk-ins, undoing, and two numbers that differ (rule 9)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine

from consult_app.attendance.models import CheckIn
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations.actions import Details
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import link_secret, ticket_code
from tests import factories

WALK_IN = {"name": "Walk <b>In</b>", "institution": "Office", "stakeholder_type": "ngo", "sex": "female", "nonce": "w1"}


@pytest.fixture
def event(app: Any) -> Event:
    """An event that lasts all of today, in its own zone."""
    day = dt.datetime.now(dt.timezone(dt.timedelta(hours=7))).date()
    made = factories.make_event(starts_on=day, ends_on=day, starts_at=dt.time(0), ends_at=dt.time(23, 59))
    db.session.commit()
    return made


@pytest.fixture
def staff(event: Event) -> Any:
    return factories.make_user(Role.CHECK_IN, event.consultation, name="Desk One")


@pytest.fixture
def desk(staff: Any, browse: Any) -> Any:
    return browse(staff)


def scan(desk: Any, event: Event, who: Registration | str, nonce: str = "n1", **more: Any) -> str:
    code = who if isinstance(who, str) else ticket_code(who.seed)
    answer = desk.post(f"/events/{event.slug}/desk", data={"code": code, "nonce": nonce}, **more)
    assert answer.status_code == 200
    return str(answer.text)


def arrivals() -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(CheckIn).where(CheckIn.is_arrival, CheckIn.undone_at.is_(None))) or 0


def test_rule_7_welcome(event: Event, desk: Any, staff: Any, last_entry: Any, audit_ok: None) -> None:
    person = factories.make_registration(event, name="Retno <i>W</i>")
    page = scan(desk, event, person)
    assert "Welcome" in page
    assert "scan-answer--ok" in page
    assert "Retno &lt;i&gt;W" in page
    assert last_entry("checkin.scan").actor == staff.actor_key
    fragment = scan(desk, event, person, "n2", headers={"HX-Request": "true"})
    assert "<html" not in fragment


def test_rule_7_already_says_when_and_by_whom(event: Event, desk: Any, browse: Any) -> None:
    person = factories.make_registration(event)
    scan(desk, event, person)
    other = browse(factories.make_user(Role.CHECK_IN, event.consultation, name="Desk Two"))
    page = scan(other, event, person)  # another desk, by chance with the same nonce
    assert "Already checked in" in page
    assert "by Desk One" in page
    assert "WIB" in page
    assert arrivals() == 1


def test_rule_7_the_same_scan_sent_twice_counts_once_and_answers_alike(event: Event, desk: Any, audit_ok: None) -> None:
    person = factories.make_registration(event)
    for _n in range(2):
        assert "Welcome" in scan(desk, event, person, "same")
    assert arrivals() == 1


def test_a_nonce_used_for_somebody_else_loses_nobody(event: Event, desk: Any) -> None:
    first, second = factories.make_registration(event), factories.make_registration(event)
    scan(desk, event, first, "same")
    assert "Welcome" in scan(desk, event, second, "same")
    assert arrivals() == 2


def test_rule_7_wrong_event(event: Event, desk: Any) -> None:
    other = factories.make_event(event.consultation, title={"en": "The other meeting"})
    page = scan(desk, event, factories.make_registration(other))
    assert "Wrong event" in page
    assert "The other meeting" in page


def test_rule_7_wrong_day(event: Event, desk: Any) -> None:
    event.ends_on += dt.timedelta(days=1)
    assert "Wrong day" in scan(desk, event, factories.make_registration(event, days=[event.ends_on.isoformat()]))
    event.starts_on = event.ends_on
    assert "Wrong day" in scan(desk, event, factories.make_registration(event))
    assert arrivals() == 0


def test_rule_7_cancelled_and_replaced(event: Event, desk: Any) -> None:
    cancelled, old = factories.make_registration(event), factories.make_registration(event)
    factories.registrations.cancel(cancelled, by=factories.BY)
    details = Details("Colleague", "", old.stakeholder_type, email="colleague@example.org")
    new = factories.registrations.replace(old, details, by=factories.BY)
    assert "This registration was cancelled" in scan(desk, event, cancelled)
    assert "A colleague has taken this place" in scan(desk, event, old)
    assert "Welcome" in scan(desk, event, new)


def test_rule_7_waiting_list(event: Event, desk: Any) -> None:
    event.capacity = 0
    assert "Waiting list" in scan(desk, event, factories.make_registration(event))


def test_rule_7_unknown(event: Event, desk: Any) -> None:
    stranger = factories.make_registration(name="Somebody Else")
    mine = factories.make_registration(event)
    for code in ("C1AAAAAAAAAAAAAAAAAAAAAAAAAA", "", "x" * 500, "<script>", link_secret(mine.seed), ticket_code(stranger.seed)):
        page = scan(desk, event, code)
        assert "Unknown code" in page
        assert "Somebody Else" not in page
        assert "<script>x" not in page


def test_a_code_is_read_however_it_is_typed(event: Event, desk: Any) -> None:
    code = ticket_code(factories.make_registration(event).seed).lower()
    assert "Welcome" in scan(desk, event, f" {code[:4]}-{code[4:9]} {code[9:]} ")


@pytest.mark.parametrize("address", ["desk", "desk/walk-in", "desk/check-in/x", "check-ins/x/undo"])
def test_the_desk_is_for_its_people(event: Event, browse: Any, address: str) -> None:
    url = f"/events/{event.slug}/{address}"
    event.state = "draft"
    assert browse().post(url).status_code == 303
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).post(url).status_code == 404
    assert browse(factories.make_user(Role.OBSERVER, event.consultation)).post(url).status_code == 403
    assert browse(factories.make_registration(event)).post(url).status_code == 403


def test_rule_9_registered_and_arrived_are_two_numbers(event: Event, desk: Any) -> None:
    people = [factories.make_registration(event) for _n in range(3)]
    page = scan(desk, event, people[0])
    assert "<strong>1</strong> of 3 arrived" in page
    table = desk.get(f"/events/{event.slug}/attendance")
    assert table.status_code == 403  # the desk scans; the table is for staff


def test_somebody_without_a_ticket_is_found_by_name(event: Event, desk: Any) -> None:
    person = factories.make_registration(event, name="Tomás Echeverría")
    page = desk.get(f"/events/{event.slug}/desk/find?q=tomas").text
    assert "Tomás Echeverría" in page
    assert "Welcome" in desk.post(f"/events/{event.slug}/desk/check-in/{person.public_id}", data={"nonce": "n"}).text
    other = factories.make_registration()
    assert desk.post(f"/events/{event.slug}/desk/check-in/{other.public_id}").status_code == 404


def test_a_walk_in_is_registered_and_checked_in_once(event: Event, desk: Any, last_entry: Any, audit_ok: None) -> None:
    url = f"/events/{event.slug}/desk/walk-in"
    for _n in range(2):
        page = desk.post(url, data=WALK_IN)
        assert "Welcome" in page.text
        assert "Walk &lt;b&gt;In" in page.text
    assert arrivals() == 1
    assert last_entry("registration.register") is not None
    wrong = desk.post(url, data={**WALK_IN, "name": " ", "nonce": "w2", "institution": "Typed office"})
    assert wrong.status_code == 422
    assert "Typed office" in wrong.text


def test_a_walk_in_over_capacity_waits(event: Event, desk: Any) -> None:
    event.capacity = 0
    assert "Waiting list" in desk.post(f"/events/{event.slug}/desk/walk-in", data=WALK_IN).text
    assert arrivals() == 0


def test_a_walk_in_at_a_cancelled_event_is_409(event: Event, desk: Any) -> None:
    event.state = "cancelled"
    assert desk.post(f"/events/{event.slug}/desk/walk-in", data=WALK_IN).status_code == 409


def test_undo_with_a_reason_and_check_in_again(event: Event, browse: Any, last_entry: Any, audit_ok: None) -> None:
    person = factories.make_registration(event)
    organiser = factories.make_user(Role.ORGANISER, event.consultation)
    client = browse(organiser)
    scan(client, event, person, "n1")
    first = db.session.scalars(db.select(CheckIn)).one()
    url = f"/events/{event.slug}/check-ins/{first.public_id}/undo"
    assert client.post(url, data={"reason": "  "}).status_code == 422
    assert client.post(url, data={"reason": "wrong person"}).status_code == 303
    assert client.post(url, data={"reason": "again"}).status_code == 409
    assert (first.undo_reason, first.undone_by_id) == ("wrong person", organiser.id)
    assert last_entry("checkin.undo").actor == organiser.actor_key
    assert arrivals() == 0
    assert "Welcome" in scan(client, event, person, "n2")
    assert arrivals() == 1
    scan(client, event, person, "n1")  # the first scan, sent again, undoes no undoing
    assert arrivals() == 1
    other = factories.make_event(event.consultation)
    assert client.post(f"/events/{other.slug}/check-ins/{first.public_id}/undo", data={"reason": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("moment", "answer"),
    [
        ("2023-12-18T16:59:59", "Wrong day"),  # 23:59:59 in Jakarta, of the evening before
        ("2023-12-18T17:00:00", "Welcome"),  # midnight in Jakarta
        ("2023-12-18T23:30:00", "Welcome"),  # 06:30, when in Greenwich it is still the day before
        ("2023-12-19T16:59:59", "Welcome"),
        ("2023-12-19T17:00:00", "Wrong day"),
    ],
)
def test_rule_7_the_day_of_a_scan_is_that_of_the_events_zone(app: Any, browse: Any, moment: str, answer: str) -> None:
    day = dt.date(2023, 12, 19)
    event = factories.make_event(starts_on=day, ends_on=day)
    person = factories.make_registration(event)
    staff = factories.make_user(Role.CHECK_IN, event.consultation)
    with time_machine.travel(dt.datetime.fromisoformat(f"{moment}+00:00"), tick=False):
        assert answer in scan(browse(staff), event, person)
    assert list(db.session.scalars(db.select(CheckIn.day))) == ([day] if answer == "Welcome" else [])
