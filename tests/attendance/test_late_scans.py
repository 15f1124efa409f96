"""Rule 8: what comes late stands at its time, the earliest counts, and the organiser sees both."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest

from consult_app.attendance import actions, devices
from consult_app.attendance.actions import Scan, Shown
from consult_app.attendance.models import CheckIn, Device, Movement, ScanResult
from consult_app.db import clock_at, db
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations.tickets import ticket_code
from tests import factories


@pytest.fixture
def event(app: Any) -> Event:
    return factories.make_event()


@pytest.fixture
def desks(event: Event) -> tuple[Device, Device]:
    first, second = (devices.create_token(event, name, by=factories.BY)[0] for name in ("Entrance left", "Entrance right"))
    return first, second


def at(event: Event, minutes: float) -> dt.datetime:
    return event.starts + dt.timedelta(minutes=minutes)


def scans(event: Event) -> list[tuple[ScanResult, bool, str]]:
    rows = db.session.scalars(db.select(CheckIn).where(CheckIn.event_id == event.id).order_by(CheckIn.id))
    return [(row.result, row.is_arrival, row.where) for row in rows]


def test_rule_8_two_desks_one_ticket_the_earliest_counts_and_both_are_shown(
    event: Event, desks: tuple[Device, Device], browse: Any, last_entry: Any, audit_ok: None
) -> None:
    person = factories.make_registration(event, name="Retno")
    with clock_at(at(event, 10)):
        assert actions.check_in(event, person, by=desks[1], nonce="n1").result is ScanResult.OK
    with clock_at(at(event, 30)):  # the other desk had no network, and was first
        late = actions.check_in(event, person, by=desks[0], nonce="n1", how=Scan(claimed_at=at(event, 0), clock_offset=0.0))
    assert (late.result, late.check_in and late.check_in.scanned_at) == (ScanResult.OK, at(event, 0))
    assert scans(event) == [(ScanResult.ALREADY, False, "Entrance right"), (ScanResult.OK, True, "Entrance left")]
    assert last_entry("checkin.supersede").actor == desks[0].actor_key
    page = browse(factories.make_user(Role.ORGANISER, event.consultation)).get(f"/events/{event.slug}/attendance").text
    assert "To look at" in page
    assert page.count("Entrance right") == 1
    assert page.count("Entrance left") == 2  # the arrival among the arrivals, and beside the scan that it supersedes


def test_rule_8_a_scan_of_somebody_cancelled_meanwhile_is_kept_and_does_not_count(
    event: Event, desks: tuple[Device, Device], browse: Any, audit_ok: None
) -> None:
    person = factories.make_registration(event, name="Wayan")
    factories.registrations.cancel(person, by=factories.BY)
    with clock_at(at(event, 30)):
        answer = actions.check_in(event, person, by=desks[0], nonce="n1", how=Scan(claimed_at=at(event, 0)))
    assert answer.result is ScanResult.CANCELLED
    assert scans(event) == [(ScanResult.CANCELLED, False, "Entrance left")]
    page = browse(factories.make_user(Role.ORGANISER, event.consultation)).get(f"/events/{event.slug}/attendance").text
    assert "Wayan" in page


def test_rule_8_a_clock_that_is_a_day_off_is_corrected_and_both_times_stay(event: Event, desks: tuple[Device, Device]) -> None:
    person, day = factories.make_registration(event), dt.timedelta(days=1)
    with clock_at(at(event, 30)):
        how = Scan(claimed_at=at(event, 0) - day, clock_offset=day.total_seconds())
        assert actions.check_in(event, person, by=desks[0], nonce="n1", how=how).result is ScanResult.OK
    row = db.session.scalars(db.select(CheckIn)).one()
    assert (row.scanned_at, row.claimed_at, row.created_at) == (at(event, 0), at(event, 0) - day, at(event, 30))
    assert row.clock_was_wrong


def test_rule_8_a_time_to_come_is_the_time_of_arrival(event: Event, desks: tuple[Device, Device]) -> None:
    person = factories.make_registration(event)
    with clock_at(at(event, 30)):
        actions.check_in(event, person, by=desks[0], nonce="n1", how=Scan(claimed_at=at(event, 3000)))
    assert db.session.scalars(db.select(CheckIn.scanned_at)).one() == at(event, 30)


def test_of_two_live_scans_the_one_that_reached_us_first_counts(event: Event, desks: tuple[Device, Device]) -> None:
    person = factories.make_registration(event)
    answers = []
    for desk, claimed in ((desks[0], 0.05), (desks[1], 0.0)):  # three seconds are what a slow request takes
        with clock_at(at(event, 0.06)):
            answers.append(actions.check_in(event, person, by=desk, nonce="n", how=Scan(claimed_at=at(event, claimed))).result)
    assert answers == [ScanResult.OK, ScanResult.ALREADY]


@pytest.mark.parametrize("seed", range(12))
def test_scans_made_together_count_as_those_made_one_after_another(app: Any, seed: int, audit_ok: None) -> None:
    """Two events alike get the same thirty scans of three people, late, live, in, out, repeated, by code and by name."""
    chosen = random.Random(seed)
    plan = [
        (
            chosen.randrange(3),
            chosen.choice(list(Movement)),
            chosen.choice([None, *range(0, 60, 7)]),
            f"n{chosen.randrange(20)}",
            chosen.random() < 0.3,
        )
        for _n in range(30)
    ]
    told: list[Any] = []
    for is_together in (False, True):
        event = factories.make_event()
        people = [factories.make_registration(event) for _n in range(3)]
        desk = devices.create_token(event, "Entrance", by=factories.BY)[0]
        shown = [
            Shown(
                event, desk, nonce,
                **({"guest": people[who].public_id} if by_name else {"code": ticket_code(people[who].seed)}),
                how=Scan(type=way, claimed_at=None if minutes is None else at(event, minutes)),
            )
            for who, way, minutes, nonce, by_name in plan
        ]  # fmt: skip
        with clock_at(at(event, 90)):
            answers = actions.scan_all(shown) if is_together else [actions.scan_all([one])[0] for one in shown]
        db.session.commit()
        rows = db.session.scalars(db.select(CheckIn).where(CheckIn.event_id == event.id).order_by(CheckIn.id)).all()
        numbers = {person.id: number for number, person in enumerate(people)}
        told.append(
            [
                [(answer.result, answer.check_in and answer.check_in.scanned_at - event.starts) for answer in answers],
                [
                    (numbers[r.registration_id], r.type, r.result, r.is_arrival, r.scanned_at - event.starts, r.nonce.split(":")[0])
                    for r in rows
                ],
            ]
        )
    assert told[0] == told[1]
    assert len({result for result, _at in told[0][0]}) > 1


@pytest.mark.usefixtures("audit_ok")
def test_a_device_dates_no_arrival_before_it_was_paired_or_outside_the_events_days(event: Event) -> None:
    with clock_at(at(event, 60)):
        desk = devices.create_token(event, "Bought at ten", by=factories.BY)[0]
    codes = [ticket_code(factories.make_registration(event).seed) for _n in range(2)]
    with clock_at(at(event, 90)):
        early = Scan(claimed_at=at(event, 0), clock_offset=0.0)
        (answer,) = actions.scan_all([Shown(event, desk, "n1", codes[0], "", early)])
        assert answer.check_in is not None
        assert answer.check_in.scanned_at == at(event, 60)
    with clock_at(at(event, 3 * 24 * 60)):
        later = Scan(claimed_at=at(event, 2 * 24 * 60), clock_offset=0.0)
        (answer,) = actions.scan_all([Shown(event, desk, "n2", codes[1], "", later)])
        assert answer.result is ScanResult.WRONG_DAY
    assert scans(event) == [(ScanResult.OK, True, "Bought at ten"), (ScanResult.WRONG_DAY, False, "Bought at ten")]
