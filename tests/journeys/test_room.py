"""A session with a facilitator, a phone and the screen in the hall, each in a browser of its own."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from typing import Any

import pytest
from playwright.sync_api import Error, expect

from tests.journeys.conftest import Site, serve, wait_for
from tests.journeys.people import enter_demo

pytestmark = pytest.mark.browser


def comments(site: Site, words: str) -> int:
    with contextlib.closing(sqlite3.connect(site.var / "consult.db")) as database:
        return int(database.execute("SELECT count(*) FROM comments WHERE text = ?", (words,)).fetchone()[0])


def test_phone_and_screen_follow_and_a_comment_made_without_a_network_stands_once(own_demo_site: Site, open_page: Any) -> None:
    site = own_demo_site
    facilitator, phone, screen = open_page(), open_page(width=390), open_page(width=1600)
    enter_demo(facilitator, site.url, 5)
    facilitator.goto(f"{site.url}/events/national-validation-2023?lang=en")
    group = facilitator.locator(".agenda__item", has_text="Group 5")
    group.get_by_role("button", name="Run this session").click()
    facilitator.get_by_role("button", name="Start").click()
    room = facilitator.url.removesuffix("/console")
    code = facilitator.locator(".indicator__code").inner_text()
    enter_demo(phone, site.url, -1)
    phone.goto(f"{room}?lang=en")
    enter_demo(screen, site.url, 0)
    screen.goto(f"{room}/screen")
    expect(phone.locator(".indicator__code")).to_have_text(code)
    expect(phone.locator("[data-line]")).to_have_text("Live")
    expect(screen.locator(".hall__code")).to_contain_text(code)

    # everybody moves on, without touching anything
    facilitator.get_by_role("button", name="Next").click()
    expect(phone.locator(".indicator__code")).not_to_have_text(code)
    second = phone.locator(".indicator__code").inner_text()
    expect(screen.locator(".hall__code")).to_contain_text(second)
    expect(phone.get_by_role("heading", name=f"Your comment on {second}")).to_be_visible()

    # in the middle of a comment: the network goes, the page is reloaded, the network returns
    text = phone.get_by_label("Your comment", exact=True)
    text.fill("Written without a network <img src=x>")
    phone.reload()
    expect(text).to_have_value("Written without a network <img src=x>")  # half-typed, it survives
    phone.context.set_offline(True)
    phone.get_by_role("button", name="Send").click()
    expect(phone.locator("[data-sent]")).to_contain_text("Kept here, not sent yet")
    with contextlib.suppress(Error):
        phone.reload()
    phone.context.set_offline(False)
    phone.goto(room)
    expect(phone.locator("[data-sent]")).to_contain_text("Received as number")
    assert comments(site, "Written without a network <img src=x>") == 1
    expect(screen.locator(".hall__comment")).to_contain_text(["Written without a network <img src=x>"])

    # what is half typed is never taken away, and belongs to what it was written on
    text.fill("Half typed")
    facilitator.get_by_role("button", name="Next").click()
    expect(phone.locator(".indicator__code")).not_to_have_text(second)
    expect(text).to_have_value("Half typed")
    expect(phone.locator("[data-moved]")).to_contain_text(f"still belongs to {second}")
    phone.get_by_role("button", name="Send").click()
    expect(phone.locator("[data-sent] li").first).to_contain_text("Received")
    expect(phone.locator("[data-sent] li").first).to_contain_text(f"{second}: Half typed")

    # the facilitator goes back with the keys of the projector, and puts the comment on it
    screen.keyboard.press("ArrowLeft")
    expect(screen.locator(".hall__code")).to_contain_text(second)
    expect(facilitator.locator(".indicator__code")).to_have_text(second)
    facilitator.locator(".comment", has_text="Half typed").get_by_role("button", name="Show on the screen").click()
    expect(screen.locator(".hall__pinned")).to_contain_text("Half typed")
    # the phone looks around, and comes back to what it had begun to write
    text.fill("Begun on the second")
    phone.get_by_role("button", name="Next indicator").click()
    expect(phone.locator("[data-browsing]")).to_contain_text(f"The room is at {second}.")
    expect(text).to_have_value("Begun on the second")
    phone.get_by_role("button", name="Follow again").click()
    expect(phone.locator(".indicator__code")).to_have_text(second)
    expect(phone.locator("[data-moved]")).to_be_hidden()
    phone.get_by_text("Draft text of the section").click()
    expect(phone.locator("[data-section-text]")).to_contain_text("Recommendations")

    # moderated, it waits; nothing half typed on the console is lost meanwhile
    notes = facilitator.get_by_label("What this group tells the plenary")
    notes.fill("Half a sentence for the plenary")
    facilitator.get_by_role("button", name="Moderate comments").click()
    expect(facilitator.get_by_role("heading", name="Waiting to be shown")).to_be_visible()
    phone.get_by_role("button", name="Send").click()
    expect(phone.locator("[data-sent] li").first).to_contain_text("It waits for the facilitator")
    waits = facilitator.locator(".comment--waits", has_text="Begun on the second")
    expect(waits).to_be_visible()
    expect(phone.locator("[data-room-now]")).not_to_contain_text("Begun on the second")
    waits.get_by_role("button", name="Show to all").click()
    expect(phone.locator("[data-room-now]")).to_contain_text("Begun on the second")
    expect(phone.locator("[data-sent] li").first).not_to_contain_text("waits")

    # a hand from the floor, one tap to the record
    phone.get_by_role("button", name="Raise hand").click()
    expect(phone.locator("[data-place]")).to_contain_text("number 1 in line")
    expect(screen.locator(".hall__hands")).to_contain_text("1 hand")
    hand = facilitator.locator(".room__hand")
    hand.get_by_role("link", name="Record").click()
    expect(facilitator.get_by_label("What was said")).to_be_focused()
    expect(facilitator.get_by_label("Who spoke").locator("option:checked")).to_contain_text(hand.locator("strong").inner_text())
    facilitator.get_by_label("What was said").fill("Spoken from the floor")
    facilitator.locator("[data-record]").get_by_role("button", name="Record").click()
    expect(phone.locator("[data-room-now]")).to_contain_text("Spoken from the floor")
    hand.get_by_role("button", name="Has spoken").click()
    expect(phone.get_by_role("button", name="Raise hand")).to_be_visible()
    expect(notes).to_have_value("Half a sentence for the plenary")

    # paused by the projector's key, ended from the console
    screen.keyboard.press("p")
    expect(phone.locator(".room__state")).to_contain_text("Paused")
    facilitator.get_by_role("button", name="Close comments").click()
    expect(phone.get_by_label("Your comment", exact=True)).to_be_hidden()
    phone.get_by_text("Agree", exact=True).click()
    phone.get_by_role("button", name="Keep my position").click()
    expect(phone.locator("[data-sent] li").first).to_contain_text("Your position is received")
    expect(phone.locator("[data-position-held]")).to_contain_text("Agree")
    facilitator.get_by_role("button", name="End the session").click()
    facilitator.get_by_role("button", name="Yes, go on").click()
    expect(phone.locator("[data-room-now]")).to_contain_text("This session is closed")
    expect(notes).to_have_value("Half a sentence for the plenary")


def test_phones_follow_without_a_stream_by_another_process_and_when_they_were_signed_out(own_demo_site: Site, open_page: Any) -> None:
    site = own_demo_site
    facilitator, phone, elsewhere = open_page(), open_page(width=390), open_page(width=390)
    enter_demo(facilitator, site.url, 0)
    facilitator.goto(f"{site.url}/events/national-validation-2023?lang=en")
    facilitator.locator(".agenda__item", has_text="Group 5").get_by_role("button", name="Run this session").click()
    facilitator.get_by_role("button", name="Start").click()
    room = facilitator.url.removesuffix("/console")
    enter_demo(phone, site.url, -1)
    phone.route("**/stream?*", lambda route: route.abort())
    phone.goto(f"{room}?lang=en")
    code = phone.locator(".indicator__code").inner_text()
    facilitator.get_by_role("button", name="Next").click()
    expect(phone.locator(".indicator__code")).not_to_have_text(code)
    wait_for(lambda: phone.locator("[data-line]").inner_text() == "Live")

    with serve(site.var, demo=True) as other:  # a second process on the same database
        enter_demo(elsewhere, other.url, -1)
        elsewhere.goto(f"{room.replace(site.url, other.url)}?lang=en")
        shown = elsewhere.locator(".indicator__code").inner_text()
        facilitator.get_by_role("button", name="Next").click()
        expect(elsewhere.locator(".indicator__code")).not_to_have_text(shown)
        elsewhere.close()

    cookies = phone.context.cookies()
    phone.context.clear_cookies()
    phone.get_by_label("Your comment", exact=True).fill("Said while signed out")
    phone.get_by_role("button", name="Send").click()
    expect(phone.locator("[data-sent]")).to_contain_text("Open your personal link again")
    assert comments(site, "Said while signed out") == 0
    phone.context.add_cookies(cookies)
    # somebody else opens their link on the same phone: what waits there is not theirs, and is not sent as theirs
    phone.route(f"{room}*", lambda route: route.fulfill(body=re.sub(r'data-who="\w+"', 'data-who="another"', route.fetch().text())))
    phone.goto(room)
    expect(phone.locator("[data-line]")).not_to_be_empty()
    expect(phone.locator("[data-sent-section]")).to_be_hidden()
    assert comments(site, "Said while signed out") == 0
    phone.unroute(f"{room}*")
    phone.goto(room)
    expect(phone.locator("[data-sent]")).to_contain_text("Received as number")
    assert comments(site, "Said while signed out") == 1
