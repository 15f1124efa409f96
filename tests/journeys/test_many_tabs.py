"""Many tabs of one browser in a room: those that are hidden give their connection back; what is looked at stays lit."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Site
from tests.journeys.people import enter_demo

pytestmark = pytest.mark.browser

# A browser without a screen calls every tab visible, and lights none: both are played here, and what the page asks for is kept.
PLAYED = """
window.isHidden = false; window.asked = [];
Object.defineProperty(document, "hidden", { get: () => window.isHidden });
Object.defineProperty(navigator, "wakeLock", { value: { request: async (kind) => {
  const lock = new EventTarget();
  lock.release = async () => { window.asked.push("release"); lock.dispatchEvent(new Event("release")); };
  window.asked.push(kind); window.lock = lock;
  return lock;
} } });
"""


def turn(page: Page, hidden: bool) -> None:
    """Hide a tab, or show it again, as the browser does: a hidden page loses its light."""
    page.evaluate(
        "(hidden) => { window.isHidden = hidden; if (hidden) window.lock?.dispatchEvent(new Event('release'));"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_hidden_tabs_of_a_room_leave_the_site_its_connections_and_the_seen_one_stays_lit(own_demo_site: Site, open_page: Any) -> None:
    facilitator, phone = open_page(), open_page(width=390)
    facilitator.context.add_init_script(PLAYED)
    phone.context.add_init_script(PLAYED)
    enter_demo(facilitator, own_demo_site.url, 0)
    facilitator.goto(f"{own_demo_site.url}/events/national-validation-2023?lang=en")
    facilitator.locator(".agenda__item", has_text="Group 5").get_by_role("button", name="Run this session").click()
    facilitator.get_by_role("button", name="Start").click()
    room = facilitator.url.removesuffix("/console")
    enter_demo(phone, own_demo_site.url, -1)
    tabs = []
    for _n in range(8):  # a browser holds six connections to one site
        tab = phone.context.new_page()
        tab.goto(f"{room}?lang=en")
        expect(tab.locator("[data-line]")).to_contain_text("Live")
        turn(tab, hidden=True)
        tabs.append(tab)
    phone.goto(f"{room}?lang=en")
    first = phone.locator(".indicator__code").inner_text()
    facilitator.get_by_role("button", name="Next").click()
    expect(phone.locator(".indicator__code")).not_to_have_text(first)
    now = phone.locator(".indicator__code").inner_text()
    assert tabs[0].locator(".indicator__code").inner_text() == first  # hidden, it hears nothing
    turn(phone, hidden=True)
    turn(tabs[0], hidden=False)
    expect(tabs[0].locator(".indicator__code")).to_have_text(now)
    facilitator.get_by_role("button", name="Next").click()
    expect(tabs[0].locator(".indicator__code")).not_to_have_text(now)  # by its stream, which is open again

    # lit while the session runs and the page is seen
    assert phone.evaluate("window.asked") == ["screen"]
    assert tabs[0].evaluate("window.asked") == ["screen", "screen"]
    assert facilitator.evaluate("window.asked") == ["screen"]
    facilitator.get_by_role("button", name="End the session").click()
    facilitator.get_by_role("dialog").get_by_role("button").first.click()
    tabs[0].wait_for_function("() => window.asked.at(-1) === 'release'")
