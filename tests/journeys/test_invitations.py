"""From a spreadsheet of invitations to printed badges, in a browser, as an organiser with three days does it."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Site, wait_for
from tests.journeys.test_whole_chain import mail_to

pytestmark = pytest.mark.browser
LIST = Path(__file__).parent.parent / "data" / "invitations_central_java.csv"


def new_event(page: Page, site: Site) -> str:
    """An event made from the template of the demonstration's, two weeks from now; returns its address."""
    page.goto(f"{site.url}/events/local-validation-2023")
    page.get_by_role("link", name="Use as template").click()
    page.locator("#title-en").fill("Second validation")
    day = (dt.datetime.now(dt.UTC) + dt.timedelta(days=14)).date().isoformat()
    page.locator("#starts_on").fill(day)
    page.locator("#ends_on").fill(day)
    page.locator("#capacity").fill("120")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", name="Second validation")).to_be_visible()
    return page.url


def import_and_send(page: Page) -> int:
    """Upload, look, save, send by mail; returns how many mails were promised."""
    page.get_by_role("link", name="Invitations", exact=True).click()
    page.get_by_role("link", name="Import a list").first.click()
    page.locator("input[type=file]").set_input_files(LIST)
    page.locator("main form button[type=submit]").first.click()
    save = page.get_by_role("button", name=re.compile(r"Save \d+ invitations"))
    expect(save).to_be_visible()
    save.click()
    page.get_by_role("link", name="Send invitations").click()
    button = page.get_by_role("button", name=re.compile(r"Send \d+ mails now"))
    number = int(re.findall(r"\d+", button.inner_text())[0])
    button.click()
    page.get_by_role("button", name="Yes, go on").click()
    expect(page.get_by_text(re.compile("on their way"))).to_be_visible()
    return number


def addresses(site: Site) -> list[str]:
    with site.database() as database:
        rows = database.execute("SELECT email FROM event_invitations WHERE kind = 'person' AND email <> '' ORDER BY id")
        return [row[0] for row in rows]


def open_invitation(open_page: Any, site: Site, address: str) -> Page:
    link = re.search(r"http\S+/invitation#\S+", mail_to(site, address))
    assert link is not None
    phone: Page = open_page(390)
    phone.goto(link[0])
    expect(phone.get_by_text("you are invited").or_(phone.get_by_text("Anda diundang")).first).to_be_visible()
    return phone


def accept(phone: Page) -> None:
    phone.locator("input[name=sex][value=female]").check()
    phone.locator("#taking_part").check()
    phone.locator("form[data-draft] button[type=submit]").click()
    expect(phone.locator("svg.ticket__qr")).to_be_visible()


def test_from_a_spreadsheet_to_badges_that_scan(demo_site: Site, open_page: Any, tmp_path: Path) -> None:
    page = open_page(1280)
    page.goto(f"{demo_site.url}/sign-in")
    page.get_by_role("button", name=re.compile("Organiser")).first.click()
    event = new_event(page, demo_site)
    promised = import_and_send(page)
    people = addresses(demo_site)
    assert promised >= len(people) > 50

    first = open_invitation(open_page, demo_site, people[0])
    accept(first)
    second = open_invitation(open_page, demo_site, people[1])
    second.get_by_role("link", name=re.compile("Send a colleague|Kirim rekan")).click()
    second.locator("#name").fill("Wayan")
    second.locator("#email").fill("wayan.colleague@example.org")
    second.locator("main form button[type=submit]").last.click()
    colleague = open_invitation(open_page, demo_site, "wayan.colleague@example.org")
    accept(colleague)
    third = open_invitation(open_page, demo_site, people[2])
    third.get_by_role("link", name=re.compile("I cannot come|Saya tidak dapat hadir")).first.click()
    third.locator("main form button[type=submit]").last.click()
    expect(third.get_by_text(re.compile("You declined|Anda menolak"))).to_be_visible()

    page.goto(f"{event}/registrations")
    page.locator("#q").fill("wayan")
    expect(page.get_by_role("link", name="Wayan", exact=True)).to_be_visible()
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    page.locator("#q").fill("")
    expect(page.locator("#rows tbody tr")).to_have_count(2)
    page.locator("#everybody").check()
    token = page.locator("meta[name=csrf-token]").get_attribute("content")
    with page.expect_response(lambda answer: answer.url.endswith("/documents/badges")) as shown_inside:
        page.get_by_role("button", name="Print badges").click()
    assert shown_inside.value.headers["content-type"] == "application/pdf"
    options = {"paper": "a4", "per_sheet": "8", "language": "en", "everybody": "1", "csrf_token": str(token)}
    again = page.request.post(f"{event}/documents/badges", form=options)  # the browser shows it in a viewer of its own
    file = tmp_path / "badges.pdf"
    file.write_bytes(again.body())
    subprocess.run(["pdftoppm", "-r", "150", "-gray", "-png", str(file), str(tmp_path / "badge")], check=True)
    with Image.open(next(tmp_path.glob("badge*.png"))) as picture:
        codes = {code.text for code in zxingcpp.read_barcodes(picture)}
    assert len(codes) == 2
    for phone in (first, colleague):
        shown = "".join(phone.locator(".ticket__code").inner_text().split())
        assert shown in codes

    page.goto(f"{event}/messages/write")
    page.locator("#subject-en").fill("See you at {venue}")
    page.locator("#body-en").fill("Dear {name},\n\nbring your ticket.")
    page.get_by_role("button", name="Look at it first").click()
    expect(page.get_by_text("bring your ticket.").first).to_be_visible()
    page.get_by_role("button", name="Send to 2 people").click()
    expect(page.get_by_text("on its way to 2 people")).to_be_visible()
    assert wait_for(lambda: "bring your ticket" in mail_to(demo_site, "wayan.colleague@example.org"))
