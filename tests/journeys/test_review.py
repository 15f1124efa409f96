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
    page.goto(f"{site.url}{DESK}?section={section}&state=open")  # nobody clicked into it: the keys work at once
    chosen = page.locator("#chosen-title")
    page.evaluate("window.isTheSamePage = true")
    for turn in range(5):
        before = chosen.text_content()
        if turn % 2:
            page.keyboard.press("n")
            page.keyboard.type(f"Not so, {turn}: jkap <b>x</b>")
            page.keyboard.press("Control+Enter")
        else:
            page.keyboard.press("a")
            page.keyboard.press("Enter")
        number = (before or "").split()[1].rstrip(":")  # they read Indonesian
        expect(page.locator("#done")).to_contain_text(f"Masukan {number}: {'Tidak diterima' if turn % 2 else 'Diterima'}")
        expect(chosen).not_to_have_text(before or "")
        expect(page.locator(".review-desk__detail")).to_be_focused()
        with site.database() as database:
            newest = "SELECT d.kind, c.number FROM dispositions d JOIN comments c ON c.id = d.comment_id ORDER BY d.id DESC LIMIT 1"
            kind, answered = database.execute(newest).fetchone()
        assert (kind, str(answered)) == ("not_accepted" if turn % 2 else "accepted", number)  # of the comment that was shown
    assert page.evaluate("window.isTheSamePage")
    # the way back from the last decision
    page.locator("#done").get_by_role("button").click()
    expect(page.locator("#flashes")).to_contain_text(f"Jawaban atas masukan {number} dibatalkan.")
    with site.database() as database:
        assert database.execute("SELECT count(*) FROM dispositions WHERE taken_back_at IS NOT NULL").fetchone()[0] == 1
    # an answer that lacks its reason is refused, and what was chosen stays
    page.keyboard.press("p")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#desk .error-summary")).to_be_visible()
    expect(page.locator('#desk [name=kind][value="accepted_in_part"]')).to_be_checked()
    # a key that is pressed while another comment is on its way decides nothing
    page.goto(f"{site.url}{DESK}?section={section}&state=open")
    page.keyboard.press("j")
    page.keyboard.press("n")
    page.wait_for_url("**comment=*")
    expect(page.locator("#desk [name=kind]:checked")).to_have_count(0)
