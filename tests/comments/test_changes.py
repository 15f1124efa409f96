"""A change is linked to the accepted comments it answers, and the revision that follows carries them (rule 14)."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.comments import answers
from consult_app.comments.models import ChangeLink, Comment, DispositionKind
from consult_app.consultations import actions as consultations
from consult_app.db import db
from consult_app.policy import Role
from tests import factories
from tests.signoff.steps import comment_on

pytestmark = pytest.mark.usefixtures("audit_ok")
BY = factories.BY


@pytest.fixture
def editor(consultation: Any) -> Any:
    return factories.make_user(Role.RAPPORTEUR, consultation)


@pytest.fixture
def comment(section: Any, author: Any, focal_point: Any) -> Comment:
    """An accepted comment with a wording, on a section that is in review."""
    made = comment_on(section, author, "The law is missing.", proposed="Finding 0, by the law of 2017.", proposed_language="en")
    comment_on(section, author, "Not answered yet.")
    answers.decide(made, DispositionKind.ACCEPTED, "", by=focal_point)
    consultations.start_review(section, by=BY)
    db.session.commit()
    return made


def at(section: Any, rest: str) -> str:
    return f"/consultations/{section.consultation.slug}/{rest}"


def links() -> list[ChangeLink]:
    return list(db.session.scalars(db.select(ChangeLink).order_by(ChangeLink.id)))


def finding(comment: Comment, edit_number: int = 0, **more: Any) -> dict[str, Any]:
    return {"edit_number": str(edit_number), "finding-en": "Finding 0, by the law of 2017.", "answers": comment.public_id, **more}


def test_rule_14_a_linked_change_is_carried_by_the_next_revision(
    comment: Comment, section: Any, editor: Any, author: Any, browse: Any, last_entry: Any
) -> None:
    client = browse(editor)
    for page in ("sections/1/edit", "indicators/1.1/edit"):
        shown = client.get(at(section, page)).text
        assert "The law is missing." in shown
        assert all(words in shown for words in ("[added:", ", by the law of 2017"))  # as a difference
        assert 'data-words="Finding 0, by the law of 2017."' in shown
        assert "Not answered yet." not in shown
    assert "waits for a change" not in client.get(at(section, "indicators/1.2/edit")).text
    assert client.post(at(section, "indicators/1.1/edit"), data=finding(comment)).status_code == 303
    (made,) = links()
    assert (made.comment, made.indicator.code, made.edit_number, made.linked_by) == (comment, "1.1", 1, editor)
    assert last_entry("change_link.make").actor == editor.actor_key
    assert "A change of the finding of 1.1 answers it." in client.get(at(section, "sections/1/edit")).text
    assert comment.waits_for_revision  # not before the revision
    assert client.post(at(section, "sections/1/advance"), data={"to": "freeze", "note": "as decided"}).status_code == 303
    assert comment.disposition.revision.number == 2
    assert made.revision.number == 2
    assert last_entry("disposition.carry") is not None
    for reader in (editor, author):
        page = browse(reader).get(at(section, "sections/1/revisions/2")).text
        assert "Finding of 1.1" in page
        assert f"comment-{comment.public_id}" in page
    assert "Comments that these changes answer" not in client.get(at(section, "sections/1/revisions/1")).text


def test_the_text_of_the_section_answers_as_well(comment: Comment, section: Any, editor: Any, browse: Any) -> None:
    client = browse(editor)
    form = {"edit_number": "0", "narrative-en": "Text with the law.", "answers": comment.public_id}
    assert client.post(at(section, "sections/1/edit"), data=form).status_code == 303
    assert client.post(at(section, "sections/1/edit"), data={**form, "edit_number": "1"}).status_code == 303
    assert client.post(at(section, "indicators/1.1/edit"), data=finding(comment)).status_code == 303
    assert [made.indicator_id is None for made in links()] == [True, False]  # once for each place
    client.post(at(section, "sections/1/advance"), data={"to": "revise"})
    page = client.get(at(section, "sections/1/revisions/2")).text
    assert "Text of the section" in page
    assert "Finding of 1.1" in page


def test_a_link_is_taken_back_before_the_revision_only(
    comment: Comment, section: Any, editor: Any, focal_point: Any, browse: Any, last_entry: Any
) -> None:
    client = browse(editor)
    client.post(at(section, "indicators/1.1/edit"), data=finding(comment))
    path = at(section, f"changes/{links()[0].public_id}/take-back")
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).post(path).status_code == 404
    assert browse(focal_point).post(path).status_code == 403
    assert client.post(path).status_code == 303
    assert links() == []
    assert last_entry("change_link.delete").actor == editor.actor_key
    assert client.post(path).status_code == 404
    consultations.make_revision(section, by=BY)
    assert comment.waits_for_revision
    client.post(at(section, "indicators/1.1/edit"), data=finding(comment, 1, **{"finding-en": "Another."}))
    consultations.make_revision(section, by=BY)
    db.session.commit()
    assert client.post(at(section, f"changes/{links()[0].public_id}/take-back")).status_code == 409
    assert comment.disposition.revision.number == 3


def test_what_cannot_be_linked_is_refused_and_nothing_typed_is_lost(
    comment: Comment, section: Any, editor: Any, focal_point: Any, browse: Any
) -> None:
    client = browse(editor)
    same = {"edit_number": "0", "finding-en": "Finding 0.", "finding-id": "Temuan 0.", "answers": comment.public_id}
    answer = client.post(at(section, "indicators/1.1/edit"), data=same)
    assert answer.status_code == 422
    assert "does not differ from revision 1" in answer.text
    answers.decide(comment, DispositionKind.NOTED, "After all not.", by=focal_point)
    for page, form in (
        ("indicators/1.1/edit", finding(comment)),
        ("sections/1/edit", {"edit_number": "0", "narrative-en": "Typed for an hour.", "answers": ["x", comment.public_id]}),
    ):
        answer = client.post(at(section, page), data=form)
        assert answer.status_code == 422
        assert "does not wait for a revision any more" in answer.text
        assert (form.get("narrative-en") or form["finding-en"]) in answer.text
    assert links() == []
    assert (section.edit_number, comment.indicator.edit_number) == (0, 0)  # nothing is half saved


def test_the_second_editor_keeps_what_is_ticked(comment: Comment, section: Any, editor: Any, browse: Any) -> None:
    consultations.edit_section(section, {"narrative": {"en": "Of somebody else."}}, 0, by=BY)
    form = {"edit_number": "0", "narrative-en": "Mine.", "answers": comment.public_id}
    answer = browse(editor).post(at(section, "sections/1/edit"), data=form)
    assert answer.status_code == 409
    assert f'value="{comment.public_id}" checked' in answer.text
    assert links() == []


def test_an_answer_changed_after_the_link_is_not_carried(
    comment: Comment, section: Any, editor: Any, focal_point: Any, browse: Any
) -> None:
    browse(editor).post(at(section, "indicators/1.1/edit"), data=finding(comment))
    answers.decide(comment, DispositionKind.NOT_ACCEPTED, "After all not.", by=focal_point)
    consultations.make_revision(section, by=BY)
    db.session.commit()
    assert links() == []
    assert comment.disposition.revision is None


def test_the_margin_costs_the_same_for_many(
    section: Any, author: Any, focal_point: Any, editor: Any, browse: Any, count_queries: Any
) -> None:
    client, counts = browse(editor), []
    for number in (1, 9):
        for n in range(number):
            made = comment_on(section, author, f"{number}-{n} is missing.", proposed="Other words.", proposed_language="en")
            answers.decide(made, DispositionKind.ACCEPTED_IN_PART, "In part.", by=focal_point)
        db.session.commit()
        with count_queries() as statements:
            assert "is missing." in client.get(at(section, "sections/1/edit")).text
        counts.append(len(statements))
    assert counts[1] <= counts[0]
