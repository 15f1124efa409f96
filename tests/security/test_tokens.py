"""Tickets and links: what they are made of, what a GET does not do, what ends them, and who is asked when a link wanders."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
from flask import Flask

from consult_app.db import db
from consult_app.invitations import sending
from consult_app.invitations.actions import Guest, invite
from consult_app.invitations.links import invitation_link
from consult_app.invitations.models import Channel, InvitationKind
from consult_app.policy import Role
from consult_app.registrations.actions import cancel, renew_secrets
from consult_app.registrations.models import LinkOpening, Registration
from consult_app.registrations.tickets import link_secret, personal_link, ticket_code
from tests import factories


@pytest.fixture
def person(app: Flask) -> Registration:
    made = factories.make_registration(name="Dwi Santika", email="dwi@example.org")
    db.session.commit()
    return made


def open_with(client: Any, token: str) -> int:
    return int(client.post("/open", data={"token": token}).status_code)


def phones(browse: Any, person: Registration, number: int) -> list[Any]:
    return [browse().open_link(person) for _n in range(number)]


def test_a_ticket_is_c1_and_128_random_bits_and_only_its_hash_is_kept(app: Flask, person: Registration) -> None:
    code, link = ticket_code(person.seed), link_secret(person.seed)
    assert re.fullmatch(r"C1[A-Z2-7]{26}", code)
    assert len(link) == 43  # 256 bits as base64
    assert person.ticket_hash == hashlib.sha256(code.encode()).hexdigest()
    assert person.link_hash == hashlib.sha256(link.encode()).hexdigest()
    codes = {ticket_code(factories.make_registration(person.event).seed) for _n in range(50)}
    assert len(codes) == 50
    kept = [file.read_bytes() for file in app.config["VAR"].rglob("*") if file.is_file()]
    assert not any(word.encode() in data for word in (code, link) for data in kept)


def test_neither_works_as_the_other(browse: Any, person: Registration) -> None:
    code, link = ticket_code(person.seed), link_secret(person.seed)
    assert open_with(browse(), code) == 422
    desk = browse(factories.make_user(Role.CHECK_IN, person.event.consultation))
    for wrong in (link, personal_link(person.seed)):
        answer = desk.post(f"/events/{person.event.slug}/desk", data={"code": wrong})
        assert answer.status_code < 500
        assert "Dwi Santika" not in answer.text
    assert "Dwi Santika" in desk.post(f"/events/{person.event.slug}/desk", data={"code": code}).text


def test_the_secret_stands_in_the_fragment_alone(person: Registration) -> None:
    before, _sep, fragment = personal_link(person.seed).partition("#")
    assert fragment == link_secret(person.seed)
    assert person.public_id not in before + fragment
    assert before == "http://127.0.0.1:8000/open"


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_scanner_that_opens_every_address_of_a_mail_changes_nothing(
    app: Flask, browse: Any, person: Registration, sent: Any, count_queries: Any, method: str
) -> None:
    guest = Guest(
        InvitationKind.PERSON, "Office", factories.stakeholder_type(person.consultation_id), name="A Guest", email="g@example.org"
    )
    invitation = invite(person.event, guest, by=factories.BY)
    sending.send(invitation, Channel.MAIL, by=factories.BY)
    db.session.commit()
    sent()
    addresses = [personal_link(person.seed), invitation_link(invitation), personal_link(person.seed, "/my/registration/link")]
    state = (person.seed, person.opened_at, invitation.state, invitation.seed)
    with count_queries() as statements:
        for address in addresses * 20:
            answer = getattr(browse(), method)(address.removeprefix("http://127.0.0.1:8000"))
            assert answer.status_code == 200
    assert [words for words in statements if not words.lstrip().upper().startswith("SELECT")] == []
    db.session.expire_all()
    assert state == (person.seed, person.opened_at, invitation.state, invitation.seed)


def test_a_renewed_link_ends_the_old_one_its_ticket_and_its_sessions(browse: Any, person: Registration) -> None:
    mine, old = browse(person), link_secret(person.seed)
    assert mine.get("/my/registration").status_code == 200
    renew_secrets(person, by=factories.BY)
    assert mine.get("/my/registration").status_code == 303
    assert open_with(browse(), old) == 422
    assert open_with(browse(), link_secret(person.seed)) == 303


def test_a_cancelled_registration_takes_its_link_along(browse: Any, person: Registration) -> None:
    mine = browse(person)
    cancel(person, by=factories.BY)
    assert mine.get("/my/registration").status_code == 303
    assert open_with(browse(), link_secret(person.seed)) == 422


# -- a link that wanders --


def questions(sent: Any) -> list[Any]:
    return [mail for mail in sent() if "Was that you?" in mail["Subject"]]


@pytest.mark.usefixtures("audit_ok")
def test_the_owner_is_asked_once_for_the_third_phone_and_for_each_further_one(
    browse: Any, person: Registration, sent: Any, last_entry: Any
) -> None:
    first, _second = phones(browse, person, 2)
    assert questions(sent) == []
    assert last_entry("registration.another_phone") is None
    phones(browse, person, 1)
    assert [mail["To"] for mail in questions(sent)] == [person.email]
    assert "That makes 3 so far" in questions(sent)[0].get_body(("plain",)).get_content()
    assert last_entry("registration.another_phone").object_id == person.public_id
    for _n in range(5):
        first.open_link(person)  # a phone that is known, however often
    assert len(questions(sent)) == 1
    phones(browse, person, 1)
    assert len(questions(sent)) == 2


def test_one_click_in_that_mail_makes_a_new_link_and_ends_the_others(browse: Any, person: Registration, sent: Any) -> None:
    *_known, third = phones(browse, person, 3)
    text = questions(sent)[0].get_body(("plain",)).get_content()
    then, token = re.search(r"/open\?then=(\S+)#(\S+)", text).groups()
    owner = browse()
    opened = owner.post("/open", data={"token": token, "next": then})
    assert opened.location == "/my/registration/link"
    assert owner.get(opened.location).status_code == 200
    assert third.get("/my/registration").status_code == 200  # nothing has happened yet
    assert owner.post("/my/registration/link").status_code == 303
    assert third.get("/my/registration").status_code == 303
    assert open_with(browse(), token) == 422
    assert any("Your ticket and link" in mail["Subject"] for mail in sent())
    db.session.expire_all()
    assert db.session.scalars(db.select(LinkOpening)).all() == []  # of the new link, nothing is counted yet


def test_nobody_is_asked_of_a_link_that_was_renewed_meanwhile(browse: Any, person: Registration, sent: Any) -> None:
    phones(browse, person, 3)
    renew_secrets(person, by=factories.BY)  # before the worker came to the mail
    assert questions(sent) == []


def test_two_people_on_one_phone_are_nobody_too_many(browse: Any, person: Registration, sent: Any) -> None:
    shared, other = browse(), factories.make_registration(person.event)
    for _n in range(4):
        shared.open_link(person)
        shared.open_link(other)
    assert questions(sent) == []
    hashes = list(db.session.scalars(db.select(LinkOpening.phone_hash)))
    assert len(hashes) == len(set(hashes)) == 2  # and the rows do not tell that it is one phone


def test_without_an_address_there_is_nobody_to_ask_and_no_link_to_make(
    browse: Any, person: Registration, sent: Any, last_entry: Any
) -> None:
    walked_in = factories.make_registration(person.event, email="")
    *_others, client = phones(browse, walked_in, 3)
    assert questions(sent) == []
    assert last_entry("registration.another_phone").object_id == walked_in.public_id
    assert client.post("/my/registration/link").status_code == 409
