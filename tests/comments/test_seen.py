"""What somebody writes is filed on the revision that was on their screen (rules 3 and 25)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from consult_app.comments.models import Comment, Position, Reply
from consult_app.consultations import actions as consultations
from consult_app.consultations.findings import edit_finding
from consult_app.consultations.models import Consultation, Revision, Section
from consult_app.db import db
from consult_app.policy import Role
from tests import factories
from tests.signoff.steps import comment_on, freeze

pytestmark = pytest.mark.usefixtures("audit_ok")
FORM = {"client_key": "k1", "kind": "wording", "text": "More exactly:", "proposed": "Finding nought.", "proposed_language": "en"}
CHANGED = "the text has changed since"
NUMBERS = ["9" * 20, "0", "-1", "x", "<b>", "../1"]


def url(consultation: Consultation, deed: str = "") -> str:
    return f"/consultations/{consultation.slug}/indicators/1.1{deed}"


def shown_on(page: str) -> list[str]:
    return re.findall(r'name="revision" value="(\w*)"', page)


def revise(section: Section, words: str = "Finding 0. A sentence more.") -> Revision:
    """Make another revision, as a rapporteur does while somebody has the page open."""
    indicator = section.dimension.indicators[0]
    edit_finding(indicator, {"finding": {"en": words, "id": "Temuan lain."}}, indicator.edit_number, by=factories.BY)
    made = consultations.make_revision(section, by=factories.BY)
    db.session.commit()
    return made


def only(table: Any) -> Any:
    return db.session.scalars(db.select(table)).one()


def test_a_comment_from_a_page_of_an_earlier_revision_is_filed_there(
    consultation: Consultation, section: Section, author: Any, focal_point: Any, browse: Any
) -> None:
    client, first = browse(author), section.revision
    assert first is not None
    pages = shown_on(client.get(url(consultation)).text)
    assert pages == [first.public_id, first.public_id]  # of the position, and of the comment
    revise(section)
    answer = client.post(url(consultation, "/comments"), data={**FORM, "revision": pages[1]}, follow_redirects=True)
    comment = only(Comment)
    assert (comment.revision.number, comment.against) == (1, "Finding 0.")
    assert "A sentence more" not in str(comment.proposed_ops)
    assert "It stands with revision 1, which you read" in answer.text
    assert f"made on revision 1; {CHANGED}" in answer.text
    desk = browse(focal_point)
    base = f"/consultations/{consultation.slug}"
    assert f"made on revision 1; {CHANGED}" in desk.get(f"{base}/comments").text
    assert f"made on revision 1; {CHANGED}" in client.get("/my/comments").text
    matrix = desk.get(f"{base}/comment-matrix.csv").data.decode().splitlines()
    assert matrix[0].split(",")[16] == "The text has changed since"


def test_a_comment_on_the_current_revision_bears_no_mark(consultation: Consultation, section: Section, author: Any, browse: Any) -> None:
    client, second = browse(author), revise(section)
    page = client.post(url(consultation, "/comments"), data={**FORM, "revision": second.public_id}, follow_redirects=True).text
    assert only(Comment).revision_id == second.id
    assert CHANGED not in page


def test_a_position_from_a_page_of_an_earlier_revision_is_filed_there(
    consultation: Consultation, section: Section, author: Any, browse: Any
) -> None:
    client, first = browse(author), section.revision.public_id
    second = revise(section)
    page = client.post(url(consultation, "/position"), data={"value": "agree", "revision": first}, follow_redirects=True).text
    assert only(Position).revision.number == 1
    assert "It stands with revision 1, which you read" in page
    client.post(url(consultation, "/position"), data={"value": "disagree", "reason": "Not so.", "revision": second.public_id})
    assert client.post(url(consultation, "/position"), data={"value": "abstain", "revision": first}).status_code == 303
    found = db.session.scalars(db.select(Position).order_by(Position.revision_id))
    assert [(one.revision.number, one.value.value) for one in found] == [(1, "abstain"), (2, "disagree")]


def test_a_reply_is_filed_on_the_revision_that_its_author_read(
    consultation: Consultation, section: Section, event: Any, author: Any, focal_point: Any, browse: Any
) -> None:
    comment = comment_on(section, author)
    client = browse(factories.make_registration(event))
    address = f"/consultations/{consultation.slug}/comments/{comment.public_id}/reply"
    (first,) = shown_on(client.get(address).text)
    revise(section)
    words = {"client_key": "r1", "text": "So it was with us."}
    assert client.post(address, data={**words, "revision": "9" * 20}).status_code == 422
    refused = client.post(address, data=words)
    assert refused.status_code == 422
    assert "So it was with us." in refused.text
    page = client.post(address, data={**words, "revision": first}, follow_redirects=True).text
    assert only(Reply).revision.number == 1
    assert f"made on revision 1; {CHANGED}" in page
    consultations.start_review(section, by=factories.BY)
    staff = browse(focal_point)
    assert staff.post(address, data={**words, "client_key": "r2", "revision": first}).status_code == 303
    assert [reply.revision.number for reply in db.session.scalars(db.select(Reply))] == [1, 1]


@pytest.mark.parametrize("deed", ["/comments", "/position"])
def test_a_revision_that_is_not_the_sections_is_refused_and_the_words_kept(
    consultation: Consultation, section: Section, author: Any, browse: Any, deed: str
) -> None:
    client = browse(author)
    consultations.open_section(consultation.sections[1], by=factories.BY)
    other = factories.make_consultation()
    consultations.open_section(other.sections[0], by=factories.BY)
    db.session.commit()
    wrong = [*NUMBERS, consultation.sections[1].revision.public_id, other.sections[0].revision.public_id]
    for named in wrong:
        data = {**FORM, "value": "disagree", "reason": "Typed for long.", "text": "Typed for long.", "revision": named}
        answer = client.post(url(consultation, deed), data=data)
        assert answer.status_code == 422, named
        assert "is not a revision of this section" in answer.text
        assert "Typed for long." in answer.text
        assert set(shown_on(answer.text)) == {section.revision.public_id}  # the next send is of what is shown now
    assert db.session.scalar(db.select(Comment.id)) is None
    assert db.session.scalar(db.select(Position.id)) is None


def test_what_names_no_revision_is_filed_only_where_there_is_one(
    consultation: Consultation, section: Section, author: Any, browse: Any
) -> None:
    client = browse(author)
    assert client.post(url(consultation, "/comments"), data=FORM).status_code == 303
    revise(section)
    refused = client.post(url(consultation, "/comments"), data={**FORM, "client_key": "k2", "text": "Kept in full."})
    assert refused.status_code == 422
    assert "Kept in full." in refused.text
    assert "It is not known which text you had read" in refused.text
    assert client.post(url(consultation, "/position"), data={"value": "agree"}).status_code == 422
    assert only(Comment).client_key == "k1"
    assert client.post(url(consultation, "/comments"), data=FORM).status_code == 303  # sent again, it is the same (rule 10)


def test_a_refused_form_goes_on_being_of_the_text_that_was_read(
    consultation: Consultation, section: Section, author: Any, browse: Any
) -> None:
    client, first = browse(author), section.revision.public_id
    second = revise(section)
    page = client.post(url(consultation, "/comments"), data={**FORM, "link": "nothing", "revision": first})
    assert page.status_code == 422
    assert shown_on(page.text) == [second.public_id, first]
    assert page.text.count("You began this on an earlier text") == 2
    assert page.text.count("data-earlier hidden") == 1  # the position's form was not sent
    assert 'data-words="Finding 0."' in page.text  # what a wording starts from is that text too
    ticked = {**FORM, "revision": first, "holds": second.public_id}
    assert client.post(url(consultation, "/comments"), data=ticked).status_code == 303
    assert only(Comment).revision_id == second.id


def test_a_draft_stays_with_the_text_on_which_it_was_begun(consultation: Consultation, section: Section, author: Any, browse: Any) -> None:
    client, first = browse(author), section.revision.public_id
    client.post(url(consultation, "/draft"), data={"client_key": "d1", "text": "Half a sentence", "revision": first})
    revise(section)
    page = client.get(url(consultation)).text
    assert shown_on(page)[1] == first
    assert "Half a sentence" in page
    assert client.get(url(consultation, f"/text?revision={first}")).json["texts"]["en"] == "Finding 0."
    assert client.get(url(consultation, "/text?revision=" + "9" * 20)).json["texts"]["en"] == "Finding 0. A sentence more."
    assert client.post(url(consultation, "/draft"), data={"client_key": "d1", "text": "x", "revision": "9" * 500}).status_code == 422


def test_what_a_rapporteur_records_is_filed_on_the_text_that_was_open(
    consultation: Consultation, section: Section, author: Any, browse: Any
) -> None:
    client = browse(factories.make_user(Role.RAPPORTEUR, consultation))
    (first,) = shown_on(client.get(url(consultation)).text)
    revise(section)
    data = {**FORM, "speaker": author.public_id, "revision": first}
    page = client.post(url(consultation, "/record"), data=data, follow_redirects=True).text
    assert only(Comment).revision.number == 1
    assert "It stands with revision 1" in page
    assert client.post(url(consultation, "/record"), data={**data, "client_key": "k2", "revision": ""}).status_code == 422


def test_nothing_late_is_taken_once_comments_are_closed(consultation: Consultation, section: Section, author: Any, browse: Any) -> None:
    client, first = browse(author), section.revision.public_id
    revise(section)
    freeze(section)
    assert client.post(url(consultation, "/comments"), data={**FORM, "revision": first}).status_code == 409
    assert db.session.scalar(db.select(Comment.id)) is None
