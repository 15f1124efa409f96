"""What is being typed is kept on the server too: per person and indicator, until it is sent, erased, or a month old."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from typing import Any

import pytest

from consult_app import audit
from consult_app.comments.models import Comment, CommentDraft
from consult_app.consultations.models import Consultation, Section
from consult_app.db import db, now
from consult_app.policy import Role
from consult_app.privacy import retention
from consult_app.privacy.erasure import erase
from consult_app.registrations.models import Registration
from tests import factories
from tests.signoff.steps import freeze

TYPED = {"client_key": "page-1", "kind": "context", "text": "Half <b>typed", "proposed": "", "proposed_language": "id", "link": ""}


def url(consultation: Consultation, deed: str = "/draft", code: str = "1.1") -> str:
    return f"/consultations/{consultation.slug}/indicators/{code}{deed}"


def kept() -> list[CommentDraft]:
    return list(db.session.scalars(db.select(CommentDraft).order_by(CommentDraft.id)))


def test_another_phone_finds_what_was_typed(consultation: Consultation, author: Registration, browse: Any, audit_ok: None) -> None:
    first, second = browse(author), browse(author)
    numbers = [audit.last_number(str(consultation.id))]
    saved = first.post(url(consultation), data=TYPED).json["saved_at"]
    assert dt.datetime.fromisoformat(saved) <= now()
    first.post(url(consultation), data={**TYPED, "text": "Half <b>typed, and more"})
    numbers.append(audit.last_number(str(consultation.id)))
    assert numbers[0] == numbers[1]  # it decides nothing, and wakes nobody who follows the room
    page = second.get(url(consultation, "")).text
    assert "\nHalf &lt;b&gt;typed, and more</textarea>" in page  # without a script too
    there = json.loads(html.unescape(re.findall(r'data-draft-there="([^"]*)"', page)[0]))
    assert there["values"] == {"text": "Half <b>typed, and more", "kind": "context", "proposed_language": "id"}
    assert len(kept()) == 1
    assert second.get(url(consultation, "", "1.2")).text.count("Half") == 0
    other = browse(factories.make_registration(author.event))
    assert "Half" not in other.get(url(consultation, "")).text


def test_it_goes_when_it_is_sent_and_does_not_come_back(consultation: Consultation, author: Registration, browse: Any) -> None:
    client = browse(author)
    client.post(url(consultation), data=TYPED)
    assert client.post(url(consultation, "/comments"), data={**TYPED, "text": "Whole"}).status_code == 303
    assert kept() == []
    late = client.post(url(consultation), data=TYPED)  # was in the air while the comment was sent
    assert (late.status_code, late.json["saved_at"], kept()) == (200, None, [])
    client.post(url(consultation), data={**TYPED, "client_key": "page-2", "text": "The next"})
    assert client.post(url(consultation, "/comments"), data={**TYPED, "text": "Whole"}).status_code == 303  # resent
    assert [draft.typed["text"] for draft in kept()] == ["The next"]
    client.post(url(consultation), data={**TYPED, "client_key": "page-2", "text": " ", "link": ""})
    assert kept() == []


def test_what_waited_for_a_network_does_not_replace_what_was_typed_later(
    consultation: Consultation, author: Registration, browse: Any
) -> None:
    client = browse(author)
    client.post(url(consultation), data={**TYPED, "client_key": "second", "text": "Typed later"})
    late = client.post(url(consultation), data={**TYPED, "client_key": "first", "text": "Typed an hour ago", "age": 3_600_000})
    assert (late.json["saved_at"], kept()[0].typed["text"]) == (None, "Typed later")
    client.post(url(consultation), data={**TYPED, "client_key": "first", "text": "Typed now", "age": 0})
    assert kept()[0].typed["text"] == "Typed now"
    empty = client.post(url(consultation), data={"client_key": "second", "age": 3_600_000})
    assert (empty.status_code, kept()[0].typed["text"]) == (200, "Typed now")
    for wrong in (-1, 10**12, "soon"):
        assert client.post(url(consultation), data={**TYPED, "age": wrong}).status_code == 422


def test_a_refused_comment_leaves_the_draft(consultation: Consultation, section: Section, author: Registration, browse: Any) -> None:
    client = browse(author)
    client.post(url(consultation), data=TYPED)
    assert client.post(url(consultation, "/comments"), data={**TYPED, "link": "x:"}).status_code == 422
    freeze(section)
    assert client.post(url(consultation, "/comments"), data=TYPED).status_code == 409
    assert len(kept()) == 1


@pytest.mark.parametrize("wrong", [{"client_key": ""}, {"text": "x" * 10_001}, {"link": "x" * 501}, {"kind": "x" * 41}], ids=str)
def test_what_cannot_be_kept_is_422(consultation: Consultation, author: Registration, browse: Any, wrong: dict[str, str]) -> None:
    assert browse(author).post(url(consultation), data={**TYPED, **wrong}).status_code == 422
    assert kept() == []


@pytest.mark.parametrize("text", ["\x00", "\ud800x", "السلام", "=1+1", "<img src=x>"])
def test_odd_characters_are_no_mistake_of_ours(consultation: Consultation, author: Registration, browse: Any, text: str) -> None:
    client = browse(author)
    body = {**TYPED, "text": text.encode("utf-8", "surrogatepass")}
    assert client.post(url(consultation), data=body).status_code == 200
    assert client.get(url(consultation, "")).status_code == 200


def test_who_may_keep_one(consultation: Consultation, author: Registration, browse: Any) -> None:
    assert browse().post(url(consultation), data=TYPED).status_code == 303
    assert browse(factories.make_registration()).post(url(consultation), data=TYPED).status_code == 404
    assert browse(factories.make_user(Role.RAPPORTEUR, consultation)).post(url(consultation), data=TYPED).status_code == 403
    assert browse(author).post(url(consultation, code="9.9"), data=TYPED).status_code == 404
    assert kept() == []


def test_the_text_that_a_wording_starts_from(consultation: Consultation, author: Registration, browse: Any) -> None:
    assert browse(author).get(url(consultation, "/text")).json == {"texts": {"en": "Finding 0.", "id": "Temuan 0."}}
    assert browse(author).get(url(consultation, "/text", "2.1")).json == {"texts": {}}  # not before participants yet
    assert browse().get(url(consultation, "/text")).status_code == 303
    assert browse(factories.make_registration()).get(url(consultation, "/text")).status_code == 404


def test_it_is_the_persons_and_goes_with_them_or_after_a_month(
    consultation: Consultation, author: Registration, browse: Any, audit_ok: None
) -> None:
    client = browse(author)
    client.post(url(consultation), data=TYPED)
    assert json.loads(client.get("/my/data.json").data)["drafts"][0]["text"] == "Half <b>typed"
    retention.run()
    assert len(kept()) == 1
    kept()[0].saved_at = now() - dt.timedelta(days=31)
    db.session.commit()
    retention.run()
    assert kept() == []
    client.post(url(consultation), data=TYPED)
    erase(author.person, by=factories.BY)
    db.session.commit()
    assert kept() == []
    assert db.session.scalars(db.select(Comment)).all() == []
