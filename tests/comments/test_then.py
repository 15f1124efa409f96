"""Rule 28: who spoke is who spoke then. What was said keeps the institution and type that its author had when writing."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from consult_app import audit
from consult_app.comments import actions, replies
from consult_app.comments.heat import heat_map, institution_map
from consult_app.comments.models import Comment, CommentKind, Position, PositionValue, Reply
from consult_app.comments.queries import positions
from consult_app.consultations.models import Attribution, Consultation, Section
from consult_app.db import db
from consult_app.policy import Role
from consult_app.registrations import speakers
from consult_app.registrations.models import Institution, Registration, StakeholderType
from tests import factories
from tests.registrations.test_change import CHANGE
from tests.test_audit import as_recorded_before, newest

MOVE = {**CHANGE, "name": "Siti Author", "stakeholder_type": "un", "institution": "Another Institute"}


@pytest.fixture
def said(section: Section, author: Registration) -> Comment:
    """A comment, a reply and a position of the author, who then becomes somebody else's."""
    indicator = section.dimension.indicators[0]
    comment = actions.write_comment(indicator, author, CommentKind.CORRECTION, "Said before.", by=author, client_key="before")
    replies.reply_to(comment, "Replied before.", by=author, client_key="before")
    actions.take_position(indicator, author, PositionValue.AGREE, "", by=author)
    db.session.commit()
    return comment


def say_more(comment: Comment, author: Registration) -> None:
    actions.write_comment(comment.indicator, author, CommentKind.CORRECTION, "Said after.", by=author, client_key="after")
    replies.reply_to(comment, "Replied after.", by=author, client_key="after")
    other = comment.section.dimension.indicators[1]
    actions.take_position(other, author, PositionValue.AGREE, "", by=author)
    db.session.commit()


def kinds(model: Any) -> list[tuple[str, str]]:
    query = select(Institution.name, StakeholderType.code).select_from(model).join(Institution, Institution.id == model.institution_id)
    rows = db.session.execute(query.join(StakeholderType, StakeholderType.id == model.stakeholder_type_id).order_by(model.id))
    return [(name["en"], code) for name, code in rows]


def test_who_moves_changes_only_what_comes(
    said: Comment, author: Registration, consultation: Consultation, browse: Any, audit_ok: None
) -> None:
    consultation.attribution = Attribution.BY_INSTITUTION
    audit.record(factories.BY, "consultation.change", consultation)
    assert browse(author).post("/my/registration/change", data=MOVE).status_code == 303
    say_more(said, author)
    for model in (Comment, Reply, Position):
        assert kinds(model) == [("Office of Siti", "ngo"), ("Another Institute", "un")]
    reader = browse(factories.make_user(Role.OBSERVER, consultation))
    page = reader.get(f"/consultations/{consultation.slug}/indicators/{said.indicator.code}").text
    assert page.count("Office of Siti") == page.count("Another Institute") == 2
    matrix = reader.get(f"/consultations/{consultation.slug}/comment-matrix.csv").text
    assert "Office of Siti" in matrix
    assert "Another Institute" in matrix


def by_type(consultation: Consultation, comment: Comment) -> list[str]:
    types, rows = heat_map(consultation, suppress=False)
    found = [kind.code for kind, cell in zip(types, rows[0].cells, strict=True) if cell is not None]
    assert [row.name for row in positions(comment.indicator, suppress=False).rows] == [kind.name for kind in types if kind.code in found]
    return found


def test_figures_by_type_are_of_the_type_they_had(
    said: Comment, author: Registration, consultation: Consultation, browse: Any, audit_ok: None
) -> None:
    assert browse(author).post("/my/registration/change", data=MOVE).status_code == 303
    assert by_type(consultation, said) == ["ngo"]
    desk = browse(factories.make_user(Role.RAPPORTEUR, consultation))
    found = {kind: "Said before." in desk.get(f"/consultations/{consultation.slug}/comments?type={kind}").text for kind in ("ngo", "un")}
    assert found == {"ngo": True, "un": False}


def test_an_organiser_who_mends_a_mistake_ticks_it(
    said: Comment, author: Registration, consultation: Consultation, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    organiser = browse(factories.make_user(Role.ORGANISER, consultation))
    page = f"/events/{author.event.slug}/registrations/{author.public_id}/edit"
    assert "It was so from the beginning" in organiser.get(page).text
    form = {**MOVE, "role": "participant"}
    assert organiser.post(page, data=form).status_code == 303
    assert by_type(consultation, said) == ["ngo"]
    assert organiser.post(page, data={**form, "from_beginning": "y"}).status_code == 303
    assert by_type(consultation, said) == ["un"]
    assert kinds(Comment) == kinds(Reply) == [("Another Institute", "un")]
    assert "from the beginning" in last_entry("comment.correct").note
    assert last_entry("registration.change").note == "from the beginning"


def test_nobody_ticks_it_for_themselves(said: Comment, author: Registration, browse: Any) -> None:
    assert browse(author).post("/my/registration/change", data={**MOVE, "from_beginning": "y"}).status_code == 303
    assert kinds(Comment) == [("Office of Siti", "ngo")]


def test_what_stood_for_an_institution_stands_when_its_speaker_leaves(
    said: Comment, author: Registration, consultation: Consultation, browse: Any, audit_ok: None
) -> None:
    speakers.let_speak(author, by=factories.BY)
    assert browse(author).post("/my/registration/change", data=MOVE).status_code == 303
    assert not author.speaks_for_institution
    assert [one.institution.name["en"] for one in institution_map(consultation).holdings] == ["Office of Siti"]
    successor = factories.make_registration(author.event, institution="Office of Siti", kind="ngo")
    speakers.let_speak(successor, by=factories.BY)
    actions.take_position(said.indicator, successor, PositionValue.DISAGREE, "why", by=successor)
    found = institution_map(consultation)
    assert [one.counts[PositionValue.DISAGREE] for one in found.holdings] == [1]


def test_a_position_taken_again_is_of_who_takes_it(said: Comment, author: Registration, browse: Any, audit_ok: None) -> None:
    assert browse(author).post("/my/registration/change", data=MOVE).status_code == 303
    actions.take_position(said.indicator, author, PositionValue.DISAGREE, "why", by=author)
    assert by_type(author.event.consultation, said) == ["un"]


def test_the_log_of_a_site_that_was_there_before_covers_it(said: Comment, author: Registration) -> None:
    """An entry that was made before the columns were there says nothing of them; after `consult migrate` a change is found."""
    position = db.session.scalars(select(Position)).one()
    as_recorded_before(newest("Position"), "institution_id", "stakeholder_type_id", "was_spoken")
    db.session.info.clear()
    assert audit.verify()[1] == []
    assert audit.record_uncovered(factories.BY) == 1
    db.session.commit()
    assert audit.verify()[1] == []
    other = factories.make_registration(author.event, institution="Another Institute")
    db.session.execute(update(Position).values(institution_id=other.institution_id))
    assert [fault.what for fault in audit.verify()[1]] == [f"Position {position.public_id} is not as it was recorded: institution_id"]
