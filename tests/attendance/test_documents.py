"""The attendance sheet and the participation table: every name, the same numbers, and nothing that rule 11 forbids."""

from __future__ import annotations

import io
import re
from typing import Any

import pypdf
import pytest
import python_calamine

from consult_app.attendance import actions
from consult_app.attendance.models import CheckIn
from consult_app.attendance.told import tell_arrivals
from consult_app.consultations.models import Attribution
from consult_app.db import clock_at, db
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations.models import Sex
from tests import factories

ARABIC, LONG = "محمد الفاتح", ("Raden Mas Panjang " * 11)[:190]


@pytest.fixture
def event(app: Any) -> Event:
    return factories.make_event(factories.make_consultation(attribution=Attribution.BY_STAKEHOLDER_TYPE))


def words(data: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def arrive(event: Event, number: int, **details: Any) -> None:
    for _n in range(number):
        person = factories.make_registration(event, **details)
        with clock_at(event.starts):
            answer = actions.check_in(event, person, by=factories.BY, nonce=person.public_id)
        assert answer.result is actions.ScanResult.OK


def test_the_sheet_has_every_name_and_the_public_copy_masks(event: Event, browse: Any) -> None:
    for n in range(40):
        factories.make_registration(event, name=f"Person-{n:02}", phone="+62 812-3456-7890" if n % 2 else "")
    factories.make_registration(event, name=ARABIC)
    factories.make_registration(event, name=LONG, institution="Institution " * 15, position="<b>not bold</b> & =1+1")
    url = f"/events/{event.slug}/attendance-sheet.pdf"
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    full, public = words(organiser.get(url).data), words(organiser.get(f"{url}?public=1").data)
    for text in (full, public):
        assert all(f"Person-{n:02}" in text for n in range(40))
        assert text.count("Panjang") == LONG.count("Panjang")
        assert "<b>not bold</b>" in text
        assert "42 registered for this day, 0 arrived" in text
    assert "3456-7890" in full.replace(" ", "")
    assert "3456" not in public
    assert not re.search(r"person\d+@", public)
    assert "masked" in public


def test_the_sheet_is_for_organisers_and_has_the_events_days(event: Event, browse: Any) -> None:
    url = f"/events/{event.slug}/attendance-sheet.pdf"
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    assert [organiser.get(f"{url}?day={day}").status_code for day in ("2001-01-01", "x")] == [404, 404]
    assert browse(factories.make_user(Role.CHECK_IN, event.consultation)).get(url).status_code == 403
    assert browse(factories.make_user(Role.OBSERVER, event.consultation)).get(f"{url}?public=1").status_code == 403
    event.state = "draft"
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).get(url).status_code == 404


def page_rows(page: str) -> list[list[str]]:
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", page, re.S)
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)] for row in rows]


def sheet_rows(data: bytes) -> list[list[str]]:
    book = python_calamine.load_workbook(io.BytesIO(data))
    rows = [row for number in (0, 1) for row in book.get_sheet_by_index(number).to_python()[1:]]
    return [[str(int(c)) if isinstance(c, float) else str(c) for c in row] for row in rows]


def test_rule_23_the_xlsx_says_what_the_page_says(event: Event, browse: Any) -> None:
    arrive(event, 4, kind="government")
    arrive(event, 2, kind="ngo", sex=Sex.MALE)
    factories.make_registration(event, kind="cso", sex=Sex.UNDISCLOSED)
    client = browse(factories.make_user(Role.ORGANISER, event.consultation))
    page = page_rows(client.get(f"/events/{event.slug}/attendance").text)
    sheet = sheet_rows(client.get(f"/events/{event.slug}/participation.xlsx").data)
    shown = [[cell.removesuffix(" %").replace("–", "") for cell in row] for row in page]
    assert [row[:7] for row in sheet] == shown
    assert [row[4] for row in sheet] == ["4", "2", "6", "4", "2", "1", "7"]  # rule 9: arrived, then registered


def test_rule_11_an_observer_sees_no_cell_of_one_or_two(event: Event, browse: Any) -> None:
    arrive(event, 5, kind="government")
    arrive(event, 4, kind="un")
    arrive(event, 1, kind="ngo")
    tell_arrivals()
    observer = browse(factories.make_user(Role.OBSERVER, event.consultation))
    page = page_rows(observer.get(f"/events/{event.slug}/attendance").text)
    sheet = sheet_rows(observer.get(f"/events/{event.slug}/participation.xlsx").data)
    # ten women: of one type one, so that no two types are told; of those who registered only how many they are
    assert [row[:5] for row in page] == [["Total", "10", "0", "0", "10"], ["Total", "–", "–", "–", "10"]]
    assert [row[:5] for row in sheet] == [row[:5] for row in page]
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    assert [row[4] for row in page_rows(organiser.get(f"/events/{event.slug}/attendance").text)[:4]] == ["5", "1", "4", "10"]


def test_rule_11_the_total_does_not_give_a_hidden_cell_away(event: Event, browse: Any) -> None:
    """One man among women who are otherwise told: the totals by sex would name his type."""
    arrive(event, 5, kind="government")
    arrive(event, 3, kind="un")
    arrive(event, 1, kind="un", sex=Sex.MALE)
    tell_arrivals()
    observer = browse(factories.make_user(Role.OBSERVER, event.consultation))
    total = page_rows(observer.get(f"/events/{event.slug}/attendance").text)[0]
    assert total[0] == "Total"
    assert total[1:5] == ["–", "–", "–", "9"]


def test_only_those_of_the_consultation_see_the_table(event: Event, browse: Any) -> None:
    url = f"/events/{event.slug}/attendance"
    assert browse(factories.make_registration(event)).get(url).status_code == 403
    assert browse(factories.make_user(Role.CHECK_IN, event.consultation)).get(url).status_code == 403
    event.state = "draft"
    assert browse(factories.make_user(Role.OBSERVER, factories.make_consultation())).get(url).status_code == 404


def test_a_drawn_signature_stands_on_the_sheet_and_says_that_it_is_uncertified(event: Event, browse: Any) -> None:
    url = f"/events/{event.slug}/attendance-sheet.pdf"
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    arrive(event, 1)
    before = words(organiser.get(url).data)
    arrival = db.session.scalars(db.select(CheckIn)).one()
    actions.sign_sheet(event, arrival, [[0, 0, 500, 400, 1000, 0], [500, 200]], by=factories.BY)
    db.session.commit()
    data = organiser.get(url).data
    assert "without a certificate" not in before
    assert "without a certificate" in words(data)
    drawn = pypdf.PdfReader(io.BytesIO(data)).pages[0].get_contents().get_data()
    wide = 30 * 72 / 25.4
    assert re.search(rf"{wide / 2:.1f}\d* 0 l {wide:.1f}\d* {wide * 0.4:.1f}".encode(), drawn)  # a V, the right way up
    assert "without a certificate" not in words(organiser.get(f"{url}?public=1").data)
