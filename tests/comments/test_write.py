"""Comments: written, recorded for somebody, endorsed, withdrawn; rules 3, 10, 11 and 12."""

from __future__ import annotations

import io
from typing import Any

import pytest
import python_calamine

from consult_app.comments.models import Comment, Endorsement
from consult_app.consultations.models import Attribution
from consult_app.db import db
from consult_app.policy import Role
from tests import factories
from tests.signoff.steps import comment_on, freeze, rewrite

FORM = {
    "client_key": "k1",
    "kind": "evidence",
    "text": "See the law of 2017.",
    "proposed": "Since 2017 …",
    "link": "https://law.example/18",
}
HOSTILE = "<script>alert(1)</script>{{ 7*7 }}"


def url(consultation: Any, deed: str = "comments") -> str:
    return f"/consultations/{consultation.slug}/indicators/1.1/{deed}"


def comments() -> list[Comment]:
    return list(db.session.scalars(db.select(Comment).order_by(Comment.id)))


def test_a_comment_is_kept_and_shown(consultation: Any, author: Any, browse: Any, last_entry: Any, audit_ok: None) -> None:
    client = browse(author)
    assert client.post(url(consultation), data=FORM).status_code == 303
    (comment,) = comments()
    assert (comment.number, comment.revision.number, comment.text) == (1, 1, FORM["text"])
    page = client.get(url(consultation, "")[:-1])
    assert all(FORM[name] in page.text for name in ("text", "proposed", "link"))
    assert "has it" in page.text or "have it" in page.text  # rule 10: its author sees when it has arrived
    assert FORM["text"] in client.get("/my/comments").text
    assert last_entry("comment.write").actor == author.actor_key


def test_rule_10_a_comment_sent_twice_appears_once(consultation: Any, author: Any, browse: Any) -> None:
    client = browse(author)
    for text in ("first", "first", "changed on the way"):
        assert client.post(url(consultation), data={**FORM, "text": text}).status_code == 303
    assert [c.text for c in comments()] == ["first"]
    other = factories.make_registration(author.event)
    browse(other).post(url(consultation), data=FORM)  # the same key of somebody else is another comment
    assert [c.number for c in comments()] == [1, 2]


def test_rule_10_a_comment_resent_after_the_section_closed_is_still_there(
    consultation: Any, section: Any, author: Any, browse: Any
) -> None:
    client = browse(author)
    client.post(url(consultation), data=FORM)
    freeze(section)
    assert client.post(url(consultation), data=FORM).status_code == 303
    assert len(comments()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": " \n "},
        {"kind": "rant"},
        {"link": "javascript:alert(1)"},
        {"link": "data:text/html,x"},
        {"link": "https://"},
        {"link": "//x"},
        {"link": "http://["},
        {"client_key": ""},
        {"text": "x" * 10_001},
    ],
    ids=str,
)
def test_an_invalid_comment_is_422_and_nothing_typed_is_lost(consultation: Any, author: Any, browse: Any, wrong: dict[str, str]) -> None:
    answer = browse(author).post(url(consultation), data={**FORM, **wrong})
    assert answer.status_code == 422
    assert FORM["proposed"] in answer.text
    assert 'href="javascript' not in answer.text
    assert comments() == []


def test_who_may_write_and_when(consultation: Any, section: Any, author: Any, browse: Any) -> None:
    assert browse().post(url(consultation), data=FORM).status_code == 303
    assert browse(factories.make_registration()).post(url(consultation), data=FORM).status_code == 404
    observer = factories.make_user(Role.OBSERVER, consultation)
    for deed in ("comments", "record", "position"):
        assert browse(observer).post(url(consultation, deed), data=FORM).status_code == 403
    assert browse(author).post(url(consultation, "record"), data=FORM).status_code == 403
    freeze(section)
    assert browse(author).post(url(consultation), data=FORM).status_code == 409
    assert comments() == []


def test_hostile_text_is_escaped_everywhere(consultation: Any, author: Any, browse: Any) -> None:
    client = browse(author)
    client.post(url(consultation), data={**FORM, "text": HOSTILE, "proposed": HOSTILE, "link": 'https://x.example/"onload=alert(1)'})
    staff = browse(factories.make_user(Role.ORGANISER, consultation))
    for page in (
        client.get(f"/consultations/{consultation.slug}/indicators/1.1").text,
        client.get("/my/comments").text,
        staff.get(f"/consultations/{consultation.slug}/comments").text,
    ):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in page
        assert '/"onload' not in page


def test_rule_3_a_comment_names_its_revision_and_a_later_one_says_so(consultation: Any, section: Any, author: Any, browse: Any) -> None:
    comment = comment_on(section, author)
    before, client, page = comment.revision_id, browse(author), f"/consultations/{consultation.slug}/indicators/1.1"
    assert "the text has changed since" not in client.get(page).text.lower()
    rewrite(section, "Written since.")
    assert section.revision_number == 2
    assert comment.revision_id == before
    words = client.get(page).text
    assert "made on revision 1; the text has changed since" in words


