"""A decision is of what was looked at: the comment that was shown, and the answer that stood then (rules 13 and 25)."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from consult_app import audit
from consult_app.comments import actions, answers
from consult_app.comments.models import Comment, Disposition, DispositionKind
from consult_app.consultations import actions as consultations
from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.policy import Role
from consult_app.signoff import gate
from tests import factories
from tests.signoff.steps import comment_on, freeze, name

pytestmark = pytest.mark.usefixtures("audit_ok")
NOTED = {"kind": "noted", "response": "It is known."}
REFUSED = {"kind": "not_accepted", "response": "Typed for long by the second."}


@pytest.fixture
def comments(section: Any, author: Any, event: Any) -> list[Comment]:
    reader = factories.make_registration(event, name="Budi Pembaca", language="id")
    made = [comment_on(section, who, words) for who, words in ((author, "One."), (reader, "Two."), (author, "Three."))]
    db.session.commit()
    return made


@pytest.fixture
def colleague(consultation: Any, section: Any) -> Any:
    user = factories.make_user(Role.FOCAL_POINT, consultation, name="Sari Colleague")
    name(section, user)
    db.session.commit()
    return user


def base(comment: Comment) -> str:
    return f"/consultations/{comment.section.consultation.slug}/comments"


def url(comment: Comment, deed: str) -> str:
    return f"{base(comment)}/{comment.public_id}/{deed}"


def seen_in(page: str) -> str:
    found = re.search(r'name="seen" type="hidden" value="([\w.]*)"', page)
    assert found is not None
    return found[1]


def count() -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(Disposition)) or 0


def test_two_answer_one_comment_and_the_second_reads_the_first_with_what_was_typed_kept(
    comments: Any, focal_point: Any, colleague: Any, browse: Any
) -> None:
    first, one, other = comments[0], browse(focal_point), browse(colleague)
    page = other.get(f"{base(first)}?comment={first.public_id}").text
    assert "Answer to comment 1 (1.1)" in page
    assert "Answer comment 1<" in page
    assert one.post(url(first, "decide"), data=NOTED).status_code == 303
    answer = other.post(url(first, "decide"), data={**REFUSED, "seen": seen_in(page)})
    assert answer.status_code == 409
    assert "Retno Focal answered comment 1 meanwhile: Noted: It is known." in answer.text
    assert "Typed for long by the second." in answer.text
    assert first.disposition.response == "It is known."
    again = other.post(url(first, "decide"), data={**REFUSED, "seen": seen_in(answer.text)})  # knowingly
    assert again.status_code == 303
    assert [one.kind.value for one in first.dispositions] == ["noted", "not_accepted"]


def test_a_draft_or_an_undo_meanwhile_is_told_too(comments: Any, focal_point: Any, colleague: Any, browse: Any) -> None:
    first, one, other = comments[0], browse(focal_point), browse(colleague)
    one.post(url(first, "draft-answer"), data=NOTED)
    refused = other.post(url(first, "draft-answer"), data=REFUSED)
    assert refused.status_code == 409
    assert "Retno Focal drafted an answer to comment 1 meanwhile" in refused.text
    one.post(url(first, "decide"), data={**NOTED, "seen": first.answer_state})
    state = first.answer_state
    one.post(url(first, "undo"), data={"answer": first.disposition.public_id})
    assert other.post(url(first, "decide"), data={**REFUSED, "seen": state}).status_code == 409
    assert first.disposition is None
    assert first.proposal.response == "It is known."  # the draft stands again


@pytest.mark.parametrize("seen", ["9" * 20, "x", "<b>", ".", "9" * 500])
def test_a_state_that_never_was_is_refused(comments: Any, focal_point: Any, browse: Any, seen: str) -> None:
    answer = browse(focal_point).post(url(comments[0], "decide"), data={**NOTED, "seen": seen})
    assert answer.status_code in (409, 422)
    assert count() == 0


def test_the_same_answer_sent_twice_is_given_once(comments: Any, focal_point: Any, browse: Any) -> None:
    client = browse(focal_point)
    for _time in range(2):
        assert client.post(url(comments[0], "decide"), data={**NOTED, "seen": ""}).status_code == 303
    assert count() == 1


def test_after_each_decision_it_is_said_and_can_be_undone(
    comments: Any, focal_point: Any, author: Any, browse: Any, last_entry: Any
) -> None:
    client, first = browse(focal_point), comments[0]
    page = client.post(url(first, "decide"), data=REFUSED, follow_redirects=True).text
    assert "Comment 1: Not accepted" in page
    assert "Undo the answer to comment 1" in page
    data = {"answer": first.disposition.public_id}
    assert browse(author).post(url(first, "undo"), data=data).status_code == 403
    assert client.post(url(first, "undo"), data={"answer": "9" * 20}).status_code == 409
    assert client.post(url(comments[1], "undo"), data=data).status_code == 409  # another comment's
    assert client.post(url(first, "undo"), data=data).status_code == 303
    assert client.post(url(first, "undo"), data=data).status_code == 409
    assert last_entry("disposition.take_back").actor == focal_point.actor_key
    assert first.disposition is None
    assert count() == 1  # it stays in the history
    page = client.get(f"{base(first)}?state=open&comment={first.public_id}").text
    assert "taken back" in page
    assert "Typed for long by the second." in page  # and its words in the form
    assert 'review-list__code">1 ·' in page


def test_an_undone_change_lets_the_earlier_answer_stand_again(comments: Any, focal_point: Any, browse: Any, sent: Any) -> None:
    client, first = browse(focal_point), comments[0]
    client.post(url(first, "decide"), data=NOTED)
    client.post(f"{base(first)}/tell")
    assert client.post(url(first, "undo"), data={"answer": first.disposition.public_id}).status_code == 409  # told
    assert "Take this answer back" not in client.get(f"{base(first)}?comment={first.public_id}").text
    client.post(url(first, "decide"), data={**REFUSED, "seen": first.answer_state})
    client.post(url(first, "undo"), data={"answer": first.disposition.public_id})
    assert first.disposition.kind is DispositionKind.NOTED
    client.post(f"{base(first)}/tell")
    assert len(sent()) == 1  # nothing new to tell


def test_an_answer_is_not_undone_once_something_rests_on_it(comments: Any, section: Any, focal_point: Any, author: Any) -> None:
    first, second = comments[0], comments[2]
    answers.decide(first, DispositionKind.NOTED, "Known.", by=focal_point)
    answers.object_to(first, "No.", by=author)
    with pytest.raises(Conflict) as refused:
        answers.take_back(first.disposition, by=focal_point)
    assert "The author objects to this answer." in str(refused.value.message)
    answers.decide(second, DispositionKind.ACCEPTED, "", by=focal_point)
    consultations.edit_section(section, {"narrative": {"en": "Other."}}, section.edit_number, by=factories.BY)
    answers.carry([second], consultations.make_revision(section, by=factories.BY), by=factories.BY)
    with pytest.raises(Conflict) as refused:
        answers.take_back(second.disposition, by=focal_point)
    assert "A revision carries this change already" in str(refused.value.message)


def test_an_answer_to_several_is_shown_whole_and_leaves_what_is_decided(
    comments: Any, focal_point: Any, colleague: Any, browse: Any, sent: Any
) -> None:
    first, second, third = comments
    third.text, third.proposed, third.link = "Long. " * 200 + "The end.", "As it should read", "https://example.org/proof"
    audit.record(factories.BY, "comment.write", third)
    client, together = browse(focal_point), f"{base(first)}/together"
    browse(colleague).post(url(first, "decide"), data=REFUSED)
    ticked = [one.public_id for one in comments]
    page = client.get(together, query_string={"comment": ticked}).text
    for words in ("The end.", "As it should read", "https://example.org/proof", "Typed for long by the second."):
        assert words in page
    data = {"comment": ticked, "kind": "noted", "seen_of": re.findall(r'name="seen_of" value="(\w+ [\w.]*)"', page)[:3]}
    one_language = client.post(together, data={**data, "response_en": "Known."})
    assert one_language.status_code == 422  # Budi reads Indonesian
    assert "Known." in one_language.text
    both = {**data, "response_en": "Known.", "response_id": "Sudah diketahui."}
    answer = client.post(together, data=both, follow_redirects=True).text
    assert "2 comments are answered. 1 keeps the answer it has." in answer
    assert [one.disposition.response for one in comments] == ["Typed for long by the second.", "Sudah diketahui.", "Known."]
    client.post(f"{base(first)}/tell")
    mails = {mail["To"]: " ".join(mail.get_body(("plain",)).get_content().split()) for mail in sent()}
    assert "Sudah diketahui." in mails[second.registration.email]
    assert "Known." in mails[third.registration.email]
    again = client.post(together, data={**both, "replace": [first.public_id]})
    assert again.status_code == 303  # ticked, and seen as it is
    assert first.disposition.response == "Known."


def test_an_answer_to_several_that_is_stale_saves_nothing_and_keeps_what_was_typed(
    comments: Any, focal_point: Any, colleague: Any, browse: Any
) -> None:
    client, other = browse(focal_point), browse(colleague)
    ticked = [comments[0].public_id, comments[2].public_id]
    other.post(url(comments[0], "draft-answer"), data=REFUSED)
    for deed, more in (("together", {"kind": "noted", "response": "For all."}), ("merge", {"stays": ticked[1], "words": "For all."})):
        answer = client.post(f"{base(comments[0])}/{deed}", data={"comment": ticked, **more})
        assert answer.status_code == 409
        assert "Sari Colleague drafted an answer to comment 1 meanwhile" in answer.text
        assert "For all." in answer.text
    assert count() == 0
    other.post(url(comments[0], "decide"), data={**REFUSED, "seen": comments[0].answer_state})
    merged = {"comment": ticked, "stays": ticked[1]}
    assert client.post(f"{base(comments[0])}/merge", data=merged).status_code == 422  # it has an answer, and is not ticked
    assert client.post(f"{base(comments[0])}/merge", data={**merged, "replace": ticked[0]}).status_code == 409
    assert comments[0].disposition.kind is DispositionKind.NOT_ACCEPTED


def test_a_merge_says_in_each_authors_language_which_one_says_the_same(comments: Any, focal_point: Any, browse: Any) -> None:
    ticked = [one.public_id for one in comments]
    data = {"comment": ticked, "stays": comments[0].public_id}
    assert browse(focal_point).post(f"{base(comments[0])}/merge", data=data).status_code == 303
    assert comments[2].disposition.response == "See comment 1, which says the same."
    assert comments[1].disposition.response.startswith("Lihat masukan 1")


def duplicate(comment: Comment, of: Comment, by: Any) -> None:
    answers.decide(comment, DispositionKind.DUPLICATE, "See there.", by=by, duplicate_of=of)


def test_duplicates_never_run_in_a_circle(comments: Any, focal_point: Any, browse: Any) -> None:
    first, second, third = comments
    duplicate(first, second, focal_point)
    duplicate(second, third, focal_point)
    client = browse(focal_point)
    data = {"kind": "duplicate", "response": "See there.", "duplicate_of": "1"}
    refused = client.post(url(third, "decide"), data=data)
    assert refused.status_code == 422
    assert "Comment 1 leads back to this one." in refused.text
    assert client.post(url(third, "draft-answer"), data=data).status_code == 422
    together = {"comment": third.public_id, **data, "response": "All."}
    assert client.post(f"{base(first)}/together", data=together).status_code == 409
    for number in ("9" * 20, "-1", "0", "2147483648"):
        assert client.post(url(third, "decide"), data={**data, "duplicate_of": number}).status_code == 422
        assert client.post(f"{base(first)}/together", data={**together, "duplicate_of": number}).status_code == 422
    assert third.disposition is None


def test_a_matrix_never_brings_a_circle_of_duplicates(consultation: Any, comments: Any, focal_point: Any, browse: Any) -> None:
    client = browse(focal_point)
    header, *lines = csv.reader(io.StringIO(client.get(f"/consultations/{consultation.slug}/comment-matrix.csv").text.lstrip("\ufeff")))
    for line, other in zip(lines[:2], ("2", "1"), strict=True):
        for column, value in (("Answer", "Duplicate"), ("Response", "See there."), ("Duplicate of No.", other)):
            line[header.index(column)] = value
    file = io.StringIO()
    csv.writer(file).writerows([header, *lines])
    upload = {"file": (io.BytesIO(file.getvalue().encode()), "matrix.csv")}
    page = client.post(f"{base(comments[0])}/import", data=upload, content_type="multipart/form-data", follow_redirects=True).text
    assert page.count("leads back to this one") == 2
    assert "Save all rows" not in page
    assert count() == 0


def test_nothing_is_a_duplicate_of_what_was_withdrawn(comments: Any, author: Any, focal_point: Any, browse: Any) -> None:
    first, _second, third = comments
    actions.withdraw_comment(third, by=author)
    with pytest.raises(Invalid) as refused:
        duplicate(first, third, focal_point)
    assert "Comment 3 was withdrawn" in str(refused.value.message)
    with pytest.raises(Invalid):
        duplicate(first, first, focal_point)


def test_a_withdrawal_leaves_no_duplicate_that_points_at_nothing(
    comments: Any, author: Any, focal_point: Any, browse: Any, last_entry: Any
) -> None:
    first, second, third = comments
    duplicate(second, third, focal_point)
    answers.draft(first, DispositionKind.DUPLICATE, "See there.", by=focal_point, duplicate_of=third)
    assert browse(author).post(url(third, "withdraw")).status_code == 303
    assert second.disposition is None  # it wants an answer of its own again
    assert first.proposal is None
    assert last_entry("disposition.take_back") is not None
    assert 'review-list__code">2 ·' in browse(focal_point).get(f"{base(first)}?state=open").text


def test_a_duplicate_that_stands_for_signature_keeps_what_it_leads_to(
    consultation: Any, comments: Any, section: Any, author: Any, focal_point: Any, browse: Any
) -> None:
    other = consultation.sections[1]
    consultations.open_section(other, by=factories.BY)
    target = comment_on(other, author, "In another section.")
    duplicate(comments[0], target, focal_point)
    freeze(section)
    answer = browse(author).post(url(target, "withdraw"))
    assert answer.status_code == 409
    assert "stands for signature so" in answer.text


def test_the_gate_names_duplicates_that_lead_nowhere(comments: Any, section: Any, focal_point: Any) -> None:
    first, second, third = comments
    duplicate(first, second, focal_point)
    words = " ".join(str(one) for one in gate.missing(section))
    assert "Duplicates that lead to no answer, since the other comment has none: No. 1 (1.1)" in words
    answers.decide(second, DispositionKind.NOTED, "Known.", by=focal_point)
    answers.decide(third, DispositionKind.NOTED, "Known.", by=focal_point)
    assert not any("Duplicates" in str(one) for one in gate.missing(section))
    disposition = second.disposition  # as it could be made before this was refused
    disposition.kind, disposition.duplicate_of = DispositionKind.DUPLICATE, first
    audit.record(factories.BY, "comment.decide", disposition)
    words = " ".join(str(one) for one in gate.missing(section))
    assert "No. 1 (1.1), No. 2 (1.1)" in words
