"""Rule 29: whoever reads every page, stream and file at every moment, and counts, works out no cell of one or two."""

from __future__ import annotations

import datetime as dt
import io
import json
import random
import re
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import lxml.html
import pytest
import python_calamine

from consult_app import audit
from consult_app.attendance.actions import check_in
from consult_app.attendance.told import tell_arrivals
from consult_app.comments.actions import take_position
from consult_app.comments.models import PositionValue
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Attribution, Consultation
from consult_app.db import clock_at, db
from consult_app.events.models import Event, Session
from consult_app.policy import Role
from consult_app.registrations.models import Sex
from consult_app.registrations.queries import stakeholder_types
from consult_app.reports import actions as reports
from consult_app.room import actions as rooms
from tests import factories
from tests.room.steps import now
from tests.small_cells import Cell, Sums, told_by_change, worked_out

KINDS = ("government", "ngo", "cso", "un", "private", "academia")
POSITIONS = ("Agree", "Agree with reservation", "Disagree", "Abstain")
OTHERS = "Other types together"


@pytest.fixture
def consultation(app: Any) -> Consultation:
    made = factories.make_consultation(attribution=Attribution.BY_STAKEHOLDER_TYPE)
    consultations.open_section(made.sections[0], by=factories.BY)
    db.session.commit()
    return made


@pytest.fixture
def event(consultation: Consultation) -> Event:
    return factories.make_event(consultation)


def names_of(consultation: Consultation) -> frozenset[str]:
    return frozenset(kind.name["en"] for kind in stakeholder_types(consultation.id))


@dataclass
class Notes:
    """All that somebody has read of one table: its rows at each moment, and how many there are."""

    rows: frozenset[str]
    columns: tuple[str, ...]
    moments: list[dict[frozenset[str], tuple[int, ...]]] = field(default_factory=list)

    def write(self, told: dict[str, tuple[int, ...]], people: int | None, everyone: tuple[int, ...] | None) -> None:
        """Of one moment: the rows by name, how many (None: fewer than three), and all by column. It must tell on nobody by itself."""
        alone = {frozenset([name]): counts for name, counts in told.items() if name != OTHERS}
        rest = self.rows - frozenset(name for one in alone for name in one)
        seen = dict(alone)
        if OTHERS in told:
            seen[rest] = told[OTHERS]
        if everyone is not None:
            seen[self.rows] = everyone
        cells: list[Cell] = [(row, column) for row in self.rows for column in self.columns]
        sums: Sums = [
            (frozenset((row, column) for row in rows), counts[n], counts[n])
            for rows, counts in seen.items()
            for n, column in enumerate(self.columns)
        ]
        if not seen:
            sums.append((frozenset(cells), 0, 2) if people is None else (frozenset(cells), people, people))
        assert worked_out(cells, sums) == []
        for rows, counts in seen.items():
            assert not any(0 < n < 3 for n in counts), (rows, counts)
        self.moments.append(seen)

    def compare(self) -> None:
        assert any(self.moments), "nothing was ever told"
        for first, second in combinations(self.moments, 2):
            assert told_by_change(first, second) == []


# -- what stands on a page --


def parts(of: Any, tag: str, kind: str = "") -> list[Any]:
    """The elements of a page with a tag and a class."""
    return [one for one in of.iter(tag) if not kind or kind in (one.get("class") or "").split()]


def cell_of(cell: Any) -> tuple[int, ...] | int | None:
    """Numbers by position, or how many, or nothing."""
    words = " ".join(cell.text_content().split())
    found = dict(
        re.findall(r"([A-Z][a-z ]+?) (\d+)(?=,|$)", " ".join(one.text_content() for one in parts(cell, "span", "visually-hidden")))
    )
    if found:
        return tuple(int(found.get(name, 0)) for name in POSITIONS)
    return int(words) if words.isdigit() else None