def test_rule_12_a_recorded_comment_keeps_who_spoke_and_who_wrote(
    consultation: Any, author: Any, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    rapporteur = factories.make_user(Role.RAPPORTEUR, consultation, name="Rita Rapporteur")
    client = browse(rapporteur)
    assert client.post(url(consultation, "record"), data={**FORM, "speaker": author.public_id}).status_code == 303
    (comment,) = comments()
    assert (comment.registration_id, comment.recorded_by_id) == (author.id, rapporteur.id)
    assert last_entry("comment.record").actor == rapporteur.actor_key
    page = browse(author).get(f"/consultations/{consultation.slug}/indicators/1.1").text
    assert "recorded in the room by Rita Rapporteur" in page
    stranger = factories.make_registration()
    for speaker in (stranger.public_id, "", "x"):
        assert client.post(url(consultation, "record"), data={**FORM, "client_key": "k2", "speaker": speaker}).status_code == 422


def test_endorse_and_take_it_back(consultation: Any, section: Any, author: Any, browse: Any, last_entry: Any, audit_ok: None) -> None:
    comment = comment_on(section, author)
    other = browse(factories.make_registration(author.event))
    deed = f"/consultations/{consultation.slug}/comments/{comment.public_id}/endorse"
    held = db.select(db.func.count()).select_from(Endorsement)
    assert other.post(deed).status_code == 303
    assert db.session.scalar(held) == 1
    assert last_entry("endorsement.add") is not None
    assert other.post(deed).status_code == 303
    assert db.session.scalar(held) == 0
    assert last_entry("endorsement.delete") is not None
    assert browse(author).post(deed).status_code == 409
    assert browse(factories.make_registration()).post(deed).status_code == 404


def test_withdrawing_is_the_authors_and_once(consultation: Any, section: Any, author: Any, browse: Any, last_entry: Any) -> None:
    comment = comment_on(section, author)
    deed = f"/consultations/{consultation.slug}/comments/{comment.public_id}/withdraw"
    assert browse(factories.make_registration(author.event)).post(deed).status_code == 403
    assert browse(factories.make_registration()).post(deed).status_code == 404
    client = browse(author)
    assert client.post(deed).status_code == 303
    assert client.post(deed).status_code == 409
    assert comment.is_withdrawn
    assert last_entry("comment.withdraw").actor == author.actor_key


@pytest.mark.parametrize("rule", list(Attribution))
def test_rule_11_who_spoke_is_told_by_the_rule_on_page_and_matrix(
    consultation: Any, section: Any, author: Any, browse: Any, rule: Attribution
) -> None:
    consultation.attribution = rule
    comment_on(section, author)
    for kind in ("ngo", "ngo", "government", "government"):  # a label that fitted one or two would be widened
        factories.make_registration(author.event, kind=kind)
    indicator, matrix = f"/consultations/{consultation.slug}/indicators/1.1", f"/consultations/{consultation.slug}/comment-matrix.csv"
    readers = (factories.make_registration(author.event), factories.make_user(Role.OBSERVER, consultation))
    for reader in readers:
        client = browse(reader)
        for page in (client.get(indicator).text, client.get(matrix).data.decode()):
            assert ("Siti Author" in page) == (rule is Attribution.BY_NAME)
            assert ("Office of Siti" in page) == (rule is not Attribution.BY_STAKEHOLDER_TYPE)
            assert "NGO" in page
            assert author.email not in page
            assert author.public_id not in page
    assert "Siti Author" in browse(factories.make_user(Role.ORGANISER, consultation)).get(matrix).data.decode()


def test_the_matrix_runs_no_formula(consultation: Any, section: Any, author: Any, browse: Any) -> None:
    comment_on(section, author, "=HYPERLINK(1)", proposed="@SUM(1)")
    client = browse(author)
    csv = client.get(f"/consultations/{consultation.slug}/comment-matrix.csv").data.decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in csv
    assert "'@SUM(1)" in csv
    data = client.get(f"/consultations/{consultation.slug}/comment-matrix.xlsx").data
    assert python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()[1][5] == "=HYPERLINK(1)"
    assert b"<f>" not in data
    assert browse(factories.make_registration()).get(f"/consultations/{consultation.slug}/comment-matrix.csv").status_code == 404


def test_a_writer_is_told_which_characters_cannot_be_printed(consultation: Any, author: Any, browse: Any) -> None:
    client = browse(author)
    page = url(consultation, "")[:-1]
    form = FORM | {"text": "依法 👍 kebijakan"}
    assert client.post(url(consultation), data=form).status_code == 303
    assert "Printed documents show these characters as codes: 依 (U+4F9D), 法 (U+6CD5)" in client.get(page).text
    assert "show these characters" not in client.get(page).text  # once
    client.post(url(consultation), data=form | {"client_key": "k2", "text": "Ma’ruf – “baik” 👍 محمد"})
    assert "show these characters" not in client.get(page).text
