"""The review desk by keyboard alone: five comments answered one after another, without a reload."""

from __future__ import annotations

import html
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Site
from tests.journeys.people import demo_accounts, enter_demo

pytestmark = pytest.mark.browser
DESK = "/consultations/mgi-indonesia-2023/comments"


def busiest(site: Site) -> tuple[int, int]:
    """The focal point of the demonstration with the most unanswered comments in one section that is not frozen: the place of the
    account on the sign-in page, and the section's number.
    """
    names = [html.unescape(name) for name in demo_accounts(site.url)]
    with site.database() as database:
        query = """SELECT users.name, sections.number FROM sections JOIN focal_points ON focal_points.section_id = sections.id
            JOIN users ON users.id = focal_points.user_id JOIN comments ON comments.section_id = sections.id
            JOIN consultations ON consultations.id = sections.consultation_id
            WHERE consultations.slug = 'mgi-indonesia-2023' AND sections.state NOT IN ('frozen', 'signed')
            AND comments.id NOT IN (SELECT comment_id FROM dispositions) AND comments.withdrawn_at IS NULL
            GROUP BY users.id, sections.id HAVING count(*) > 5 ORDER BY count(*) DESC, sections.number, users.id"""
        found = [(name, number) for name, number in database.execute(query) if name in names]
    assert found, "no focal point of the demonstration has six comments to answer"
    return names.index(found[0][0]), found[0][1]


def test_five_comments_are_answered_by_keyboard_alone(own_demo_site: Site, open_page: Any) -> None:
    site = own_demo_site
    place, section = busiest(site)
    page = open_page()
    enter_demo(page, site.url, place)
    page.goto(f"{site.url}{DESK}?section={section}&state=open#chosen")
    chosen = page.locator("#chosen-title")
    page.evaluate("window.isTheSamePage = true")
    expect(page.locator(".review-desk__detail")).to_be_focused()
    for turn in range(5):
        before = chosen.text_content()
        if turn % 2:
            page.keyboard.press("n")
            page.keyboard.type(f"Not so, {turn}: jkap <b>x</b>")
            page.keyboard.press("Control+Enter")
        else:
            page.keyboard.press("a")
            page.keyboard.press("Enter")
        expect(page.locator("#flashes")).to_contain_text(f"{(before or '').split()[1].rstrip(':')} telah dijawab.")  # they read Indonesian
        expect(chosen).not_to_have_text(before or "")
        expect(page.locator(".review-desk__detail")).to_be_focused()
        with site.database() as database:
            kind = database.execute("SELECT kind FROM dispositions ORDER BY id DESC LIMIT 1").fetchone()[0]
        assert kind == ("not_accepted" if turn % 2 else "accepted")
    assert page.evaluate("window.isTheSamePage")
    # an answer that lacks its reason is refused, and what was chosen stays
    page.keyboard.press("p")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#desk .error-summary")).to_be_visible()
    expect(page.locator('#desk [name=kind][value="accepted_in_part"]')).to_be_checked()
