"""A moderated session: what participants write waits, is released or held back, and is seen by nobody else before (rules 10, 13)."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.comments.models import Comment, Endorsement
from consult_app.db import db
from consult_app.events.models import Event, Session
from consult_app.policy import Role
from consult_app.registrations.models import Registration
from consult_app.room import actions
from consult_app.room.models import Room
from tests import factories
from tests.comments.files import PDF
from tests.room.steps import do, now, say

WORDS = "It names <b>somebody</b>"


@pytest.fixture
def moderated(room: Room, facilitator: Any) -> Room:
    do(facilitator, room, "start")
    do(facilitator, room, "moderate", 1)
    return room


@pytest.fixture
def comment(moderated: Room, phone: Any) -> Comment:
    assert say(phone, moderated, WORDS).json["waits"] is True
    return db.session.scalars(db.select(Comment)).one()


def hold(who: Any, comment: Comment, room: Room, reason: str = "It names a person.") -> Any:
    return who.post(f"/rooms/{room.public_id}/hold", data={"comment": comment.public_id, "reason": reason})


def places(room: Room, observer: Any, follower: Any, organiser: Any) -> dict[str, str]:
    """Everything that others than the author and the reviewers can reach, by its name."""
    slug, code = room.event.consultation.slug, room.indicator.code if room.indicator else ""
    here = f"/consultations/{slug}"
    return {
        "phone": now(follower, room)["html"],
        "phone, browsing": now(follower, room, f"phone&code={code}")["html"],
        "hall": now(organiser, room, "hall")["html"],
        "room": follower.get(f"/rooms/{room.public_id}").text,
        "screen": organiser.get(f"/rooms/{room.public_id}/screen").text,
        "indicator": follower.get(f"{here}/indicators/{code}").text,
        "indicator of the staff": organiser.get(f"{here}/indicators/{code}").text,
        "matrix of a participant": follower.get(f"{here}/comment-matrix.csv").text,
        "matrix of an observer": observer.get(f"{here}/comment-matrix.csv").text,
        "matrix of the staff": organiser.get(f"{here}/comment-matrix.csv").text,
        "review desk of an observer": observer.get(f"{here}/comments").text,
    }


def test_rule_10_what_waits_is_kept_and_seen_by_its_author_the_facilitators_and_the_reviewers_alone(
    comment: Comment, moderated: Room, facilitator: Any, phone: Any, event: Event, browse: Any, audit_ok: None
) -> None:
    observer = browse(factories.make_user(Role.OBSERVER, event.consultation))
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    follower = browse(factories.make_registration(event))
    here = f"/consultations/{event.consultation.slug}"
    assert comment.waits_for_facilitator
    unseen = places(moderated, observer, follower, organiser)
    assert [name for name, text in unseen.items() if "somebody" in text] == []
    assert observer.get(f"{here}/comments?comment={comment.public_id}").status_code == 404
    assert "Waits for the facilitator" in phone.get("/my/comments").text
    assert "somebody" in now(facilitator, moderated, "console")["html"]
    desk = organiser.get(f"{here}/comments").text
    assert "Waits for the facilitator" in desk
    assert "It names &lt;b&gt;somebody" in desk
    assert follower.post(f"{here}/comments/{comment.public_id}/endorse").status_code == 404
    assert follower.post(f"/rooms/{moderated.public_id}/endorse", data={"comment": comment.public_id}).status_code == 404
    assert "waits for a facilitator" in do(facilitator, moderated, "pin", comment.public_id)
    assert say(phone, moderated, WORDS).json["number"] == comment.number  # sent again it is the same

    do(facilitator, moderated, "release", comment.public_id)
    db.session.refresh(comment)
    assert comment.is_shown
    seen = places(moderated, observer, follower, organiser)
    assert [name for name, text in seen.items() if "somebody" not in text] == []
    assert "is shown already" in do(facilitator, moderated, "release", comment.public_id)
    assert follower.post(f"/rooms/{moderated.public_id}/endorse", data={"comment": comment.public_id}).status_code == 303
    assert db.session.scalar(db.select(db.func.count()).select_from(Endorsement)) == 1


def test_what_is_held_back_is_not_lost(
    comment: Comment, moderated: Room, facilitator: Any, phone: Any, event: Event, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    assert hold(facilitator, comment, moderated, "  ").status_code == 422
    assert hold(facilitator, comment, moderated).status_code == 303
    assert last_entry("comment.hold").object_id == comment.public_id
    assert hold(facilitator, comment, moderated).status_code == 409
    mine = phone.get("/my/comments").text
    assert "Not shown to others" in mine
    assert "It names a person." in mine
    desk = browse(factories.make_user(Role.RAPPORTEUR, event.consultation)).get(f"/consultations/{event.consultation.slug}/comments").text
    assert "Held back" in desk
    assert "It names a person." in desk
    assert "somebody" not in now(phone, moderated)["html"]
    do(facilitator, moderated, "release", comment.public_id)  # they think better of it
    assert last_entry("comment.release").object_id == comment.public_id
    assert "somebody" in now(phone, moderated)["html"]
    assert "Not shown to others" not in phone.get("/my/comments").text


def test_what_is_held_back_is_reached_by_no_other_address(
    comment: Comment, moderated: Room, facilitator: Any, phone: Any, event: Event, browse: Any
) -> None:
    here = f"/consultations/{event.consultation.slug}/comments/{comment.public_id}"
    given = {"files": (io.BytesIO(PDF), "somebody.pdf")}
    assert phone.post(f"{here}/evidence", data=given).status_code == 303
    reply = {"client_key": "r" * 20, "text": "Who is it?"}
    strangers = [browse(factories.make_registration(event)), browse(factories.make_user(Role.OBSERVER, event.consultation))]
    for reason in ("", "It names a person."):
        if reason:
            hold(facilitator, comment, moderated, reason)
        for client in strangers:
            assert client.get(f"{here}/evidence/1").status_code == 404
        assert strangers[0].get(f"{here}/reply").status_code == 404
        assert strangers[0].post(f"{here}/reply", data=reply).status_code == 404
        assert phone.get(f"{here}/evidence/1").status_code == facilitator.get(f"{here}/evidence/1").status_code == 200
    assert facilitator.post(f"{here}/reply", data=reply).status_code == 303  # to say to the author why
    do(facilitator, moderated, "release", comment.public_id)
    assert [client.get(f"{here}/evidence/1").status_code for client in strangers] == [200, 200]
    assert strangers[0].post(f"{here}/reply", data=reply).status_code == 303


def test_only_what_participants_write_while_the_room_is_on_waits(
    moderated: Room, facilitator: Any, phone: Any, person: Registration, event: Event
) -> None:
    slug, code = event.consultation.slug, moderated.indicator.code if moderated.indicator else ""
    from_the_page = {"client_key": "p" * 20, "kind": "context", "text": "From the indicator's page"}
    page = phone.post(f"/consultations/{slug}/indicators/2.1/comments", data=from_the_page, follow_redirects=True)
    assert "It waits for the facilitator" in page.text
    spoken = {"client_key": "r" * 20, "kind": "context", "text": "Spoken", "speaker": person.public_id, "code": code}
    assert facilitator.post(f"/rooms/{moderated.public_id}/record", data=spoken).status_code == 303
    do(facilitator, moderated, "pause")
    assert say(phone, moderated, "While it paused", key="q" * 20).json["waits"] is True
    do(facilitator, moderated, "close")
    say(phone, moderated, "After it ended", key="e" * 20)
    states = {c.text: c.waits_for_facilitator for c in db.session.scalars(db.select(Comment))}
    assert states == {"From the indicator's page": True, "Spoken": False, "While it paused": True, "After it ended": False}
    assert "While it paused" in now(facilitator, moderated, "console")["html"]  # what waits goes on waiting


def test_turning_moderation_off_shows_what_waits_and_leaves_what_is_held(
    comment: Comment, moderated: Room, facilitator: Any, phone: Any, event: Event, last_entry: Any, audit_ok: None
) -> None:
    hold(facilitator, comment, moderated)
    say(phone, moderated, "The second", key="s" * 20)
    page = facilitator.get(f"/rooms/{moderated.public_id}/console").text
    assert "Stop moderating? 1 comment that waits is shown to all." in page  # it asks first
    do(facilitator, moderated, "moderate", 0)
    second = db.session.scalars(db.select(Comment).where(Comment.text == "The second")).one()
    assert second.is_shown
    assert comment.is_held
    assert last_entry("comment.release").object_id == second.public_id
    assert say(phone, moderated, "The third", key="t" * 20).json["waits"] is False


def test_what_waits_in_another_session_too_goes_on_waiting_there(comment: Comment, moderated: Room, event: Event, facilitator: Any) -> None:
    session = Session(
        consultation_id=event.consultation_id, event=event, title={"en": "Plenary"}, day=event.starts_on,
        starts_at=dt.time(13), ends_at=dt.time(14), dimension=moderated.indicator.dimension if moderated.indicator else None,
    )  # fmt: skip
    db.session.add(session)
    audit.record(factories.BY, "session.add", session)
    other = actions.open_room(session, by=factories.BY)
    db.session.commit()
    do(facilitator, other, "start")
    do(facilitator, other, "moderate", 1)
    do(facilitator, moderated, "moderate", 0)
    db.session.refresh(comment)
    assert comment.waits_for_facilitator
    do(facilitator, other, "moderate", 0)
    db.session.refresh(comment)
    assert comment.is_shown


def test_who_may_moderate(comment: Comment, moderated: Room, event: Event, phone: Any, browse: Any) -> None:
    def users() -> list[tuple[User | Registration, int]]:
        stranger = factories.make_user(Role.FACILITATOR, factories.make_consultation())
        return [(factories.make_user(Role.OBSERVER, event.consultation), 403), (stranger, 404)]

    for who, status in users():
        client = browse(who)
        assert hold(client, comment, moderated).status_code == status
        for deed in ("moderate 0", f"release {comment.public_id}"):
            assert client.post(f"/rooms/{moderated.public_id}/do", data={"do": deed}).status_code == status
    assert hold(phone, comment, moderated).status_code == 403
    assert comment.waits_for_facilitator
