"""A comment from two phones of one person: typed on one, found on the other, sent once, with an edit and a file."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.comments.files import PDF
from tests.journeys.conftest import Site, wait_for
from tests.journeys.people import enter_demo

pytestmark = pytest.mark.browser
ADDRESS = "/consultations/mgi-indonesia-2023/indicators/5.2"
ON_SERVER = "Kept on this device and on the server"


def rows(site: Site, query: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(site.var / "consult.db")) as database:
        return database.execute(query).fetchall()


def composer(page: Any) -> Any:
    """The form, unfolded."""
    if page.locator(".composer.is-folded").count():
        page.locator(".composer__toggle").click()
    return page.locator(".composer form")


def test_two_phones_of_one_person_and_a_comment_with_an_edit_and_a_file(own_demo_site: Site, open_page: Any) -> None:
    site = own_demo_site
    first, second = open_page(width=390), open_page(width=390)
    for phone in (first, second):
        enter_demo(phone, site.url, -1)
        phone.goto(f"{site.url}{ADDRESS}?lang=en")
    form = composer(first)
    text = form.locator("[name=text]")
    text.fill("Begun on the first phone")
    expect(form.locator(".draft-state")).to_have_text(ON_SERVER)

    # the second phone finds it, and goes on
    second.reload()
    other = composer(second).locator("[name=text]")
    expect(other).to_have_value("Begun on the first phone")
    other.fill("Begun on the first phone, and gone on with on the second")
    expect(composer(second).locator(".draft-state")).to_have_text(ON_SERVER)

    # without a network the first keeps its own; what the second types later stands, and the first one's is offered, not lost
    first.context.set_offline(True)
    text.fill("Something else, written on the first")
    expect(form.locator(".draft-state")).to_have_text("Kept on this device")
    other.fill("Gone on with on the second")
    wait_for(lambda: "Gone on with" in str(rows(site, "SELECT typed FROM comment_drafts")))
    first.context.set_offline(False)
    first.reload()
    form = composer(first)
    text = form.locator("[name=text]")
    expect(text).to_have_value("Gone on with on the second")
    offer = form.locator(".draft-offer")
    expect(offer).to_contain_text("Something else, written on the first")
    offer.get_by_role("button", name="Show that instead").click()
    expect(text).to_have_value("Something else, written on the first")
    expect(offer).to_contain_text("Gone on with on the second")
    text.fill("The newest edition names them")
    expect(form.locator(".draft-state")).to_have_text(ON_SERVER)

    # a wording that starts from the text, and a file; one that is too large is told of at once
    form.locator(".composer__more > summary").click()
    form.get_by_text("English", exact=True).first.click()
    proposed = form.locator("[name=proposed]")
    expect(proposed).to_have_value("Plans for tourist areas mention foreign visitors; the other groups are not named.")
    proposed.fill("Plans for tourist areas mention foreign visitors; the other groups are named since 2023.")
    files = form.locator("input[type=file]")
    files.set_input_files({"name": "large.pdf", "mimeType": "application/pdf", "buffer": b"x" * (10 * 1024 * 1024 + 1)})
    expect(first.locator(".toast")).to_contain_text("“large.pdf” is larger than 10 MB.")
    files.set_input_files({"name": "plan.pdf", "mimeType": "application/pdf", "buffer": PDF})
    form.get_by_role("button", name="Send").click()
    comment = first.locator(".comment", has_text="The newest edition names them")
    expect(comment.locator("del")).to_contain_text("not")
    expect(comment.locator("ins")).to_contain_text("since 2023")
    with first.expect_download() as download:
        comment.get_by_role("link", name="Evidence 1").click()
    assert download.value.path().read_bytes() == PDF
    assert download.value.suggested_filename.endswith("-evidence-1.pdf")
    assert rows(site, "SELECT count(*) FROM comments WHERE text = 'The newest edition names them'") == [(1,)]

    # it was sent: no phone holds it out again
    assert rows(site, "SELECT count(*) FROM comment_drafts") == [(0,)]
    second.reload()
    expect(composer(second).locator("[name=text]")).to_have_value("")

    # a reply, in the place of the comment
    comment = second.locator(".comment", has_text="Contoh rencana kontinjensi")
    comment.get_by_role("link", name="Reply").click()
    reply = second.locator("textarea[id^=reply-text]")
    reply.fill("Half a reply")
    comment.get_by_role("button", name="Endorse").click()
    expect(comment.get_by_role("button", name="Endorsed")).to_be_visible()
    expect(reply).to_have_value("Half a reply")  # nothing takes it away
    second.get_by_role("button", name="Send the reply").click()
    expect(second.locator(".reply", has_text="Half a reply")).to_contain_text("You")
