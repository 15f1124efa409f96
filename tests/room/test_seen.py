"""A phone and the console carry the revision that they showed (rules 3 and 25)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from consult_app.comments.models import Comment, Position
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Revision
from consult_app.db import db
from consult_app.room import actions
from consult_app.room.models import Room
from tests import factories
from tests.room.steps import now, say

pytestmark = pytest.mark.usefixtures("audit_ok")


def shown_on(html: str) -> str:
    found = re.search(r'data-revision="(\w*)"', html)
    assert found is not None
    return found[1]


@pytest.fixture
def running(room: Room) -> Room:
    actions.start(room, by=factories.BY)
    db.session.commit()
    return room


def revise(room: Room) -> Revision:
    assert room.indicator is not None
    section = room.indicator.dimension.section
    consultations.edit_section(section, {"narrative": {"en": "Another text."}}, section.edit_number, by=factories.BY)
    made = consultations.make_revision(section, by=factories.BY)
    db.session.commit()
    return made


def test_what_a_phone_sends_late_is_filed_on_the_revision_that_it_showed(running: Room, phone: Any) -> None:
    first = shown_on(now(phone, running)["html"])
    second = revise(running)
    assert shown_on(now(phone, running)["html"]) == second.public_id
    answer = say(phone, running, revision=first)
    assert (answer.json["revision"], answer.json["changed"]) == (1, True)
    assert say(phone, running, key="n" * 20, revision=second.public_id).json["changed"] is False
    assert [one.revision.number for one in db.session.scalars(db.select(Comment).order_by(Comment.id))] == [1, 2]
    place = f"/rooms/{running.public_id}/position"
    data = {"code": running.indicator.code, "value": "agree"}
    assert phone.post(place, data={**data, "revision": first}).json["changed"] is True
    assert phone.post(place, data=data).status_code == 422  # an old queue that does not say what it showed
    assert [one.revision.number for one in db.session.scalars(db.select(Position))] == [1]


def test_a_phone_is_refused_what_was_shown_of_another_section(running: Room, phone: Any) -> None:
    other = running.event.consultation.sections[1].revision.public_id
    for named in (other, "9" * 20, "'"):
        answer = say(phone, running, revision=named)
        assert answer.status_code == 422
        assert "is not a revision of this section" in answer.json["errors"][0]
        position = {"code": running.indicator.code, "value": "agree", "revision": named}
        assert phone.post(f"/rooms/{running.public_id}/position", data=position).status_code == 422
    assert db.session.scalar(db.select(Comment.id)) is None


def test_the_console_records_on_the_text_that_it_showed_of_whichever_section(running: Room, facilitator: Any, person: Any) -> None:
    page = facilitator.get(f"/rooms/{running.public_id}/console").text
    shown = re.findall(r'name="revision" value="(\w+)" data-section="(\d)"', page)
    sections = running.event.consultation.sections
    assert shown == [(section.revision.public_id, str(section.number)) for section in sections]
    revise(running)
    form = {"speaker": person.public_id, "kind": "context", "revision": [one for one, _number in shown]}
    for code in ("1.1", "2.1"):
        data = {**form, "code": code, "text": f"Said of {code}", "client_key": code * 5}
        assert facilitator.post(f"/rooms/{running.public_id}/record", data=data).status_code == 303
    filed = {one.indicator.code: one.revision for one in db.session.scalars(db.select(Comment))}
    assert {code: (one.section.number, one.number) for code, one in filed.items()} == {"1.1": (1, 1), "2.1": (2, 1)}
    refused = facilitator.post(f"/rooms/{running.public_id}/record", data={**form, "code": "1.1", "client_key": "x" * 9, "text": " "})
    assert refused.status_code == 422
    assert f'value="{shown[0][0]}" data-section="1"' in refused.text
