"""From the desk's green answer to the guest's own phone: a join code that works once, and says so where there is no network."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Site
from tests.journeys.desks import desk_of

pytestmark = pytest.mark.browser


def test_a_guests_phone_joins_by_the_code_on_the_desk(shared_site: Site, open_page: Any) -> None:
    desk = desk_of(shared_site, 2)
    staff, guest, late = open_page(width=390), open_page(width=390), open_page(width=390)
    staff.goto(f"{desk.site.url}/desk#{desk.pairings[0]}")
    expect(staff.locator("#status")).to_contain_text("2 people known")
    code = staff.get_by_label("Code of the ticket")
    code.fill(desk.codes[0])
    code.press("Enter")
    staff.locator("#answer").get_by_role("button", name="Show join code").click()
    qr = staff.locator("#join-qr")
    expect(qr.locator("path")).to_have_count(2)
    expect(staff.locator("#join-words")).to_contain_text(desk.names[0])
    expect(staff.locator("#answer")).to_be_hidden()
    address = qr.get_attribute("data-address")
    assert address is not None
    guest.goto(address)
    expect(guest.locator(".ticket__name")).to_have_text(desk.names[0])
    assert guest.url == f"{desk.site.url}/my/registration"  # the secret left the address
    late.goto(address)
    expect(late.locator(".error-summary")).to_contain_text("it works once")
    assert desk.rows("SELECT count(*), count(used_at) FROM join_codes") == [(1, 1)]

    # without a network there is no code; the desk says so, and goes on
    staff.get_by_role("button", name="Done").click()
    staff.context.set_offline(True)
    code.fill(desk.codes[1])
    code.press("Enter")
    expect(staff.locator("#answer.scan-answer--ok")).to_be_visible()
    staff.locator("#answer").click()
    staff.locator("#join-last").click()
    expect(staff.locator("#join")).to_contain_text("A join code needs a network")
    staff.locator("#join").get_by_role("button", name="Done").click()
    expect(staff.locator("#join")).to_be_hidden()
