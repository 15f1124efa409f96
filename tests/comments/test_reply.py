"""Replies: under a comment, by the attribution rule, on the revision that stands; rules 3, 10 and 11."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.comments import replies
from consult_app.comments.answers import decide
from consult_app.comments.models import Comment, DispositionKind, Reply
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Attribution, Consultation, Section
from consult_app.db import db
from consult_app.errors import Conflict
from consult_app.policy import Role
from consult_app.registrations.models import Registration
from consult_app.signoff.gate import missing_of
from tests import factories
from tests.signoff.steps import comment_on, freeze

WORDS = "Which article? <b>x</b> {{ 7*7 }}"
FORM = {"client_key": "r" * 20, "text": WORDS}


@pytest.fixture
def comment(section: Section, author: Registration) -> Comment:
    return comment_on(section, author)


@pytest.fixture
def other(event: Any) -> Registration:
    return factories.make_registration(event, name="Budi Other", institution="Office of Budi", kind="cso")


def deed(comment: Comment) -> str:
    return f"/consultations/{comment.section.consultation.slug}/comments/{comment.public_id}/reply"


def all_replies() -> list[Reply]:
    return list(db.session.scalars(db.select(Reply).order_by(Reply.id)))


def test_a_reply_stands_under_its_comment(comment: Comment, other: Any, author: Any, browse: Any, last_entry: Any, audit_ok: None) -> None:
    client = browse(other)
    assert "Your reply to comment 1" in client.get(deed(comment)).text
    fragment = client.get(deed(comment), headers={"HX-Request": "true"}).text
    assert "<html" not in fragment
    answer = client.post(deed(comment), data=FORM)
    (reply,) = all_replies()
    assert (answer.status_code, answer.location.split("#")[1]) == (303, f"reply-{reply.public_id}")
    assert (reply.revision.number, reply.person_id) == (1, other.person_id)
    assert last_entry("reply.write").actor == other.actor_key
    page = client.get(answer.location).text
    assert "Which article? &lt;b&gt;x&lt;/b&gt; {{ 7*7 }}" in page
    assert "Received" in page
    assert "Office of Budi" in browse(author).get("/my/comments").text  # who wrote the comment reads it there
    assert "Which article?" in client.get("/my/comments").text


def test_rule_10_a_reply_sent_twice_stands_once(comment: Comment, other: Any, browse: Any) -> None:
    client = browse(other)
    for text in ("first", "changed on the way"):
        assert client.post(deed(comment), data={**FORM, "text": text}).status_code == 303
    assert [reply.text for reply in all_replies()] == ["first"]


def test_rule_10_a_resent_reply_is_kept_though_comments_closed(comment: Comment, section: Any, other: Any, browse: Any) -> None:
    client = browse(other)
    client.post(deed(comment), data=FORM)
    freeze(section)
    assert client.post(deed(comment), data=FORM).status_code == 303
    assert client.post(deed(comment), data={**FORM, "client_key": "s" * 20}).status_code == 409
    assert len(all_replies()) == 1


@pytest.mark.parametrize("wrong", [{"text": " \n"}, {"client_key": ""}, {"text": "x" * 5001}, {"text": "\x00\x01"}], ids=str)
def test_an_invalid_reply_is_422_and_stays_typed(comment: Comment, other: Any, browse: Any, wrong: dict[str, str]) -> None:
    answer = browse(other).post(deed(comment), data={**FORM, **wrong})
    assert answer.status_code == 422
    assert "text" in wrong or "Which article?" in answer.text
    assert all_replies() == []


def test_who_may_reply(comment: Comment, section: Section, focal_point: Any, browse: Any) -> None:
    consultation = section.consultation
    assert browse().post(deed(comment), data=FORM).status_code == 303
    assert browse(factories.make_registration()).post(deed(comment), data=FORM).status_code == 404
    for role in (Role.OBSERVER, Role.CHECK_IN):
        assert browse(factories.make_user(role, consultation)).post(deed(comment), data=FORM).status_code == 403
    assert all_replies() == []
    consultations.start_review(section, by=factories.BY)  # comments are being answered: staff go on asking
    assert browse(focal_point).post(deed(comment), data={**FORM, "client_key": "f" * 20}).status_code == 303
    freeze(section)
    assert browse(focal_point).post(deed(comment), data={**FORM, "client_key": "g" * 20}).status_code == 409
    comment_gone = f"/consultations/{consultation.slug}/comments/none/reply"
    assert browse(focal_point).get(comment_gone).status_code == 404


def test_nobody_replies_to_what_was_withdrawn(comment: Comment, author: Any, other: Any, browse: Any) -> None:
    browse(author).post(f"/consultations/{comment.section.consultation.slug}/comments/{comment.public_id}/withdraw")
    assert browse(other).post(deed(comment), data=FORM).status_code == 409


def test_only_its_author_withdraws_a_reply_and_once(
    comment: Comment, author: Any, other: Any, focal_point: Any, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    mine = replies.reply_to(comment, "Mine", by=other, client_key="a")
    staff = replies.reply_to(comment, "Of the staff", by=focal_point, client_key="a")
    db.session.commit()
    base = f"/consultations/{comment.section.consultation.slug}/replies"
    for reply, owner, stranger in ((mine, other, author), (staff, focal_point, other)):
        address = f"{base}/{reply.public_id}/withdraw"
        assert browse(stranger).post(address).status_code == 403
        assert browse(factories.make_registration()).post(address).status_code == 404
        client = browse(owner)
        assert client.post(address).status_code == 303
        assert client.post(address).status_code == 409
        assert last_entry("reply.withdraw").actor == owner.actor_key
    assert "Of the staff" not in browse(author).get(f"/consultations/{comment.section.consultation.slug}/indicators/1.1").text
    assert browse(other).post(f"{base}/none/withdraw").status_code == 404


def test_a_reply_needs_no_answer_of_its_own(comment: Comment, section: Section, other: Any, focal_point: Any, browse: Any) -> None:
    replies.reply_to(comment, "I see it differently", by=other, client_key="a")
    decide(comment, DispositionKind.NOTED, "Known.", by=focal_point)
    freeze(section)
    assert missing_of([section])[section.id] == []
    db.session.commit()
    slug = section.consultation.slug
    client = browse(focal_point)
    assert "I see it differently" in client.get(f"/consultations/{slug}/comments?comment={comment.public_id}").text
    assert "I see it differently" in client.get(f"/consultations/{slug}/comment-matrix.csv").data.decode()


def test_rule_3_a_reply_names_its_own_revision(comment: Comment, section: Section, other: Any, browse: Any) -> None:
    consultations.start_review(section, by=factories.BY)
    consultations.edit_section(section, {"narrative": {"en": "Another text."}}, section.edit_number, by=factories.BY)
    consultations.open_section(section, by=factories.BY)
    db.session.expire(section)
    reply = replies.reply_to(comment, "On the second", by=other, client_key="a")
    assert (comment.revision.number, reply.revision.number) == (1, 2)


@pytest.mark.parametrize("rule", list(Attribution))
def test_rule_11_who_replied_is_told_by_the_rule(
    comment: Comment, consultation: Consultation, other: Any, author: Any, focal_point: Any, browse: Any, rule: Attribution
) -> None:
    consultation.attribution = rule
    replies.reply_to(comment, "One", by=other, client_key="a")
    replies.reply_to(comment, "Two", by=focal_point, client_key="a")
    db.session.commit()
    observer = factories.make_user(Role.OBSERVER, consultation)
    for reader in (author, observer):
        client = browse(reader)
        pages = [f"/consultations/{consultation.slug}/{path}" for path in ("indicators/1.1", "comment-matrix.csv")]
        for text in (client.get(page).data.decode() for page in pages):
            for name in ("Budi Other", "Retno Focal"):
                assert (name in text) == (rule is Attribution.BY_NAME)
            assert ("Office of Budi" in text) == (rule is not Attribution.BY_STAKEHOLDER_TYPE)
            assert "Focal point" in text
            assert other.public_id not in text
    assert "Budi Other" in browse(factories.make_user(Role.RAPPORTEUR, consultation)).get(pages[0]).text


def test_fifty_replies_are_enough_and_take_no_more_queries(comment: Comment, other: Any, browse: Any, count_queries: Any) -> None:
    replies.reply_to(comment, "0", by=other, client_key="0")
    client, page = browse(other), f"/consultations/{comment.section.consultation.slug}/indicators/1.1"
    with count_queries() as one:
        client.get(page)
    for n in range(1, replies.MOST):
        replies.reply_to(comment, str(n), by=other, client_key=str(n))
    db.session.commit()
    with pytest.raises(Conflict):
        replies.reply_to(comment, "more", by=other, client_key="more")
    with count_queries() as many:
        client.get(page)
    assert len(many) == len(one)