def heat_row(page: str, code: str) -> tuple[dict[str, Any], Any]:
    """Of the heat map, the cells of an indicator by the head of their column."""
    for table in parts(lxml.html.fromstring(page), "table", "heat__table"):
        heads = [one.text_content() for one in parts(parts(table, "thead")[0], "th")]
        for row in parts(parts(table, "tbody")[0], "tr"):
            if parts(row, "a")[0].text_content() == code:
                return {head: cell_of(cell) for head, cell in zip(heads[1:], parts(row, "td"), strict=True) if head != "Taken"}, row
    raise AssertionError(code)


def bars(fragment: str) -> dict[str, tuple[int, ...]]:
    """Of an indicator's page or a phone, the bars by name."""
    found = {}
    for bar in parts(lxml.html.fromstring(f"<div>{fragment}</div>"), "div", "positions-bar"):
        name = parts(bar, "p", "positions-bar__name")[0].text_content()
        found[name] = tuple(int(one.text_content()) for one in parts(bar, "strong"))
    return found


def read_positions(consultation: Consultation, reader: Any, notes: Notes) -> None:
    cells, _row = heat_row(reader.get(f"/consultations/{consultation.slug}/positions").text, "1.1")
    everyone = cells.pop("All")
    told = {name: counts for name, counts in cells.items() if isinstance(counts, tuple)}
    notes.write(told, everyone if isinstance(everyone, int) else None, everyone if isinstance(everyone, tuple) else None)
    on_page = bars(reader.get(f"/consultations/{consultation.slug}/indicators/1.1").text)
    assert on_page == ({"All": everyone, **told} if isinstance(everyone, tuple) else {})  # two pages, the same numbers
    assert reader.get(f"/consultations/{consultation.slug}/positions?by=institution").text.count('class="heat"') == 0
    data = json.loads(reports.draft(consultation, "json", "en"))["positions"][0]
    by_revision = [one["counts"] and tuple(one["counts"].values()) for one in data["by_revision"]]
    assert (data["counts"] and tuple(data["counts"].values())) == (everyone if isinstance(everyone, tuple) else None)
    if isinstance(everyone, tuple):
        assert tuple(map(sum, zip(*by_revision, strict=True))) == everyone
        assert not any(0 < n < 3 for counts in by_revision for n in counts)
    else:
        assert (by_revision, data["people"]) == ([None], everyone)


# how likely somebody agrees, has a reservation, disagrees, abstains
WEIGHTS = ((1, 0, 0, 0), (6, 0, 1, 0), (3, 1, 1, 0), (1, 1, 1, 0))


@pytest.mark.parametrize("seed", range(4))
def test_whoever_reads_after_every_position_finds_no_one_and_no_two(
    consultation: Consultation, event: Event, browse: Any, seed: int, audit_ok: None
) -> None:
    """People take positions one by one, change them, and the text is revised between; a participant and an observer read each time."""
    chance = random.Random(seed)
    readers = [browse(factories.make_registration(event)), browse(factories.make_user(Role.OBSERVER, consultation))]
    people = [factories.make_registration(event, kind=chance.choice(KINDS[:4])) for _n in range(30)]
    indicator, section = consultation.dimensions[0].indicators[0], consultation.sections[0]
    notes = [Notes(names_of(consultation), POSITIONS) for _reader in readers]
    for n in range(34):
        if n == 16:
            consultations.start_review(section, by=factories.BY)
            consultations.edit_section(section, {"narrative": {"en": "Another text."}}, section.edit_number, by=factories.BY)
            consultations.open_section(section, by=factories.BY)
            db.session.expire_all()
        who = people[n] if n < len(people) else chance.choice(people)
        value = chance.choices(list(PositionValue), WEIGHTS[seed])[0]
        take_position(indicator, who, value, "why", by=who)
        db.session.commit()
        for reader, written in zip(readers, notes, strict=True):
            read_positions(consultation, reader, written)
    for written in notes:
        written.compare()


