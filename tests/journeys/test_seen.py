"""In the room and on the review desk: what is pressed belongs to what is looked at."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Site
from tests.journeys.people import enter_demo

pytestmark = pytest.mark.browser


def rows(site: Site, statement: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(site.var / "consult.db")) as database:
        return database.execute(statement).fetchall()


def test_in_the_room_a_position_and_an_emptied_box_belong_to_what_is_shown(own_demo_site: Site, open_page: Any) -> None:
    site = own_demo_site
    facilitator, phone = open_page(), open_page(width=390)
    enter_demo(facilitator, site.url, 0)
    facilitator.goto(f"{site.url}/events/national-validation-2023?lang=en")
    facilitator.locator(".agenda__item", has_text="Group 5").get_by_role("button", name="Run this session").click()
    facilitator.get_by_role("button", name="Start").click()
    room = facilitator.url.removesuffix("/console")
    enter_demo(phone, site.url, -1)
    phone.goto(f"{room}?lang=en")
    code = phone.locator(".indicator__code")
    first = code.inner_text()
    text = phone.get_by_label("Your comment", exact=True)
    text.fill("abc")
    phone.get_by_text("Disagree", exact=True).click()
    reason = phone.get_by_label("Why")
    reason.fill("Because of the first")
    facilitator.get_by_role("button", name="Next").click()
    expect(code).not_to_have_text(first)
    second = code.inner_text()

    # what is typed stays with the first; the position is of the second, and its reason waits with the first
    expect(text).to_have_value("abc")
    expect(phone.get_by_role("group", name=f"What do you hold of {second}?")).to_be_visible()
    expect(phone.locator("[data-reason-kept]")).to_contain_text(first)
    expect(phone.get_by_role("button", name=f"Write about {second} instead")).to_be_visible()
    phone.get_by_text("Disagree", exact=True).click()
    expect(reason).to_have_value("")
    reason.fill("Because of the second")
    phone.get_by_role("button", name="Keep my position").click()
    expect(phone.locator("[data-sent] li").first).to_contain_text(f"{second}: Disagree")
    expect(phone.locator("[data-sent] li").first).to_contain_text("Your position is received")
    taken = "SELECT i.code, p.value FROM positions p JOIN indicators i ON i.id = p.indicator_id WHERE p.reason = '{}'"
    assert rows(site, taken.format("Because of the second")) == [(second, "disagree")]

    # emptied by hand, the box goes along
    text.fill("")
    expect(phone.get_by_role("heading", name=f"Your comment on {second}")).to_be_visible()
    text.fill("Of the second one")
    phone.get_by_role("button", name="Send").click()
    expect(phone.locator("[data-sent] li").first).to_contain_text(f"{second}: Of the second one")
    expect(phone.locator("[data-sent] li").first).to_contain_text("Received as number")

    # back on the first, its reason stands there again
    facilitator.locator(f'[id="do-previous-{second}"]').click()
    expect(code).to_have_text(first)
    expect(reason).to_have_value("Because of the first")

    # the text is changed while somebody writes: they stay with what they read, and are told so
    text.fill("Begun on the text that I read")
    rapporteur = open_page()
    enter_demo(rapporteur, site.url, 0)
    rapporteur.goto(f"{site.url}/consultations/mgi-indonesia-2023/indicators/{first}/edit?lang=en")
    rapporteur.get_by_label("In English").first.fill("Another finding altogether.")
    rapporteur.get_by_role("button", name="Save").first.click()
    rapporteur.goto(f"{site.url}/consultations/mgi-indonesia-2023/sections/5?lang=en")
    rapporteur.get_by_text("Changed since revision").first.click()
    rapporteur.get_by_role("button", name="Make a revision of this text").click()
    expect(phone.locator("#room-finding")).to_contain_text("Another finding altogether.")
    expect(phone.locator("[data-room-comment] [data-earlier]")).to_contain_text("You began this on an earlier text")
    phone.get_by_role("button", name="Send").click()
    expect(phone.locator("[data-sent] li").first).to_contain_text("It stands with the text that you read, which has changed since.")
    filed = (
        "SELECT r.number < s.revision_number FROM comments c"
        " JOIN revisions r ON r.id = c.revision_id JOIN sections s ON s.id = c.section_id"
    )
    assert rows(site, f"{filed} WHERE c.text = 'Begun on the text that I read'") == [(1,)]
