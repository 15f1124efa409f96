"""The way of a section: rounds, what stands before each step in words with links, and which buttons are offered."""

from __future__ import annotations

import re
from typing import Any

import pytest

from consult_app.accounts.models import User
from consult_app.comments import answers
from consult_app.comments.models import DispositionKind
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Consultation, Section, SectionState
from consult_app.db import db
from consult_app.policy import Role
from consult_app.signoff import workflow
from consult_app.signoff.models import Decision
from tests import factories
from tests.signoff.steps import BY, comment_on, freeze, name, rewrite, sign

pytestmark = pytest.mark.usefixtures("audit_ok")


@pytest.fixture
def draft(consultation: Consultation) -> Section:
    return consultation.sections[0]


@pytest.fixture
def rapporteur(consultation: Consultation) -> User:
    return factories.make_user(Role.RAPPORTEUR, consultation)


def url(section: Section, rest: str = "") -> str:
    return f"/consultations/{section.consultation.slug}/sections/{section.number}{rest}"


def offered(page: str) -> set[str]:
    """The steps that have a button."""
    return set(re.findall(r'name="to" value="(\w+)"', page)) - {"revise"}


def words(found: list[Any]) -> list[str]:
    return [str(reason) for reason in found]


def test_several_rounds_are_counted_and_shown(browse: Any, draft: Section, rapporteur: User, last_entry: Any) -> None:
    client = browse(rapporteur)

    def advance(to: str) -> int:
        return client.post(url(draft, "/advance"), data={"to": to}).status_code

    assert advance("open") == 303
    assert (draft.round, draft.revision_number) == (1, 1)
    assert advance("in_review") == 303
    consultations.edit_section(draft, {"narrative": {"en": "After the first round."}}, draft.edit_number, by=BY)
    page = client.get(url(draft)).text
    assert "Open for comments again (round 2)" in page
    assert advance("open") == 303
    assert (draft.round, draft.revision_number) == (2, 2)
    assert "Round 2, revision 2" in client.get(url(draft)).text
    assert "Round 2, revision 2" in client.get(f"/consultations/{draft.consultation.slug}/sections").text
    assert '"round":2' in last_entry("section.open").state
    assert advance("in_review") == 303
    assert advance("freeze") == 303
    assert draft.frozen_at is not None
    assert advance("open") == 409  # frozen: reopen it first
    assert draft.round == 2


def test_a_returned_section_can_be_opened_for_another_round(section: Section, focal_point: User) -> None:
    sign(section, focal_point, Decision.RETURN, "Article 5 is missing.")
    consultations.open_section(section, by=BY)
    assert (section.state, section.round) == (SectionState.OPEN, 2)


def test_only_the_step_that_can_work_now_is_offered(browse: Any, draft: Section, rapporteur: User) -> None:
    client = browse(rapporteur)
    expected = [("open", {"open"}), ("in_review", {"in_review"}), ("freeze", {"freeze", "open"}), ("reopen", {"reopen"})]
    for step, buttons in expected:
        page = client.get(url(draft)).text
        assert offered(page) == buttons, step
        assert client.post(url(draft, "/advance"), data={"to": step}).status_code == 303
    assert draft.is_in_review


def test_whoever_may_not_advance_reads_the_same_without_buttons(browse: Any, draft: Section) -> None:
    for role in (Role.OBSERVER, Role.FACILITATOR, Role.FOCAL_POINT):
        page = browse(factories.make_user(role, draft.consultation)).get(url(draft)).text
        assert offered(page) == set()
        assert "The section was never open for comments. Open it first." in page
    participant = factories.make_registration(factories.make_event(draft.consultation))
    consultations.open_section(draft, by=BY)
    assert "What comes next" not in browse(participant).get(url(draft)).text


def test_before_opening(draft: Section) -> None:
    assert workflow.before_opening(draft) == workflow.Before()
    consultations.edit_section(draft, {"narrative": {}}, draft.edit_number, by=BY)
    before = workflow.before_opening(draft)
    assert before.is_open
    assert words(before.warnings) == ["No text is written yet: participants would see only the indicators."]
    consultations.open_section(draft, by=BY)
    assert words(workflow.before_opening(draft).blocks) == ["The section is open for comments already."]


def test_before_closing(browse: Any, draft: Section, rapporteur: User) -> None:
    assert words(workflow.before_closing(draft).blocks) == ["The section was never open for comments."]
    event = factories.make_event(draft.consultation, title={"en": "Validation <b>workshop"})
    factories.make_event(draft.consultation, starts_on=event.starts_on.replace(year=2020), ends_on=event.ends_on.replace(year=2020))
    consultations.open_section(draft, by=BY)
    page = browse(rapporteur).get(url(draft)).text
    assert "Nobody has commented on this section yet." in page
    assert "Validation &lt;b&gt;workshop” is not over yet" in page
    assert f'href="/events/{event.slug}"' in page
    assert page.count("is not over yet") == 1
    assert "in_review" in offered(page)  # a warning, not a block


