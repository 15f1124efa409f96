"""The counter of arrivals: who came, who is in the room, who is missing; and the hall's screen, which names nobody (rule 11)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from consult_app.attendance import actions, live
from consult_app.attendance.actions import Scan
from consult_app.attendance.models import Movement
from consult_app.db import clock_at, db
from consult_app.events.models import Event, Session
from consult_app.policy import Role
from consult_app.registrations.models import Attendance, Registration, Sex
from tests import factories


def move(event: Event, person: Registration, at: dt.datetime, nonce: str, **how: Any) -> None:
    with clock_at(at):
        actions.check_in(event, person, by=factories.BY, nonce=nonce, how=Scan(**how))


def session_of(event: Event) -> Session:
    made = Session(
        consultation_id=event.consultation_id, event=event, title={"en": "Group one", "id": "Kelompok satu"}, day=event.starts_on,
        starts_at=dt.time(10), ends_at=dt.time(12),
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    return made


def test_who_came_who_left_and_who_is_missing(event: Event) -> None:
    start = dt.datetime.combine(event.starts_on, dt.time(8), dt.timezone(dt.timedelta(hours=7)))
    people = [factories.make_registration(event, name=f"Guest {n}") for n in range(7)]
    other_day = factories.make_registration(event, name="Only tomorrow", days=[event.ends_on.isoformat()])
    minute = dt.timedelta(minutes=1)
    for n, person in enumerate(people[:4]):
        move(event, person, start + n * minute, f"in-{n}")
    move(event, people[4], start + 3 * minute, "online", mode=Attendance.ONLINE)
    move(event, people[0], start + 20 * minute, "out", type=Movement.EXIT)
    move(event, people[1], start + 21 * minute, "out-1", type=Movement.EXIT)
    move(event, people[1], start + 30 * minute, "back-1")  # a re-entry is no second arrival
    place = live.place_of(event, event.starts_on.isoformat())
    with clock_at(start + 7 * minute + dt.timedelta(seconds=30)):
        found = live.count(place)
    assert (found.expected, found.arrived, found.missing, found.inside, found.online, found.recent) == (7, 5, 2, 3, 1, 2)
    assert found.pace is not None
    assert (found.pace.first, found.pace.step, found.pace.counts, found.pace.most) == (start, 1, [1, 1, 1, 2], 2)
    assert found.pace.busiest == start + 3 * minute
    assert [p.name for p in db.session.scalars(live.people(place, "missing"))] == ["Guest 5", "Guest 6"]
    assert [p.name for p in db.session.scalars(live.people(place, "inside"))] == ["Guest 1", "Guest 2", "Guest 3", "Guest 4"]
    assert found.by_type.total.total == 5
    assert live.count(live.place_of(event, event.ends_on.isoformat())).expected == 8
    assert other_day.name not in {p.name for p in db.session.scalars(live.people(place, "missing"))}


def test_a_session_is_a_list_of_its_own_and_an_undone_entry_is_none(event: Event, browse: Any) -> None:
    session = session_of(event)
    start = dt.datetime.combine(event.starts_on, dt.time(10), dt.timezone(dt.timedelta(hours=7)))
    people = [factories.make_registration(event, name=f"Guest {n}") for n in range(3)]
    for n, person in enumerate(people):
        move(event, person, start, f"day-{n}")
    move(event, people[0], start, "s-0", session=session)
    move(event, people[1], start, "s-1", session=session)
    undone = db.session.scalars(db.select(actions.CheckIn).where(actions.CheckIn.session_id == session.id)).all()[1]
    actions.undo(undone, "wrong room", by=factories.BY)
    db.session.commit()
    place = live.place_of(event, session.public_id)
    assert (live.count(place).arrived, live.count(place).inside, live.count(place).missing) == (1, 1, 2)
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    page = organiser.get(f"/events/{event.slug}/arrivals?list={session.public_id}").text
    assert "Group one" in page
    assert "Guest 1" in page
    assert "Guest 0" not in page
    assert "Guest 0" in organiser.get(f"/events/{event.slug}/arrivals?list={session.public_id}&who=inside").text
    assert organiser.get(f"/events/{event.slug}/arrivals?list=<img>").status_code == 404


def test_a_long_day_is_counted_in_longer_steps(event: Event) -> None:
    start = dt.datetime.combine(event.starts_on, dt.time(8), dt.timezone(dt.timedelta(hours=7)))
    for n, minutes in enumerate((0, 4, 5, 299)):
        move(event, factories.make_registration(event, name=f"Guest {n}"), start + dt.timedelta(minutes=minutes), f"n{n}")
    pace = live.count(live.place_of(event, event.starts_on.isoformat())).pace
    assert pace is not None
    assert (pace.step, len(pace.counts), pace.counts[0], pace.counts[1], pace.counts[-1]) == (5, 60, 2, 1, 1)


def test_the_hall_reads_no_name_and_no_small_cell_in_both_languages(event: Event, browse: Any) -> None:
    for n in range(5):
        person = factories.make_registration(event, name=f"Secret Name{n}", sex=Sex.FEMALE if n < 2 else Sex.MALE)
        actions.check_in(event, person, by=factories.BY, nonce=f"n{n}")
    db.session.commit()
    observer = browse(factories.make_user(Role.OBSERVER, event.consultation))
    page = observer.get(f"/events/{event.slug}/arrivals/screen")
    assert page.status_code == 200
    assert "Secret" not in page.text
    assert 'lang="en"' in page.text
    assert re.search(r'lang="id"[^>]*>hadir<', page.text)
    table = page.text[page.text.index('class="hall__figures"') :]
    assert ">2<" not in table  # two women
    assert ">3<" not in table  # the men, from whom they could be worked out
    assert "<html" not in observer.get(f"/events/{event.slug}/arrivals/screen", headers={"HX-Request": "true"}).text


def test_who_may_see_the_counter(event: Event, browse: Any) -> None:
    here = f"/events/{event.slug}/arrivals"
    answers = {
        role: tuple(browse(factories.make_user(role, event.consultation)).get(path).status_code for path in (here, f"{here}/screen"))
        for role in (Role.ORGANISER, Role.CHECK_IN, Role.OBSERVER, Role.FOCAL_POINT)
    }
    assert answers == {
        Role.ORGANISER: (200, 200), Role.CHECK_IN: (200, 403), Role.OBSERVER: (403, 200), Role.FOCAL_POINT: (403, 200),
    }  # fmt: skip
    stranger = browse(factories.make_user(Role.ORGANISER, factories.make_consultation()))
    assert {stranger.get(here).status_code, stranger.get(f"{here}/screen").status_code} <= {403, 404}


def test_the_counter_asks_as_often_for_ten_as_for_a_hundred(event: Event, browse: Any, count_queries: Any) -> None:
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    numbers = []
    for n in range(0, 60, 30):
        for m in range(n, n + 30):
            actions.check_in(event, factories.make_registration(event, name=f"Guest {m}"), by=factories.BY, nonce=f"n{m}")
        db.session.commit()
        with count_queries() as made:
            assert organiser.get(f"/events/{event.slug}/arrivals", headers={"HX-Request": "true"}).status_code == 200
        numbers.append(len(made))
    assert numbers[0] == numbers[1] <= 15


def test_whoever_takes_part_online_says_so_once(event: Event, browse: Any, last_entry: Any, audit_ok: None) -> None:
    person = factories.make_registration(event, attendance=Attendance.ONLINE)
    phone = browse(person)
    assert "I am here" in phone.get("/my/registration").text
    for _n in range(2):  # the double click
        assert phone.post("/my/registration/here").status_code == 303
    page = phone.get("/my/registration").text
    assert "I am here" not in page
    assert "Checked in" in page
    (row,) = db.session.scalars(db.select(actions.CheckIn))
    assert (row.mode, row.is_arrival, last_entry("checkin.scan").actor) == (Attendance.ONLINE, True, person.actor_key)
    in_person = browse(factories.make_registration(event))
    assert "I am here" not in in_person.get("/my/registration").text
    assert in_person.post("/my/registration/here").status_code == 409
    assert browse(factories.make_user(Role.ORGANISER, event.consultation)).post("/my/registration/here").status_code in {403, 404}
    later = factories.make_event(
        event.consultation, starts_on=event.ends_on + dt.timedelta(days=9), ends_on=event.ends_on + dt.timedelta(days=9)
    )
    too_early = browse(factories.make_registration(later, attendance=Attendance.ONLINE))
    assert "I am here" not in too_early.get("/my/registration").text
    assert too_early.post("/my/registration/here").status_code == 409
