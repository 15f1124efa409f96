"""Sending by mail, WhatsApp and letter, and reminders. Nothing is sent twice."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import zxingcpp
from PIL import Image

from consult_app import audit
from consult_app.db import now
from consult_app.events.models import EventState
from consult_app.invitations.links import invitation_link, whatsapp_link
from consult_app.invitations.models import Channel, EventInvitation, InvitationKind, InvitationState
from tests import factories
from tests.invitations.conftest import make_invitation, open_invitation


def url(invitation: EventInvitation, verb: str) -> str:
    return f"/events/{invitation.event.slug}/invitations/{invitation.public_id}/{verb}"


def yesterday(invitation: EventInvitation) -> None:
    invitation.sent_at = now() - dt.timedelta(days=2)
    invitation.reminded_at = invitation.reminded_at and now() - dt.timedelta(days=1, hours=1)
    audit.record(factories.BY, "invitation.change", invitation)


@pytest.mark.usefixtures("audit_ok")
def test_by_mail_in_the_readers_language_and_once(event: Any, organiser: Any, sent: Any, last_entry: Any, app: Any) -> None:
    invitation = make_invitation(event, title_before="Dr.", language="id")
    assert organiser.post(url(invitation, "send"), data={"channel": "mail"}).status_code == 303
    assert organiser.post(url(invitation, "send"), data={"channel": "mail"}).status_code == 409
    (mail,) = sent()
    assert mail["Subject"].startswith("Undangan")
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    with app.test_request_context():
        assert invitation_link(invitation) in text
        assert invitation_link(invitation) in html
    assert "Dr. Suharti" in text
    assert (invitation.state, invitation.channel) == (InvitationState.SENT, Channel.MAIL)
    assert last_entry("invitation.send").note == "mail"


@pytest.mark.usefixtures("audit_ok")
def test_all_that_are_filtered_in_one_go(event: Any, organiser: Any, sent: Any) -> None:
    for n in range(3):
        make_invitation(event, name=f"Wagiyem {n}", email=f"w{n}@example.org")
    make_invitation(event, name="Paimin", email="paimin@example.org")
    make_invitation(event, name="Poniman", email="", phone="+6281210002000")
    make_invitation(event, name="Tumini", email="")
    send = f"/events/{event.slug}/invitations/send"
    page = organiser.get(send, query_string={"q": "wagiyem"}).text
    assert "Send 3 mails now" in page
    assert "wa.me" not in page
    page = organiser.get(send).text
    assert "Send 4 mails now" in page
    assert "wa.me/6281210002000" in page
    assert sent() == []  # a GET sends nothing
    assert organiser.post(f"{send}?q=wagiyem", data={"channel": "mail"}).status_code == 303
    assert len(sent()) == 3
    assert organiser.post(send, data={"channel": "mail"}).status_code == 303
    assert organiser.post(send, data={"channel": "mail"}).status_code == 303
    assert sorted(mail["To"] for mail in sent()) == ["paimin@example.org", "w0@example.org", "w1@example.org", "w2@example.org"]
    assert organiser.post(send, data={"channel": "pigeon"}).status_code == 404


@pytest.mark.usefixtures("audit_ok")
def test_by_whatsapp(event: Any, organiser: Any, browse: Any, app: Any) -> None:
    invitation = make_invitation(event, email="", phone="+6281210002000", language="id")
    with app.test_request_context():
        link = urlsplit(whatsapp_link(invitation))
        address = invitation_link(invitation)
    assert (link.netloc, link.path) == ("wa.me", "/6281210002000")
    words = parse_qs(link.query)["text"][0]
    assert address in words
    assert "Yth" in words or "Anda" in words
    assert organiser.post(url(invitation, "send"), data={"channel": "mail"}).status_code == 409
    assert organiser.post(url(invitation, "send"), data={"channel": "whatsapp"}).status_code == 303
    assert (invitation.state, invitation.channel) == (InvitationState.SENT, Channel.WHATSAPP)
    assert browse().post("/invitation", data={"token": address}).status_code == 303  # pasted whole


@pytest.mark.usefixtures("audit_ok")
def test_as_letters_with_a_code_that_answers(event: Any, organiser: Any, app: Any, tmp_path: Path) -> None:
    kinds = [
        make_invitation(event, email="", name="Suharti", title_before="Prof. Dr.", title_after="M.Si.", position="Kepala <b>Bidang"),
        make_invitation(event, email="", name="عبد الرحمن", institution="Kantor & Lembaga"),
        make_invitation(event, InvitationKind.INSTITUTION, email="", name="", seats=2, institution="Z Office", language="id"),
    ]
    pdf = organiser.get(f"/events/{event.slug}/invitations/letters.pdf").data
    subprocess.run(["pdftoppm", "-r", "120", "-gray", "-png", "-", str(tmp_path / "page")], input=pdf, check=True)
    codes = []
    for page in sorted(tmp_path.glob("page*.png")):
        with Image.open(io.BytesIO(page.read_bytes())) as picture:
            codes.append([code.text for code in zxingcpp.read_barcodes(picture)])
    with app.test_request_context():
        assert sorted(codes) == sorted([invitation_link(one)] for one in kinds)  # one page each, to the right person
    text = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    assert "Prof. Dr. Suharti, M.Si." in text
    assert "Kepala <b>Bidang" in text
    assert kinds[0].state is InvitationState.DRAFT  # printing is no sending
    assert organiser.post(f"/events/{event.slug}/invitations/send", data={"channel": "letter"}).status_code == 303
    assert {one.channel for one in kinds} == {Channel.LETTER}
    assert organiser.get(f"/events/{event.slug}/invitations/letters.pdf?reach=mail").status_code == 404
    assert organiser.get(url(kinds[0], "letter.pdf")).mimetype == "application/pdf"


@pytest.mark.usefixtures("audit_ok")
def test_a_reminder_a_day_to_those_who_have_not_answered(event: Any, organiser: Any, sent: Any, browse: Any, last_entry: Any) -> None:
    invitation, answered = make_invitation(event), make_invitation(event, name="Wagiyem", email="w@example.org")
    assert organiser.post(url(invitation, "remind"), data={"channel": "mail"}).status_code == 409  # not sent yet
    organiser.post(f"/events/{event.slug}/invitations/send", data={"channel": "mail"})
    assert organiser.post(url(invitation, "remind"), data={"channel": "mail"}).status_code == 409  # sent today
    for one in (invitation, answered):
        yesterday(one)
    open_invitation(browse(), answered).post("/my/invitation/decline", data={})
    before = len(sent())
    assert organiser.post(f"/events/{event.slug}/invitations/remind").status_code == 303
    assert organiser.post(f"/events/{event.slug}/invitations/remind").status_code == 303
    assert organiser.post(url(invitation, "remind"), data={"channel": "mail"}).status_code == 409
    assert [mail["To"] for mail in sent()[before:]] == ["suharti@example.org"]
    assert (invitation.reminders, answered.reminders) == (1, 0)
    assert last_entry("invitation.remind").object_id == invitation.public_id
    assert "1, last on" in organiser.get(url(invitation, "")[:-1]).text
    yesterday(invitation)
    assert organiser.post(url(invitation, "remind"), data={"channel": "mail"}).status_code == 303
    assert invitation.reminders == 2


@pytest.mark.usefixtures("audit_ok")
def test_a_new_link_ends_the_old_one(event: Any, organiser: Any, browse: Any, sent: Any) -> None:
    invitation = make_invitation(event)
    organiser.post(url(invitation, "send"), data={"channel": "mail"})
    reader = open_invitation(browse(), invitation)
    assert organiser.post(url(invitation, "renew")).status_code == 303
    assert reader.get("/my/invitation").location == "/invitation"
    assert len(sent()) == 2
    open_invitation(browse(), invitation)


def test_where_nobody_could_answer_nothing_is_sent(event: Any, organiser: Any, sent: Any) -> None:
    for state, words in ((EventState.DRAFT, "Publish the event first"), (EventState.CANCELLED, "was cancelled")):
        event.state = EventState.PUBLISHED
        invitation = make_invitation(event, name=f"Person {state}", email=f"{state}@example.org")
        event.state = state
        answer = organiser.post(url(invitation, "send"), data={"channel": "mail"})
        assert answer.status_code == 409
        assert words in answer.text
        assert organiser.post(f"/events/{event.slug}/invitations/send", data={"channel": "mail"}).status_code == 409
    assert sent() == []