def test_six_and_one_and_one_of_eight_are_told_as_eight(consultation: Consultation, event: Event, browse: Any) -> None:
    indicator = consultation.dimensions[0].indicators[0]
    for n, value in enumerate([PositionValue.DISAGREE, PositionValue.ABSTAIN] + [PositionValue.AGREE] * 6):
        who = factories.make_registration(event, kind=KINDS[n % 3])
        take_position(indicator, who, value, "why", by=who)
    db.session.commit()
    for reader in (browse(factories.make_registration(event)), browse(factories.make_user(Role.OBSERVER, consultation))):
        cells, _row = heat_row(reader.get(f"/consultations/{consultation.slug}/positions").text, "1.1")
        assert cells == {"All": 8}
        assert "8 people have taken a position" in reader.get(f"/consultations/{consultation.slug}/indicators/1.1").text
    organiser = browse(factories.make_user(Role.ORGANISER, consultation))
    assert bars(organiser.get(f"/consultations/{consultation.slug}/indicators/1.1").text)["All"] == (6, 0, 1, 1)


def test_the_first_three_do_not_stand_for_all(consultation: Consultation, event: Event, browse: Any) -> None:
    """Once most of those who answered are not broken down, only how many they are is told."""
    indicator = consultation.dimensions[0].indicators[0]
    values = [PositionValue.AGREE] * 3 + [PositionValue.DISAGREE, PositionValue.ABSTAIN, PositionValue.AGREE, PositionValue.DISAGREE]
    reader = browse(factories.make_registration(event))
    page = f"/consultations/{consultation.slug}/indicators/1.1"
    for number, value in enumerate(values, start=1):
        who = factories.make_registration(event)
        take_position(indicator, who, value, "why", by=who)
        db.session.commit()
        text = reader.get(page).text
        assert bars(text).get("All") == ((3, 0, 0, 0) if number in (3, 4, 5, 6) else None), number
    assert "7 people have taken a position" in text


def test_the_next_position_changes_only_how_many_there_are(consultation: Consultation, event: Event, browse: Any, audit_ok: None) -> None:
    indicator = consultation.dimensions[0].indicators[0]

    def take(number: int) -> None:
        for _n in range(number):
            who = factories.make_registration(event)
            take_position(indicator, who, PositionValue.AGREE, "", by=who)
        db.session.commit()

    reader = browse(factories.make_registration(event))
    page = f"/consultations/{consultation.slug}/indicators/1.1"
    take(2)
    assert "Fewer than three people have taken a position so far." in reader.get(page).text
    take(1)
    assert bars(reader.get(page).text)["All"] == (3, 0, 0, 0)
    take(2)
    text = reader.get(page).text
    assert bars(text)["All"] == (3, 0, 0, 0)
    assert "2 more since, not broken down yet, so that nobody can be singled out." in text
    take(1)
    assert bars(reader.get(page).text)["All"] == (6, 0, 0, 0)
    assert "more since" not in reader.get(page).text


def test_a_site_under_the_rule_since_yesterday_is_told_when_the_rule_comes(consultation: Consultation, event: Event, browse: Any) -> None:
    consultation.attribution = Attribution.BY_NAME
    audit.record(factories.BY, "consultation.change", consultation)
    indicator = consultation.dimensions[0].indicators[0]
    for _n in range(4):
        who = factories.make_registration(event)
        take_position(indicator, who, PositionValue.AGREE, "", by=who)
    db.session.commit()
    given = {name: getattr(consultation, name) for name in ("title", "level", "territory", "languages", "timezone")}
    consultations.change_consultation(consultation, by=factories.BY, attribution=Attribution.BY_STAKEHOLDER_TYPE, **given)
    db.session.commit()
    text = browse(factories.make_registration(event)).get(f"/consultations/{consultation.slug}/indicators/1.1").text
    assert bars(text)["All"] == (4, 0, 0, 0)


