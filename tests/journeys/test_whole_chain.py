"""The whole chain in a browser, from an empty site to a sealed report that others can verify."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyotp
import pytest
from playwright.sync_api import Page, expect

from consult_app.sheets import write_xlsx
from tests.journeys.conftest import Site, wait_for
from tests.journeys.seals import check_seal

pytestmark = pytest.mark.browser
ORGANISER, RAPPORTEUR, FOCAL_POINT = "organiser@example.org", "rapporteur@example.org", "focal.point@example.org"
PARTICIPANT = "wayan@example.org"
PASSWORD = "a long sentence for this journey"
HEADER = ["Code", "Dimension number", "Dimension (en)", "Indicator (en)", "Answer", "Finding (en)"]
ROWS = [
    ["1.1", "1", "Migrants’ rights", "Do migrants have access to health care?", "Complete presence", "By law since 2012."],
    ["1.10", "1", "Migrants’ rights", "Do migrants have access to schools?", "Partial presence", "In the cities only."],
    ["2.1", "2", "Whole of government", "Is there a migration strategy?", "Absence", "None is published."],
    ["2.2", "2", "Whole of government", "Is there a coordinating body?", "Complete presence", "A task force of 2019."],
]


class Authenticator:
    """The app on somebody's phone; a code counts once, so each is of a later step than the last, up to the next one."""

    def __init__(self, secret: str) -> None:
        self.totp, self.last = pyotp.TOTP(secret), 0

    def code(self) -> str:
        oldest = int(time.time() + 4) // 30 - 1  # with a margin, so that it is not too old when it arrives
        self.last = max(oldest, self.last + 1)
        wait_for(lambda: self.last <= int(time.time()) // 30 + 1)
        return self.totp.at(self.last * 30)


def mail_to(site: Site, address: str) -> str:
    """The text of the newest mail to somebody, as soon as the worker has sent one."""

    def newest() -> str | None:
        for path in reversed(site.mails()):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            part = message.get_body(("plain",))
            if message["To"] == address and part is not None:
                return str(part.get_content())
        return None

    return wait_for(newest, 150)  # at most 120 mails leave in a minute: the next one is looked at a minute later


def link_in(text: str, path: str) -> str:
    found = re.search(rf"http\S+{path}\S+", text)
    assert found, text
    return found.group()


def fill(page: Page, **words: str) -> None:
    """Type into fields by the names of the form; "title_en" is written title-en."""
    for name, value in words.items():
        page.locator(f'main [name="{name.replace("__", "-")}"]').fill(value)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def told(page: Page, words: str) -> None:
    """The page says so, in its message."""
    expect(page.locator(".flashes, .toast, [role=status]").filter(has_text=words).first).to_be_visible()


def set_up_second_factor(page: Page) -> Authenticator:
    expect(page.get_by_role("heading", name="Set up the second factor")).to_be_visible()
    app = Authenticator(page.locator("main code.hash").inner_text().replace(" ", ""))
    fill(page, code=app.code())
    press(page, "Turn on the second factor")
    expect(page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    return app


def advance(page: Page, base: str, number: int, button: str, words: str) -> None:
    """One step of a section, from its own page; where the page asks first, the answer is yes."""
    page.goto(f"{base}/sections/{number}")
    press(page, button)
    if button == "Close the comments":
        press(page, "Yes, go on")
    told(page, words)


def sign_in_the_first_time(site: Site, page: Page) -> None:
    made = site.command("user", "create", "--email", ORGANISER, "--name", "Putri Organiser", "--password", PASSWORD)
    assert made.returncode == 0, made.stderr
    page.goto(site.url)
    page.get_by_role("link", name="Sign in").first.click()
    fill(page, email=ORGANISER, password=PASSWORD)
    press(page, "Sign in")
    set_up_second_factor(page)
    expect(page.get_by_role("heading", name="Good day, Putri Organiser")).to_be_visible()


def create_consultation(page: Page) -> None:
    page.get_by_role("link", name="New consultation").first.click()
    fill(
        page,
        title__en="Governance of a small country",
        slug="small-country",
        summary__en="Four indicators.",
        controller="Ministry of Tests",
    )
    page.locator('[name="level"][value="national"]').check()
    page.locator('[name="attribution"][value="by_institution"]').check()
    press(page, "Make the consultation")
    told(page, "you are its organiser")


def import_framework(page: Page, file: Path) -> None:
    file.write_bytes(write_xlsx({"Framework": (HEADER, ROWS)}))
    page.locator('main [name="file"]').set_input_files(file)
    press(page, "Show what it would do")
    expect(page.get_by_text("Nothing is saved yet.")).to_be_visible()
    expect(page.locator(".figure").filter(has_text="new").locator(".figure__value")).to_have_text("4")
    expect(page.get_by_role("cell", name="1.10", exact=True)).to_be_visible()
    fill(page, version="Small, 4 indicators")
    press(page, "Import all rows")
    expect(page.get_by_role("heading", level=1, name="Indicators")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Do migrants have access to schools?")


def invite(page: Page, base: str, address: str, role: str, institution: str) -> None:
    page.goto(f"{base}/team")
    fill(page, email=address, institution=institution)
    page.locator(f'[name="role"][value="{role}"]').check()
    if role == "focal_point":
        for box in page.locator('[name="sections"]').all():
            box.check()
    press(page, "Send the invitation")
    told(page, f"The invitation to {address} is on its way.")


def join(site: Site, page: Page, address: str, name: str) -> None:
    page.goto(link_in(mail_to(site, address), "/join/"))
    expect(page.locator("main")).to_contain_text("Putri Organiser invites")
    fill(page, name=name, title="Analyst", password=PASSWORD, again=PASSWORD)
    press(page, "Make my account and join")


def write_section(page: Page, base: str, number: int, narrative: str) -> None:
    page.goto(f"{base}/sections/{number}/edit")
    fill(page, narrative__en=narrative, recommendations__en="Build more schools.\nCount those who come.")
    press(page, "Save")
    told(page, "The text is saved.")


def create_event(page: Page, base: str) -> str:
    today = dt.datetime.now(ZoneInfo("Asia/Jakarta")).date().isoformat()
    page.goto(f"{base}/events")
    page.get_by_role("link", name="New event").first.click()
    fill(page, title__en="Validation workshop", starts_on=today, ends_on=today, starts_at="00:00", ends_at="23:59", venue="Hall of Tests")
    page.locator('[name="kind"]').select_option("validation")
    press(page, "Save")
    told(page, "The event is saved as a draft.")
    press(page, "Publish")
    told(page, "The event is public.")
    return page.url


def register(phone: Page, event: str) -> None:
    phone.goto(event)
    phone.get_by_role("link", name="Register", exact=True).click()
    phone.locator('[name="stakeholder_type"]').select_option(index=1)
    fill(phone, institution="Office of Seafarers", name="I Wayan Test", email=PARTICIPANT, phone="0812 3456 7890")
    phone.locator('[name="sex"][value="female"]').check()
    phone.locator('[name="taking_part"]').check()
    press(phone, "Register")
    expect(phone.get_by_role("heading", name="Look into your mail")).to_be_visible()


def check_in_twice(page: Page, event: str, code: str) -> None:
    page.goto(f"{event}/desk")
    for word in ("Welcome", "Already checked in"):
        page.locator("#code").fill(code)
        page.locator("#code").press("Enter")
        expect(page.locator(".scan-answer__word")).to_have_text(word)
        expect(page.locator(".scan-answer__name")).to_have_text("I Wayan Test")
    expect(page.locator("#desk-figures")).to_contain_text("1 of 1 arrived")


def comment(phone: Page, link: str) -> None:
    phone.goto(link)
    expect(phone.get_by_role("heading", level=1, name="Validation workshop")).to_be_visible()
    assert "#" not in phone.url
    phone.get_by_role("link", name="To the indicators").click()
    phone.get_by_role("link", name="Do migrants have access to schools?").click()
    phone.get_by_role("button", name="Your comment").click()  # on a phone the composer waits folded
    fill(phone, text="The text leaves out boarding schools.")
    phone.get_by_text("Propose a wording, add evidence").click()
    fill(phone, proposed="Boarding schools take migrants’ children too.")
    press(phone, "Send")
    expect(phone.locator(".comment__text")).to_have_text("The text leaves out boarding schools.")
    expect(phone.locator(".comment__proposed")).to_contain_text("Boarding schools take")
    phone.get_by_text("Agree with reservation", exact=True).first.click()
    fill(phone, reason="Only the cities were counted.")
    press(phone, "Keep my position")
    told(phone, "position")
    expect(phone.locator('[name="value"][value="reservation"]')).to_be_checked()


def accept_comment(page: Page, base: str) -> None:
    page.goto(f"{base}/comments?state=open")
    expect(page.locator("#chosen .comment__text")).to_have_text("The text leaves out boarding schools.")
    page.locator('#chosen [name="kind"][value="accepted"]').check()
    press(page, "Answer comment 1")
    told(page, "Comment 1: Accepted")


def revise_and_freeze(page: Page, base: str) -> None:
    write_section(page, base, 1, "Schools are open to all. Boarding schools take migrants’ children too.")
    page.locator("summary").filter(has_text="Changed since revision 1").click()
    fill(page, note="Boarding schools named")
    press(page, "Make a revision of this text")
    told(page, "The text stands as a revision.")
    for number in (1, 2):
        advance(page, base, number, "Freeze for signature", "The text is frozen for signature.")


def carry(page: Page, base: str) -> None:
    page.goto(f"{base}/comments")
    page.locator('[name="section"]').select_option("1")
    page.locator('[name="state"]').select_option("revision")
    press(page, "Show")
    expect(page.get_by_role("checkbox", name="Comment 1")).to_be_checked()
    press(page, "Carried by the current revision")
    told(page, "Revision 2 is named as the one that carries these changes.")


def sign(page: Page, base: str, number: int, app: Authenticator, decision: str, text: str = "") -> None:
    page.goto(f"{base}/sections/{number}/sign")
    expect(page.get_by_text("Nothing is missing")).to_be_visible()
    page.locator(f'[name="decision"][value="{decision}"]').check()
    fill(page, text=text, code=app.code())
    press(page, "Sign")
    told(page, f"Your decision on section {number} is recorded")


def seal(page: Page, base: str) -> bytes:
    page.goto(f"{base}/report")
    expect(page.get_by_text("Validated", exact=True)).to_be_visible()
    press(page, "Go on to the seal")
    press(page, "Seal the report")
    link = page.locator("#reports").get_by_role("link", name="Download")
    expect(link).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        link.click()
    return Path(download.value.path()).read_bytes()


def verify(page: Page, site: Site, document: bytes, verdict: str) -> None:
    page.goto(site.url)
    page.get_by_role("link", name="Verify a report").first.click()
    page.locator('main [name="file"]').set_input_files({"name": "copy.pdf", "mimeType": "application/pdf", "buffer": document})
    press(page, "Verify")
    expect(page.get_by_role("heading", level=1)).to_have_text(verdict)


def test_from_an_empty_site_to_a_sealed_report(site: Site, open_page: Any, tmp_path: Path) -> None:
    organiser, rapporteur, focal_point, phone, stranger = open_page(), open_page(), open_page(), open_page(390), open_page()
    base = f"{site.url}/consultations/small-country"

    sign_in_the_first_time(site, organiser)
    create_consultation(organiser)
    import_framework(organiser, tmp_path / "framework.xlsx")
    invite(organiser, base, RAPPORTEUR, "rapporteur", "University of Tests")
    invite(organiser, base, FOCAL_POINT, "focal_point", "Ministry of Tests")
    join(site, rapporteur, RAPPORTEUR, "Rama Rapporteur")
    told(rapporteur, "Welcome. You are in the team")
    join(site, focal_point, FOCAL_POINT, "Fitri Focal")
    authenticator = set_up_second_factor(focal_point)
    write_section(rapporteur, base, 1, "Schools are open to all.")
    write_section(rapporteur, base, 2, "A task force coordinates.")

    event = create_event(organiser, base)
    register(phone, event)
    ticket = mail_to(site, PARTICIPANT)
    code = re.search(r"The code of your ticket: (\S+)", ticket)
    assert code, ticket
    check_in_twice(organiser, event, code.group(1))

    for number in (1, 2):
        advance(rapporteur, base, number, "Open for comments", "The section is open for comments.")
    comment(phone, link_in(ticket, "/open"))
    for number in (1, 2):
        advance(rapporteur, base, number, "Close the comments", "The comments are closed and can be answered.")

    focal_point.goto(f"{base}/sections/1/sign")
    gate = focal_point.locator(".gate")
    expect(gate).to_contain_text("The text of section 1 is not frozen for signature.")
    expect(gate).to_contain_text("Comments without a disposition: No. 1 (1.10)")
    accept_comment(focal_point, base)
    revise_and_freeze(rapporteur, base)
    focal_point.goto(f"{base}/sections/1/sign")
    expect(gate.get_by_role("listitem")).to_have_count(1)
    expect(gate).to_contain_text("Accepted comments that name no revision with the change: No. 1 (1.10)")
    expect(focal_point.get_by_role("button", name="Sign", exact=True)).to_have_count(0)
    organiser.goto(f"{base}/report")
    expect(organiser.locator(".gate")).to_contain_text("Fitri Focal (Ministry of Tests) has not signed.")
    expect(organiser.get_by_role("button", name="Go on to the seal")).to_have_count(0)
    carry(rapporteur, base)
    sign(focal_point, base, 1, authenticator, "approve")
    sign(focal_point, base, 2, authenticator, "reservation", "The strategy is only a draft.")

    document = seal(organiser, base)
    check_seal(site, document, tmp_path)
    verify(stranger, site, document, "Yes, this is the report as it was sealed")
    expect(stranger.locator("main")).to_contain_text("Fitri Focal")
    expect(stranger.locator("main")).to_contain_text("The strategy is only a draft.")
    altered = bytearray(document)
    altered[len(altered) // 2] ^= 1
    verify(stranger, site, bytes(altered), "No, this file is not as it was sealed")

    good = site.command("audit", "verify")
    assert (good.returncode, "0 faults" in good.stdout) == (0, True), good.stderr
    with site.database() as database:
        database.execute("UPDATE dispositions SET kind = 'noted'")
    bad = site.command("audit", "verify")
    assert bad.returncode == 1
    assert re.search(r"Disposition.*kind", bad.stderr), bad.stderr
