"""Seats (rules 4 and 6): quotas and the hall's capacity hold for each way in which somebody gets a seat."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app import audit
from consult_app.db import db
from consult_app.events import actions as events
from consult_app.events.models import Event
from consult_app.registrations import actions
from consult_app.registrations.models import Attendance, ParticipantRole, Quota, Registration
from consult_app.registrations.seats import put_quota, seats_left
from tests import factories
from tests.factories import BY
from tests.registrations.test_change import CHANGE

pytestmark = pytest.mark.usefixtures("audit_ok")


def quota(event: Event, kind: str, seats: int) -> None:
    actions.set_quota(event, factories.stakeholder_type(event.consultation_id, kind), seats, by=BY)


def set_capacity(event: Event, seats: int | None) -> None:
    event.capacity = seats
    audit.record(BY, "event.edit", event)


def states(*people: Registration) -> list[str]:
    db.session.expire_all()
    return [person.state.value for person in people]


def test_rule_4_who_changes_their_type_does_not_overfill_that_types_quota(app: Any, browse: Any) -> None:
    event = factories.make_event()
    quota(event, "ngo", 1)
    factories.make_registration(event, kind="ngo")
    person = factories.make_registration(event, kind="government")
    answer = browse(person).post("/my/registration/change", data=CHANGE | {"stakeholder_type": "ngo"})
    assert answer.status_code in (409, 422)
    assert "no seat left" in answer.text
    db.session.expire_all()
    assert person.stakeholder_type.code == "government"
    assert states(person) == ["confirmed"]
    quota(event, "ngo", 2)
    assert browse(person).post("/my/registration/change", data=CHANGE | {"stakeholder_type": "ngo"}).status_code == 303
    db.session.expire_all()
    assert person.stakeholder_type.code == "ngo"


def test_rule_4_who_changes_their_type_frees_a_seat_of_the_earlier_one(app: Any, browse: Any) -> None:
    event = factories.make_event()
    quota(event, "ngo", 1)
    person, waiting = factories.make_registration(event, kind="ngo"), factories.make_registration(event, kind="ngo")
    assert states(person, waiting) == ["confirmed", "waiting"]
    assert browse(person).post("/my/registration/change", data=CHANGE).status_code == 303
    assert states(person, waiting) == ["confirmed", "confirmed"]


def test_rule_4_a_change_without_another_type_needs_no_second_seat(app: Any, browse: Any) -> None:
    event = factories.make_event(capacity=1)
    quota(event, "government", 1)
    person = factories.make_registration(event)
    assert browse(person).post("/my/registration/change", data=CHANGE).status_code == 303
    assert states(person) == ["confirmed"]


def test_rule_4_a_quota_never_gives_more_seats_than_the_hall_has(app: Any) -> None:
    event = factories.make_event(capacity=2)
    quota(event, "government", 5)
    people = [factories.make_registration(event) for _n in range(3)]
    assert states(*people) == ["confirmed", "confirmed", "waiting"]
    assert seats_left(event, factories.stakeholder_type(event.consultation_id)) == 0


def test_rule_4_the_seats_left_are_the_smaller_of_hall_and_quota(app: Any) -> None:
    event = factories.make_event(capacity=10)
    kind = factories.stakeholder_type(event.consultation_id)
    assert seats_left(event, kind) == 10
    quota(event, "government", 4)
    factories.make_registration(event)
    assert seats_left(event, kind) == 3
    assert seats_left(event, factories.stakeholder_type(event.consultation_id, "ngo")) == 9
    set_capacity(event, None)
    assert seats_left(event, factories.stakeholder_type(event.consultation_id, "ngo")) is None


def test_rule_4_assistants_and_people_online_take_no_seat(app: Any) -> None:
    event = factories.make_event(capacity=1)
    online = factories.make_registration(event, attendance=Attendance.ONLINE)
    assistant = factories.make_registration(event, role=ParticipantRole.ASSISTANT)
    first, second = factories.make_registration(event), factories.make_registration(event)
    also_online = factories.make_registration(event, attendance=Attendance.ONLINE)
    assert states(online, assistant, first, second, also_online) == ["confirmed", "confirmed", "confirmed", "waiting", "confirmed"]


def test_rule_4_the_list_moves_up_past_somebody_whose_type_is_full(app: Any, sent: Any) -> None:
    event = factories.make_event(capacity=2)
    quota(event, "ngo", 1)
    ngo, other = factories.make_registration(event, kind="ngo"), factories.make_registration(event)
    ngo_waits, first, second = (factories.make_registration(event, kind=kind) for kind in ("ngo", "government", "government"))
    assert states(ngo_waits, first, second) == ["waiting"] * 3
    actions.cancel(other, by=BY)
    assert states(ngo_waits, first, second) == ["waiting", "confirmed", "waiting"]
    actions.cancel(ngo, by=BY)
    assert states(ngo_waits, first, second) == ["confirmed", "confirmed", "waiting"]
    told = [str(mail["To"]) for mail in sent() if "You have a seat" in str(mail["Subject"])]
    assert [address for address in told if first.email in address or ngo_waits.email in address] == told
    assert len(told) == 2


def test_rule_4_a_larger_hall_gives_as_many_seats_as_it_has_more(app: Any) -> None:
    event = factories.make_event(capacity=1)
    people = [factories.make_registration(event) for _n in range(4)]
    set_capacity(event, 3)
    events.event_changed.send(event, by=BY)
    assert states(*people) == ["confirmed", "confirmed", "confirmed", "waiting"]


def test_rule_6_a_waiting_delegate_who_sends_a_colleague_keeps_the_place_in_the_line(app: Any) -> None:
    event = factories.make_event(capacity=1)
    seated = factories.make_registration(event)
    first, second = factories.make_registration(event), factories.make_registration(event)
    details = actions.Details(
        name="A Colleague",
        email="colleague@example.org",
        institution="",
        stakeholder_type=first.stakeholder_type,
    )
    colleague = actions.replace(first, details, by=BY)
    assert states(first, second, colleague) == ["replaced", "waiting", "waiting"]
    actions.cancel(seated, by=BY)
    assert states(colleague, second) == ["confirmed", "waiting"]


def test_rule_6_who_is_restored_waits_at_the_end_of_the_line(app: Any) -> None:
    event = factories.make_event(capacity=1)
    first, second, third = (factories.make_registration(event) for _n in range(3))
    actions.cancel(first, by=BY)
    assert states(first, second, third) == ["cancelled", "confirmed", "waiting"]
    actions.restore(first, by=BY)
    actions.cancel(second, by=BY)
    assert states(first, third) == ["waiting", "confirmed"]


def test_rule_4_each_event_has_seats_quotas_and_a_waiting_list_of_its_own(app: Any) -> None:
    first = factories.make_event(capacity=2)
    kind = factories.stakeholder_type(first.consultation_id)
    quota(first, "government", 1)
    other = factories.make_event(first.consultation, capacity=1)
    here = [factories.make_registration(first) for _n in range(2)]
    there = [factories.make_registration(other) for _n in range(2)]
    assert states(*here, *there) == ["confirmed", "waiting", "confirmed", "waiting"]
    assert (seats_left(first, kind), seats_left(other, kind)) == (0, 0)
    assert factories.make_registration(first, kind="ngo").state.value == "confirmed"  # the hall has two, the type one
    quota(other, "government", 5)  # over the hall's capacity, and nobody's business here
    assert states(*here, *there) == ["confirmed", "waiting", "confirmed", "waiting"]
    actions.cancel(there[0], by=BY)
    assert states(*here, *there) == ["confirmed", "waiting", "cancelled", "confirmed"]
    third = factories.make_event(first.consultation)
    assert seats_left(third, kind) is None


def test_rule_4_more_seats_for_a_type_move_its_people_up_and_keep_the_target(app: Any, last_entry: Any) -> None:
    event = factories.make_event()
    kind = factories.stakeholder_type(event.consultation_id)
    put_quota(event, 1, 10, kind_id=kind.id, by=BY)
    people = [factories.make_registration(event) for _n in range(3)]
    assert states(*people) == ["confirmed", "waiting", "waiting"]
    quota(event, "government", 2)
    assert states(*people) == ["confirmed", "confirmed", "waiting"]
    (row,) = db.session.scalars(db.select(Quota).where(Quota.event_id == event.id))
    assert (row.seats, row.target) == (2, 10)
    before = last_entry("quota.set").number
    put_quota(event, 2, 10, kind_id=kind.id, by=BY)  # the same again: nothing happened, and nothing is recorded
    assert last_entry("quota.set").number == before