def test_before_freezing_a_missing_answer_is_a_warning_and_before_signing_a_block(browse: Any, draft: Section, rapporteur: User) -> None:
    decider = factories.make_user(Role.FOCAL_POINT, draft.consultation)
    event = factories.make_event(draft.consultation)
    consultations.open_section(draft, by=BY)
    db.session.commit()
    db.session.expire_all()
    comments = [comment_on(draft, factories.make_registration(event)) for _n in range(4)]
    consultations.start_review(draft, by=BY)
    name(draft, decider)
    answers.decide(comments[1], DispositionKind.ACCEPTED, "", by=decider)
    answers.decide(comments[2], DispositionKind.NOT_ACCEPTED, "It is in another law.", by=decider)
    answers.object_to(comments[2], "It is not.", by=comments[2].registration)
    db.session.commit()
    page = browse(rapporteur).get(url(draft)).text
    desk = f"/consultations/{draft.consultation.slug}/comments?section=1&amp;state="
    for told, state in (
        ("2 comments have no answer yet.", "open"),
        ("1 accepted comment names no revision with the change.", "revision"),
        ("1 objection is open.", "objection"),
    ):
        assert f'href="{desk}{state}">{told}' in page
    assert "freeze" in offered(page)
    consultations.freeze_section(draft, by=BY)
    page = browse(decider).get(url(draft)).text
    assert "Not possible yet:" in page
    assert "Comments without a disposition: No. 1 (1.1), No. 4 (1.1)" in page
    assert "Read and sign" not in page
    assert offered(page) == set()


def test_before_freezing_names_who_could_not_sign(draft: Section) -> None:
    consultations.open_section(draft, by=BY)
    consultations.start_review(draft, by=BY)
    assert words(workflow.before_freezing(draft).warnings) == ["No focal point is named, so nobody could sign it."]
    name(draft, factories.make_user(name="Without"))
    name(draft, factories.make_user(Role.FOCAL_POINT, draft.consultation, name="Gone", is_enabled=False))
    assert words(workflow.before_freezing(draft).warnings) == [
        "Without, who has to sign, has no second factor yet: ask them to sign in, it takes a minute.",
        "The account of Gone, who has to sign, is switched off.",
    ]


def test_the_signing_step_says_who_is_awaited(browse: Any, section: Section, focal_point: User) -> None:
    other = factories.make_user(Role.FOCAL_POINT, section.consultation, name="Bayu <i>")
    name(section, other)
    sign(section, focal_point)
    page = browse(focal_point).get(url(section)).text
    assert "1 of 2 signed" in page
    assert "Awaited: Bayu &lt;i&gt;" in page
    assert "Read and sign" not in page
    assert f'href="{url(section, "/sign")}"' in browse(other).get(url(section)).text


def test_editors_see_who_returned_and_why_with_a_link(browse: Any, section: Section, focal_point: User, rapporteur: User) -> None:
    sign(section, focal_point, Decision.RETURN, "Article 5 is <b>missing</b>.")
    page = browse(rapporteur).get(url(section)).text
    assert "Returned by Retno Wulandari, Ministry of Tests" in page
    assert "Article 5 is &lt;b&gt;missing&lt;/b&gt;." in page
    assert f'href="/consultations/{section.consultation.slug}/sign-off#section-1"' in page
    consultations.open_section(section, by=BY)  # another round: the reason is still there to be read
    assert "Returned by Retno Wulandari" in browse(rapporteur).get(url(section)).text
    rewrite_after = "With article 5."
    consultations.start_review(section, by=BY)
    rewrite(section, rewrite_after)
    assert "Returned by Retno Wulandari" not in browse(rapporteur).get(url(section)).text


def test_the_page_needs_few_queries(browse: Any, count_queries: Any) -> None:
    counts = []
    for people in (1, 5):
        consultation = factories.make_consultation()
        section, event = consultation.sections[0], factories.make_event(consultation)
        consultations.open_section(section, by=BY)
        db.session.commit()
        db.session.expire_all()
        for _n in range(people):
            name(section, factories.make_user(Role.FOCAL_POINT, consultation))
            comment_on(section, factories.make_registration(event))
        freeze(section)
        client = browse(factories.make_user(Role.RAPPORTEUR, consultation))
        with count_queries() as statements:
            assert client.get(url(section)).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1], counts
    assert counts[0] < 60
