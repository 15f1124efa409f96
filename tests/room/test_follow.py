"""The phone beside what it follows: other indicators, the text of the section, endorsing, what is one's own, and the way in."""

from __future__ import annotations

import json
import re
from typing import Any

from consult_app.comments.actions import write_comment
from consult_app.comments.models import Comment, CommentKind, Endorsement
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Dimension
from consult_app.db import db
from consult_app.events.models import Event, EventState
from consult_app.policy import Role
from consult_app.registrations.models import Registration
from consult_app.room.models import Room
from tests import factories
from tests.room.steps import do, now, say


def test_a_phone_looks_at_any_indicator_of_the_room_and_all_see_the_same(room: Room, facilitator: Any, phone: Any, event: Event) -> None:
    other = "2.1"
    for state in ("waiting", "running"):
        answer = now(phone, room, f"phone&code={other}")
        assert f'data-code="{other}"' in answer["html"], state
        if state == "waiting":
            do(facilitator, room, "start")
    do(facilitator, room, "comments", 0)
    shown, browsed = now(phone, room)["html"], now(phone, room, f"phone&code={other}")["html"]
    assert 'data-comments=""' in shown
    assert 'data-comments="1"' in browsed  # only what the room shows is closed
    code = {"code": other, "kind": "context", "text": "Said while browsing", "client_key": "b" * 20}
    assert phone.post(f"/rooms/{room.public_id}/comments", data=code).status_code == 200
    assert "Said while browsing" in now(phone, room, f"phone&code={other}")["html"]
    page = phone.get(f"/rooms/{room.public_id}").text
    assert re.findall(r'data-browse="([\d.]+)"', page) == ["1.1", "2.1", "1.2", "2.2", "1.3", "2.3"]
    first = db.session.scalars(db.select(Dimension).where(Dimension.consultation_id == event.consultation_id, Dimension.number == 1)).one()
    room.session.dimension_id = first.id
    factories.audit.record(factories.BY, "session.change", room.session)
    db.session.commit()
    assert phone.get(f"/rooms/{room.public_id}/now?code={other}").status_code == 404
    assert phone.get(f"/rooms/{room.public_id}/now?code=%3Cb%3E%00").status_code == 404


def test_the_draft_text_is_that_of_the_current_revision(room: Room, phone: Any, event: Event, browse: Any) -> None:
    section = event.consultation.sections[0]
    where = f"/rooms/{room.public_id}/sections/1"
    assert "Text of section 1." in phone.get(where).text
    consultations.start_review(section, by=factories.BY)
    consultations.edit_section(section, {"narrative": {"en": "Not yet a <b>revision</b>."}}, section.edit_number, by=factories.BY)
    db.session.commit()
    assert "Not yet" not in phone.get(where).text
    consultations.open_section(section, by=factories.BY)
    db.session.commit()
    assert "Not yet a &lt;b&gt;revision" in phone.get(where).text
    assert phone.get(f"/rooms/{room.public_id}/sections/9").status_code == 404
    stranger = browse(factories.make_registration(factories.make_event(factories.make_consultation())))
    assert stranger.get(where).status_code == 404


def test_endorsing_what_the_phone_shows(
    room: Room, facilitator: Any, phone: Any, event: Event, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    do(facilitator, room, "start")
    say(phone, room)
    comment = db.session.scalars(db.select(Comment)).one()
    follower = browse(factories.make_registration(event))
    where, given = f"/rooms/{room.public_id}/endorse", {"comment": comment.public_id}
    fetch = {"X-Requested-With": "fetch"}
    assert follower.post(where, data=given, headers=fetch).json == {"endorsed": True}
    assert last_entry("endorsement.add") is not None
    assert f'data-endorsed="{comment.public_id}"' in follower.get(f"/rooms/{room.public_id}").text
    assert f'data-written="{comment.public_id}"' in phone.get(f"/rooms/{room.public_id}").text
    assert follower.post(where, data=given, headers=fetch).json == {"endorsed": False}
    assert phone.post(where, data=given).status_code == 409  # their own
    assert follower.post(where, data={"comment": "none"}).status_code == 404
    assert facilitator.post(where, data=given).status_code == 403
    do(facilitator, room, "comments", 0)
    assert follower.post(where, data=given).status_code == 409
    assert db.session.scalar(db.select(db.func.count()).select_from(Endorsement)) == 0


def test_rule_3_own_positions_stay_in_sight_and_say_of_which_text_they_are(room: Room, facilitator: Any, phone: Any, event: Event) -> None:
    do(facilitator, room, "start")
    assert phone.post(f"/rooms/{room.public_id}/position", data={"code": "1.1", "value": "agree"}).status_code == 200

    def held() -> Any:
        found = re.search(r"data-held='(.*?)'", phone.get(f"/rooms/{room.public_id}").text)
        assert found
        return json.loads(found.group(1))

    assert held() == {"1.1": ["agree", True]}
    section = event.consultation.sections[0]
    consultations.start_review(section, by=factories.BY)
    consultations.edit_section(section, {"narrative": {"en": "Another text."}}, section.edit_number, by=factories.BY)
    consultations.open_section(section, by=factories.BY)
    db.session.commit()
    assert held() == {"1.1": ["agree", False]}


def test_the_walls_qr_leads_to_the_room_or_to_the_personal_link(
    room: Room, facilitator: Any, phone: Any, event: Event, browse: Any
) -> None:
    short, where = f"/r/{room.public_id}", f"/rooms/{room.public_id}"
    for who in (phone, facilitator):
        assert who.get(short).headers["Location"] == where
    stranger = browse(factories.make_registration(factories.make_event(factories.make_consultation())))
    for who in (browse(), stranger):
        page = who.get(short)
        assert page.status_code == 200
        assert f'href="/open?then={where}"' in page.text.replace("%2F", "/")
        assert event.title["en"] in page.text
    assert browse().get("/r/none").status_code == 404
    event.state = EventState.DRAFT
    db.session.commit()
    assert event.title["en"] not in browse().get(short).text
    screen = facilitator.get(f"{where}/screen").text
    assert f"127.0.0.1:8000<br>{short}" in screen
    assert "<dt><kbd>?</kbd></dt>" in screen
    clerk = browse(factories.make_user(Role.CHECK_IN, event.consultation))
    assert "<kbd>" not in clerk.get(f"{where}/screen").text  # shows, but does not turn


def test_ten_and_three_hundred_comments_take_the_same_statements(
    room: Room, facilitator: Any, phone: Any, person: Registration, event: Event, count_queries: Any
) -> None:
    do(facilitator, room, "start")
    indicator, slug = room.indicator, event.consultation.slug
    assert indicator is not None
    taken = []
    for number in (10, 300):
        people = [factories.make_registration(event, kind=kind) for kind in ("government", "ngo", "cso")]
        while (count := db.session.scalar(db.select(db.func.count()).select_from(Comment)) or 0) < number:
            who = people[count % 3]
            write_comment(indicator, who, CommentKind.CONTEXT, f"Comment {count}", by=who, client_key=f"key-{count}")
        db.session.commit()
        pages = (
            f"/consultations/{slug}/indicators/{indicator.code}",
            f"/rooms/{room.public_id}",
            f"/rooms/{room.public_id}/now?view=phone",
        )
        console = (f"/rooms/{room.public_id}/now?view=console", f"/rooms/{room.public_id}/console")
        found = []
        for client, paths in ((phone, pages), (facilitator, console)):
            for path in paths:
                with count_queries() as statements:
                    assert client.get(path).status_code == 200
                found.append(len(statements))
        taken.append(found)
    assert taken[0] == taken[1]
    assert max(taken[0]) <= 30