def test_phones_and_the_hall_tell_what_the_page_tells(consultation: Consultation, event: Event, browse: Any) -> None:
    indicator = consultation.dimensions[0].indicators[0]
    session = Session(
        consultation_id=event.consultation_id, event=event, title={"en": "Group"}, day=event.starts_on,
        starts_at=dt.time(10), ends_at=dt.time(12),
    )  # fmt: skip
    db.session.add(session)
    audit.record(factories.BY, "session.add", session)
    room = rooms.open_room(session, by=factories.BY)
    rooms.start(room, by=factories.BY)
    rooms.show(room, indicator, by=factories.BY)
    phone, organiser = browse(factories.make_registration(event)), browse(factories.make_user(Role.FACILITATOR, consultation))
    for number in (2, 1, 2, 1):
        for _n in range(number):
            who = factories.make_registration(event)
            take_position(indicator, who, PositionValue.AGREE, "", by=who)
        db.session.commit()
        page = bars(phone.get(f"/consultations/{consultation.slug}/indicators/1.1").text)
        assert bars(now(phone, room)["html"]) == page
        hall = re.findall(r"<strong>(\d+)</strong>", now(organiser, room, "hall")["html"])
        assert [int(one) for one in hall] == list(page.get("All", ()))


# -- who came --


def participation_rows(page: str, place: int) -> dict[str, tuple[int | None, ...]]:
    table = parts(lxml.html.fromstring(page), "table", "participation")[place]
    found = {}
    for row in parts(table, "tr")[1:]:
        words = [" ".join(one.text_content().split()) for one in parts(row, "td")]
        found[parts(row, "th")[0].text_content()] = tuple(int(one) if one.isdigit() else None for one in words[:4])
    return found


@pytest.mark.parametrize("seed", range(4))
def test_whoever_reads_every_minute_who_came_finds_no_one_and_no_two(
    consultation: Consultation, event: Event, browse: Any, seed: int, audit_ok: None
) -> None:
    """People register and arrive; an observer reads Attendance, its spreadsheet and Balance each minute."""
    chance = random.Random(seed)
    observer = browse(factories.make_user(Role.OBSERVER, consultation))
    notes = Notes(names_of(consultation), ("women", "men", "other"))
    for n in range(40):
        person = factories.make_registration(
            event, kind=chance.choice(KINDS[:3]), sex=chance.choice([Sex.FEMALE, Sex.MALE, Sex.MALE]), institution=f"Office {n % 9}"
        )
        if chance.random() < 0.8:
            with clock_at(event.starts):
                check_in(event, person, by=factories.BY, nonce=f"n{n}")
        db.session.commit()
        if n % 2:
            with clock_at(event.starts):
                tell_arrivals()
        page = observer.get(f"/events/{event.slug}/attendance").text
        arrived, registered = participation_rows(page, 0), participation_rows(page, 1)
        total = arrived.pop("Total")
        left = arrived.pop("Not broken down", (None, None, None, 0))
        told: dict[str, Any] = {name: counts[:3] for name, counts in arrived.items()}
        everyone: Any = total[:3] if total[0] is not None else None
        notes.write(told, None if (total[3] or 0) < 3 else total[3], everyone)
        assert set(registered) == {"Total"}
        assert registered["Total"][:3] == (None, None, None)
        if told:
            assert sum(map(sum, told.values())) + (left[3] or 0) == total[3]
        book = python_calamine.load_workbook(io.BytesIO(observer.get(f"/events/{event.slug}/participation.xlsx").data))
        lines = book.get_sheet_by_index(0).to_python()[1:]
        sheet = {row[0]: tuple(int(n) if isinstance(n, float) else None for n in row[1:5]) for row in lines}
        assert {name: sheet[name] for name in arrived} == arrived
        balance = lxml.html.fromstring(observer.get(f"/events/{event.slug}/registrations/balance").text)
        cells = [parts(row, "td")[0].text_content() for row in parts(balance, "tr")[1:-1]]
        assert set(cells) == {"–"}
    notes.compare()
