"""Having one's links sent again: the same answer for everybody, and mail only for who is registered."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from flask import Flask

from consult_app.db import db, now
from consult_app.events.models import Event
from consult_app.registrations import joining
from consult_app.registrations.actions import cancel
from consult_app.registrations.models import LinkRequest
from tests import factories


@pytest.fixture
def event(app: Flask) -> Event:
    made = factories.make_event()
    db.session.commit()
    return made


def ask(client: Any, email: str) -> Any:
    return client.post("/open/again", data={"email": email})


def test_whoever_is_registered_gets_the_links_of_all_their_places(event: Event, browse: Any, sent: Any) -> None:
    mail = "retno@example.org"
    first = factories.make_registration(event, email=mail)
    second = factories.make_registration(factories.make_event(), email=mail)
    gone = factories.make_registration(factories.make_event(event.consultation), email=mail)
    cancel(gone, by=factories.BY)
    sent()
    client = browse()
    answer = ask(client, " Retno@Example.org ")
    assert (answer.status_code, answer.location) == (303, "/open/again")
    assert "is on its way" in client.get("/open/again").text
    mails = [message for message in sent() if "Your ticket and link" in message["Subject"]]
    assert {message["To"] for message in mails} == {mail}
    links = {re.search(r"/open#(\S+)", m.get_body(("plain",)).get_content())[1] for m in mails}  # type: ignore[index]
    assert len(links) == 2
    for link in links:
        assert browse().post("/open", data={"token": link}).status_code == 303
    assert {first.is_live, second.is_live} == {True}
    assert db.session.scalars(db.select(LinkRequest)).all() == []
    ask(browse(), mail)  # at once again: not a second mail
    assert len([m for m in sent() if "Your ticket and link" in m["Subject"]]) == 2


def test_nobody_learns_who_is_registered(event: Event, browse: Any, sent: Any, count_queries: Any) -> None:
    factories.make_registration(event, email="known@example.org")
    told, work = [], []
    for mail in ("known@example.org", "unknown@example.org"):
        client = browse()
        with count_queries() as statements:
            answer = ask(client, mail)
        work.append([re.sub(r"\s+", " ", statement) for statement in statements])
        page = re.sub(r'(content|value)="[\w.-]{60,}"', "", client.get("/open/again").text)  # without the CSRF token
        told.append((answer.status_code, answer.headers["Location"], page))
    assert told[0] == told[1]
    assert work[0] == work[1]  # the same statements too: the time it takes tells nothing
    assert [m["To"] for m in sent() if "Your ticket" in m["Subject"]] == ["known@example.org"]


@pytest.mark.parametrize(
    "mail", ["", "x", "a@b", "<b>@x", "a" * 300 + "@example.org", "x@example.org\nBcc: y@example.org", "\x00"], ids=repr
)
def test_what_is_no_address_is_422(app: Flask, browse: Any, mail: str) -> None:
    answer = ask(browse(), mail)
    assert answer.status_code == 422
    assert "<b>@x" not in answer.text
    assert db.session.scalars(db.select(LinkRequest)).all() == []


def test_a_request_lost_in_a_crash_is_taken_up(app: Flask, event: Event, sent: Any) -> None:
    factories.make_registration(event, email="known@example.org")
    db.session.add(LinkRequest(email="known@example.org", asked_at=now() - dt.timedelta(minutes=5)))
    db.session.commit()
    joining.send_links_again()
    assert len([m for m in sent() if m["To"] == "known@example.org"]) == 1
    joining.send_links(999)  # a job that runs twice


def test_the_ways_to_it(event: Event, browse: Any) -> None:
    client = browse()
    for page in ("/open", "/join", "/sign-in", f"/events/{event.slug}", "/nothing-here"):
        assert "/open/again" in client.get(page).text, page
    dead = client.post("/open", data={"token": "x"})
    assert dead.status_code == 422
    assert "/open/again" in dead.text


class TestLimits:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"RATELIMIT_ENABLED": True}

    def test_an_address_is_counted_in_its_one_form(self, browse: Any) -> None:
        notations = ["one@example.org", "One@Example.org", "one@example.org\x01", "o\u200bne@example.org", "ｏｎｅ＠ｅｘａｍｐｌｅ．ｏｒｇ"]
        answers = [browse().post("/open/again", data={"email": typed}).status_code for typed in [*notations, "one@example。org"]]
        assert answers == [303] * 5 + [429]

    @pytest.mark.parametrize("page", ["/open", "/invitation", "/join"])
    def test_whole_links_that_are_pasted_are_counted_by_their_secret(self, browse: Any, page: str) -> None:
        answers = [browse().post(page, data={"token": f"https://site.example{page}#{n:016}{n:027}"}).status_code for n in range(32)]
        assert set(answers) == {422}
        again = [browse().post(page, data={"token": f"{'the same secret':43}"}).status_code for n in range(32)]
        assert again[-1] == 429

    def test_an_address_is_written_to_five_times_an_hour_at_most(self, app: Flask, browse: Any) -> None:
        statuses = [ask(browse(), "often@example.org").status_code for _n in range(7)]
        assert statuses == [303] * 5 + [429] * 2
        assert ask(browse(), "other@example.org").status_code == 303
