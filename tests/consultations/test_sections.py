"""The steps of a section, its revisions, and its pages."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app import audit
from consult_app.consultations import actions
from consult_app.consultations.models import Revision, Section, SectionState
from consult_app.db import db
from consult_app.errors import Conflict
from consult_app.policy import Role
from tests.factories import BY, make_consultation, make_event, make_registration, make_user

pytestmark = pytest.mark.usefixtures("audit_ok")


@pytest.fixture
def section(app: Any) -> Section:
    return make_consultation().sections[0]


def _path(section: Section, rest: str = "") -> str:
    return f"/consultations/{section.consultation.slug}/sections/{section.number}{rest}"


def _rapporteur(section: Section) -> Any:
    return make_user(Role.RAPPORTEUR, section.consultation)


# -- revisions --


def test_opening_makes_a_revision(section: Section, last_entry: Any) -> None:
    revision = actions.open_section(section, by=BY)
    assert (section.state, section.revision_number, revision.number) == (SectionState.OPEN, 1, 1)
    assert revision.sha256 == audit.sha256(audit.canonical(revision.content))
    assert revision.content["narrative"] == {"en": "Text of section 1."}
    assert [row["code"] for row in revision.content["indicators"]] == ["1.1", "1.2"]
    assert section.revision is revision
    assert last_entry("revision.make").object_id == revision.public_id
    assert last_entry("section.open") is not None


def test_rule_3_a_revision_never_changes(section: Section) -> None:
    first = actions.open_section(section, by=BY)
    kept = dict(first.content)
    actions.start_review(section, by=BY)
    actions.edit_section(section, {"narrative": {"en": "Another text."}}, 0, by=BY)
    second = actions.freeze_section(section, by=BY)
    db.session.commit()
    assert (first.number, second.number) == (1, 2)
    assert first.content == kept
    assert first.sha256 != second.sha256
    first.note = "rewritten"
    with pytest.raises(Conflict):
        db.session.flush()
    db.session.rollback()


def test_rule_3_a_revision_changed_in_the_database_is_found(section: Section) -> None:
    revision = actions.open_section(section, by=BY)
    db.session.commit()
    db.session.execute(db.update(Revision).values(content={"narrative": {"en": "Forged."}}))
    db.session.commit()
    assert any(revision.public_id in fault.what for fault in audit.verify()[1])
    db.session.execute(db.update(Revision).values(content=actions.content_of(section)))


def test_an_unchanged_text_makes_no_other_revision(section: Section) -> None:
    first = actions.open_section(section, by=BY)
    actions.start_review(section, by=BY)
    assert actions.make_revision(section, by=BY) is first
    assert actions.freeze_section(section, by=BY) is first
    actions.mark_signed(section, True, by=BY)
    actions.reopen_section(section, by=BY, reason="a figure")
    assert actions.freeze_section(section, by=BY) is first
    assert section.revision_number == 1


def test_freezing_tells_those_who_listen(section: Section) -> None:
    heard = []

    def listen(sender: Section, by: Any) -> None:
        heard.append((sender, by))

    actions.open_section(section, by=BY)
    actions.start_review(section, by=BY)
    with actions.section_frozen.connected_to(listen):
        actions.freeze_section(section, by=BY)
    assert heard == [(section, BY)]


STEPS = {
    "open": lambda s: actions.open_section(s, by=BY),
    "review": lambda s: actions.start_review(s, by=BY),
    "freeze": lambda s: actions.freeze_section(s, by=BY),
    "reopen": lambda s: actions.reopen_section(s, by=BY),
    "return": lambda s: actions.return_section(s, by=BY),
    "sign": lambda s: actions.mark_signed(s, True, by=BY),
    "unsign": lambda s: actions.mark_signed(s, False, by=BY),
}
ALLOWED = {
    SectionState.DRAFT: {"open"},
    SectionState.OPEN: {"review"},
    SectionState.IN_REVIEW: {"open", "freeze"},
    SectionState.FROZEN: {"reopen", "return", "sign", "unsign"},
    SectionState.SIGNED: {"reopen", "return", "sign", "unsign"},
    SectionState.RETURNED: {"open", "freeze"},
}


@pytest.mark.parametrize("state", list(SectionState))
@pytest.mark.parametrize("step", list(STEPS))
def test_every_step_from_every_state(section: Section, state: SectionState, step: str) -> None:
    section.state = state
    audit.record(BY, "section.test", section)
    if step in ALLOWED[state]:
        STEPS[step](section)
    else:
        with pytest.raises(Conflict) as refusal:
            STEPS[step](section)
        assert str(section.number) in str(refusal.value.message)
        assert section.state is state


# -- editing --


def test_edit(section: Section, browse: Any, last_entry: Any) -> None:
    client = browse(_rapporteur(section))
    assert "Text of section 1." in client.get(_path(section, "/edit")).text
    form = {"edit_number": "0", "narrative-en": "New text.", "narrative-id": "Teks baru.", "recommendations-en": "One\nTwo"}
    assert client.post(_path(section, "/edit"), data=form).status_code == 303
    assert section.narrative == {"en": "New text.", "id": "Teks baru."}
    assert (section.edit_number, section.edited_by.name) == (1, last_entry("section.edit") and section.edited_by.name)


def test_edit_on_an_older_text_shows_both(section: Section, browse: Any) -> None:
    client = browse(_rapporteur(section))
    actions.edit_section(section, {"narrative": {"en": "Text of somebody else."}}, 0, by=BY)
    form = {"edit_number": "0", "narrative-en": "Text of mine."}
    answer = client.post(_path(section, "/edit"), data=form)
    assert answer.status_code == 409
    assert "Text of mine." in answer.text
    assert "somebody else" in answer.text
    assert 'name="edit_number" type="hidden" value="1"' in answer.text
    assert section.narrative == {"en": "Text of somebody else."}
    assert client.post(_path(section, "/edit"), data={**form, "edit_number": "1"}).status_code == 303
    assert section.narrative["en"] == "Text of mine."


def test_edit_while_frozen_keeps_what_was_typed(section: Section, browse: Any) -> None:
    client = browse(_rapporteur(section))
    section.state = SectionState.FROZEN
    audit.record(BY, "section.test", section)
    answer = client.post(_path(section, "/edit"), data={"edit_number": "0", "narrative-en": "Typed for an hour."})
    assert answer.status_code == 409
    assert "Typed for an hour." in answer.text
    assert section.narrative == {"en": "Text of section 1."}


def test_edit_keeps_the_language_that_is_not_asked(app: Any, browse: Any) -> None:
    section = make_consultation(languages=["id"]).sections[0]
    client = browse(_rapporteur(section))
    assert "narrative-en" not in client.get(_path(section, "/edit")).text
    client.post(_path(section, "/edit"), data={"edit_number": "0", "narrative-id": "Teks."})
    assert section.narrative == {"en": "Text of section 1.", "id": "Teks."}


def test_edit_invalid(section: Section, browse: Any) -> None:
    client = browse(_rapporteur(section))
    assert client.post(_path(section, "/edit"), data={"edit_number": "x"}).status_code == 422
    assert client.post(_path(section, "/edit"), data={"edit_number": "0", "narrative-en": "a" * 20_001}).status_code == 422


# -- pages --


def test_advance_through_the_pages(section: Section, browse: Any) -> None:
    client = browse(_rapporteur(section))
    states = {"open": "open", "in_review": "in_review", "freeze": "frozen", "reopen": "in_review"}
    for to, state in states.items():
        assert client.post(_path(section, "/advance"), data={"to": to}).status_code == 303
        assert section.state.value == state
    assert client.post(_path(section, "/advance"), data={"to": "reopen"}).status_code == 409
    assert client.post(_path(section, "/advance"), data={"to": "publish"}).status_code == 422
    actions.edit_section(section, {"narrative": {"en": "After the comments."}}, section.edit_number, by=BY)
    assert client.post(_path(section, "/advance"), data={"to": "revise", "note": "as decided"}).status_code == 303
    assert section.revision_number == 2


@pytest.mark.parametrize("page", ["", "/edit", "/advance", "/revisions/1"])
def test_strangers_and_roles(section: Section, browse: Any, page: str) -> None:
    actions.open_section(section, by=BY)
    other = make_user(Role.ORGANISER, make_consultation())
    facilitator = make_user(Role.FACILITATOR, section.consultation)
    ask = "post" if page == "/advance" else "get"
    assert getattr(browse(other), ask)(_path(section, page)).status_code == 404
    assert getattr(browse(facilitator), ask)(_path(section, page)).status_code == (403 if page in ("/edit", "/advance") else 200)
    assert getattr(browse(), ask)(_path(section, page)).status_code == 303  # to sign in
    assert browse(facilitator).get(_path(section).replace("/sections/1", "/sections/99")).status_code == 404


def test_participants_read_the_revision_and_not_the_working_text(section: Section, browse: Any) -> None:
    participant = browse(make_registration(make_event(section.consultation)))
    assert participant.get(_path(section)).status_code == 404
    actions.open_section(section, by=BY)
    actions.edit_section(section, {"narrative": {"en": "Not yet told."}}, 0, by=BY)
    page = participant.get(_path(section))
    assert page.status_code == 200
    assert "Text of section 1." in page.text
    assert "Not yet told." not in page.text
    assert "Not yet told." in browse(_rapporteur(section)).get(_path(section)).text
    assert participant.get(f"/consultations/{section.consultation.slug}/sections").status_code == 403


def test_revision_shows_the_difference(section: Section, browse: Any) -> None:
    actions.open_section(section, by=BY)
    actions.edit_section(section, {"narrative": {"en": "Words of section 1."}}, 0, by=BY)
    actions.make_revision(section, by=BY, note="wording")
    page = browse(_rapporteur(section)).get(_path(section, "/revisions/2"))
    assert page.status_code == 200
    assert "<del>" in page.text
    assert "wording" in page.text
    assert browse(_rapporteur(section)).get(_path(section, "/revisions/3")).status_code == 404


@pytest.mark.parametrize("indicators", [3, 76, 98])
def test_rule_1_counts_are_never_hard_coded(app: Any, browse: Any, indicators: int, count_queries: Any) -> None:
    consultation = make_consultation(indicators, min(6, indicators))
    client = browse(make_user(Role.ORGANISER, consultation))
    with count_queries() as statements:
        page = client.get(f"/consultations/{consultation.slug}/indicators")
    assert f"{indicators} indicators in {min(6, indicators)} dimensions" in page.text
    assert len(statements) < 15
    assert client.get(f"/consultations/{consultation.slug}/sections").text.count('<li class="card">') == min(6, indicators)
