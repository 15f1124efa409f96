"""Everybody but the staff reads a revision, never the text that is being worked on (rule 3)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask

from consult_app import audit
from consult_app.consultations import actions as consultations
from consult_app.consultations.findings import edit_finding
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.events.models import Session
from consult_app.policy import Role
from consult_app.room import actions as rooms
from tests import factories

WORDS = ("Unfrozen finding", "Unfrozen question", "Unfrozen evidence", "Unfrozen narrative")
READERS = ("participant", "observer", "administrator")


@pytest.fixture
def consultation(app: Flask) -> Consultation:
    """Section 1 was put before participants and is being changed since; section 2 never was."""
    made = factories.make_consultation()
    consultations.open_section(made.sections[0], by=factories.BY)
    for section in made.sections:
        consultations.edit_section(section, {"narrative": {"en": WORDS[3]}}, section.edit_number, by=factories.BY)
        indicator = section.dimension.indicators[0]
        values = {"finding": {"en": WORDS[0], "id": WORDS[0]}, "evidence": WORDS[2], "answer": "complete"}
        edit_finding(indicator, values, indicator.edit_number, by=factories.BY)
        indicator.question = {"en": WORDS[1], "id": WORDS[1]}
        audit.record(factories.BY, "indicator.change", indicator)
    db.session.commit()
    return made


@pytest.fixture
def event(consultation: Consultation) -> Any:
    return factories.make_event(consultation)


@pytest.fixture
def people(consultation: Consultation, event: Any, browse: Any) -> dict[str, Any]:
    return {
        "participant": browse(factories.make_registration(event)),
        "observer": browse(factories.make_user(Role.OBSERVER, consultation)),
        "administrator": browse(factories.make_user(administrator=True)),
        "rapporteur": browse(factories.make_user(Role.RAPPORTEUR, consultation)),
    }


def pages(consultation: Consultation) -> list[str]:
    home = f"/consultations/{consultation.slug}"
    return [
        f"{home}/indicators/1.1", f"{home}/indicators/2.1", f"{home}/take-part", f"{home}/positions", f"{home}/positions?by=institution",
        f"{home}/sections/1", f"{home}/sections/2", f"{home}/indicators", f"{home}/framework.csv", f"{home}/comment-matrix.csv",
        f"{home}/indicators/1.1/text", f"{home}/comments",
    ]  # fmt: skip


@pytest.mark.parametrize("who", READERS)
def test_no_page_or_file_shows_the_working_text(consultation: Consultation, people: dict[str, Any], who: str) -> None:
    read = 0
    for page in pages(consultation):
        answer = people[who].get(page)
        assert answer.status_code in (200, 403, 404), page
        read += answer.status_code == 200
        for words in WORDS:
            assert words not in answer.text, (page, words)
    assert read >= 7


@pytest.mark.parametrize("who", READERS)
def test_what_was_put_before_participants_is_read_and_what_was_not_is_said(
    consultation: Consultation, people: dict[str, Any], who: str
) -> None:
    client, home = people[who], f"/consultations/{consultation.slug}/indicators"
    page = client.get(f"{home}/1.1").text
    assert "Finding 0." in page
    assert "Is there a policy number 0?" in page
    page = client.get(f"{home}/2.1").text
    assert "Not put before participants yet" in page
    assert "Its text is still being prepared." in page


def test_staff_see_the_working_text_by_that_name(consultation: Consultation, people: dict[str, Any]) -> None:
    client, home = people["rapporteur"], f"/consultations/{consultation.slug}"
    for code in ("1.1", "2.1"):
        page = client.get(f"{home}/indicators/{code}").text
        assert "Working text, which only the staff see" in page
        assert WORDS[0] in page.split("Working text, which only the staff see")[1]
        assert WORDS[0] not in page.split("Working text, which only the staff see")[0]
    assert WORDS[3] in client.get(f"{home}/sections/1").text
    assert WORDS[0] in client.get(f"{home}/framework.csv").text
    consultations.make_revision(consultation.sections[0], by=factories.BY)
    assert "Working text" not in client.get(f"{home}/indicators/1.1").text


def test_phones_hall_and_console_read_the_revision(consultation: Consultation, event: Any, people: dict[str, Any], browse: Any) -> None:
    facilitator = browse(factories.make_user(Role.FACILITATOR, consultation))
    session = Session(
        consultation_id=consultation.id, event=event, title={"en": "Group one"}, day=event.starts_on,
        starts_at=dt.time(10), ends_at=dt.time(12),
    )  # fmt: skip
    db.session.add(session)
    audit.record(factories.BY, "session.add", session)
    room = rooms.open_room(session, by=factories.BY)
    rooms.start(room, by=factories.BY)
    db.session.commit()
    base = f"/rooms/{room.public_id}"
    for indicator, expected in (
        (consultation.dimensions[0].indicators[0], "Is there a policy number 0?"),
        (consultation.dimensions[1].indicators[0], "Not put"),
    ):
        rooms.show(room, indicator, by=factories.BY)
        shown = [
            people["participant"].get(base),
            people["participant"].get(f"{base}/now"),
            people["participant"].get(f"{base}/now?view=hall"),
        ]
        shown += [facilitator.get(f"{base}/screen"), facilitator.get(f"{base}/console"), facilitator.get(f"{base}/now?view=console")]
        shown.append(people["participant"].get(f"{base}/sections/{indicator.dimension.number}"))
        for answer in shown[:-1]:
            assert expected in answer.text
        for answer in shown:
            assert answer.status_code == 200
            for words in WORDS:
                assert words not in answer.text
