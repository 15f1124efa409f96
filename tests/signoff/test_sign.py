"""Signing a section: the page, the action, and rules 15 to 18 and 24."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.accounts.models import User
from consult_app.comments import answers
from consult_app.comments.models import DispositionKind
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Consultation, Section, SectionState
from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.policy import Role
from consult_app.signoff import gate, standing
from consult_app.signoff.actions import sign_off
from consult_app.signoff.models import Decision, SignOff
from consult_app.signoff.standing import Standing
from tests import factories
from tests.conftest import totp
from tests.signoff.steps import BY, comment_on, freeze, name, rewrite, sign


def url(section: Section) -> str:
    return f"/consultations/{section.consultation.slug}/sections/{section.number}/sign"


def form(section: Section, user: User, **more: str) -> dict[str, str]:
    assert section.revision is not None
    return {"shown_sha256": section.revision.sha256, "decision": "approve", "text": "", "code": totp(user), **more}


def sign_offs(section: Section) -> list[SignOff]:
    return list(db.session.scalars(db.select(SignOff).where(SignOff.section_id == section.id).order_by(SignOff.id)))


def test_sign_works(browse: Any, section: Section, focal_point: User, audit_ok: None, last_entry: Any) -> None:
    answer = browse(focal_point).post(url(section), data=form(section, focal_point))
    assert (answer.status_code, answer.location) == (303, f"/consultations/{section.consultation.slug}/sign-off")
    (signed,) = sign_offs(section)
    assert section.revision is not None
    assert (signed.decision, signed.revision_sha256, signed.second_factor) == (Decision.APPROVE, section.revision.sha256, "totp")
    assert (signed.signer_name, signed.institution) == ("Retno Wulandari", "Ministry of Tests")
    assert section.is_signed
    assert last_entry("signoff.sign").actor == focal_point.actor_key
    assert last_entry("section.signed").actor == focal_point.actor_key


def test_the_page_shows_what_is_signed(browse: Any, section: Section, focal_point: User) -> None:
    page = browse(focal_point).get(url(section)).text
    assert "Text of section 1." in page
    assert "Finding 0." in page
    assert section.revision is not None
    assert section.revision.sha256[:4] + "</span> <span>" + section.revision.sha256[4:8] in page
    assert "This is the first revision" in page
    assert "Demonstration: your code" not in page


def test_the_page_shows_the_difference_to_the_revision_they_signed(browse: Any, section: Section, focal_point: User) -> None:
    sign(section, focal_point)
    rewrite(section, "Words of section 1.")
    page = browse(focal_point).get(url(section)).text
    assert "Since revision 1, the last one you signed" in page
    assert "<del>" in page
    assert "<ins>" in page


def test_get_signs_nothing(browse: Any, section: Section, focal_point: User) -> None:
    assert browse(focal_point).get(url(section)).status_code == 200
    assert sign_offs(section) == []


def test_stranger_is_404(browse: Any, section: Section) -> None:
    stranger = factories.make_user(Role.FOCAL_POINT, factories.make_consultation())
    assert browse(stranger).get(url(section)).status_code == 404
    assert browse(stranger).post(url(section), data=form(section, stranger)).status_code == 404
    assert browse().get(url(section)).status_code == 303


@pytest.mark.parametrize("role", [Role.ORGANISER, Role.FACILITATOR, Role.RAPPORTEUR, Role.OBSERVER, Role.FOCAL_POINT])
def test_rule_16_only_a_named_focal_point_signs(browse: Any, section: Section, focal_point: User, role: Role) -> None:
    other = factories.make_user(role, section.consultation)
    if role is Role.FOCAL_POINT:
        name(section.consultation.sections[1], other)
    assert browse(other).get(url(section)).status_code == 403
    assert browse(other).post(url(section), data={"decision": "approve"}).status_code == 403
    with pytest.raises(Conflict):
        sign_off(section, Decision.APPROVE, section.revision.sha256 if section.revision else "", "", "000000", by=other)
    assert sign_offs(section) == []


def test_rule_16_the_second_factor_is_asked_again_and_counts_once(browse: Any, section: Section, focal_point: User) -> None:
    client = browse(focal_point)
    answer = client.post(url(section), data=form(section, focal_point, code="000000"))
    assert answer.status_code == 422
    assert "This code does not fit" in answer.text
    code = totp(focal_point)
    assert client.post(url(section), data=form(section, focal_point, code=code, decision="return", text="Why not")).status_code == 303
    freeze(section)
    assert section.revision is not None
    again = client.post(url(section), data={"shown_sha256": section.revision.sha256, "decision": "approve", "code": code})
    assert again.status_code == 422
    assert "This code was used already" in again.text
    assert [s.decision for s in sign_offs(section)] == [Decision.RETURN]


def test_wrong_state_is_409(browse: Any, section: Section, focal_point: User) -> None:
    consultations.reopen_section(section, by=BY)
    answer = browse(focal_point).post(url(section), data=form(section, focal_point))
    assert answer.status_code == 409
    assert "The text of section 1 is not frozen for signature." in answer.text
    assert sign_offs(section) == []


def test_rule_15_the_gate_names_what_is_missing(app: Any, consultation: Consultation, browse: Any) -> None:
    section = consultation.sections[0]
    decider = factories.make_user(Role.FOCAL_POINT, consultation)
    event = factories.make_event(consultation)
    first, second, third = (factories.make_registration(event) for _n in range(3))
    consultations.open_section(section, by=BY)
    db.session.commit()
    db.session.expire_all()
    comments = [comment_on(section, person) for person in (first, second, third)]
    consultations.start_review(section, by=BY)
    assert [str(m) for m in gate.missing(section)] == [
        "The text of section 1 is not frozen for signature.",
        "No focal point is named for section 1.",
        "Comments without a disposition: No. 1 (1.1), No. 2 (1.1), No. 3 (1.1)",
    ]
    name(section, decider)
    answers.decide(comments[0], DispositionKind.NOTED, "Thank you.", by=decider)
    answers.decide(comments[1], DispositionKind.ACCEPTED, "", by=decider)
    answers.decide(comments[2], DispositionKind.NOT_ACCEPTED, "It is in another law.", by=decider)
    objection = answers.object_to(comments[2], "It is not.", by=third)
    revision = rewrite(section, "A text with the law of 2017.")
    db.session.commit()
    db.session.expire_all()
    assert [str(m) for m in gate.missing(section)] == [
        "Accepted comments that name no revision with the change: No. 2 (1.1)",
        "Open objections to the answers of these comments: No. 3 (1.1)",
    ]
    answer = browse(decider).post(url(section), data=form(section, decider))
    assert answer.status_code == 409
    assert "No. 3 (1.1)" in answer.text
    assert "No. 3 (1.1)" in browse(decider).get(url(section)).text
    answers.carry([comments[1]], revision, by=BY)
    answers.resolve(objection or comments[2].objection, "The law is named now.", by=decider)
    db.session.commit()
    db.session.expire_all()
    assert gate.missing(section) == []
    assert browse(decider).post(url(section), data=form(section, decider)).status_code == 303


def test_rule_15_a_withdrawn_comment_blocks_nothing(app: Any, consultation: Consultation) -> None:
    section = consultation.sections[0]
    name(section, factories.make_user(Role.FOCAL_POINT, consultation))
    consultations.open_section(section, by=BY)
    db.session.commit()
    db.session.expire_all()
    comment = comment_on(section, factories.make_registration(factories.make_event(consultation)))
    comment.withdrawn_at = comment.created_at
    freeze(section)
    assert gate.missing(section) == []


def test_rule_17_a_reservation_and_a_return_need_words(browse: Any, section: Section, focal_point: User) -> None:
    for decision in ("reservation", "return"):
        answer = browse(focal_point).post(url(section), data=form(section, focal_point, decision=decision, text="  "))
        assert answer.status_code == 422
        assert f'value="{decision}"' in answer.text
    assert sign_offs(section) == []


def test_rule_17_a_reservation_signs_and_a_return_sends_the_text_back(
    browse: Any, section: Section, focal_point: User, audit_ok: None
) -> None:
    client = browse(focal_point)
    client.post(url(section), data=form(section, focal_point, decision="return", text="Article 5 is missing."))
    assert section.state is SectionState.RETURNED
    assert standing.places(section)[0].standing is Standing.RETURNED
    rewrite(section, "With article 5.")
    client.post(url(section), data=form(section, focal_point, decision="reservation", text="Not for seafarers."))
    assert section.is_signed
    assert [s.text for s in sign_offs(section)] == ["Article 5 is missing.", "Not for seafarers."]
    assert standing.places(section)[0].standing is Standing.RESERVATION


def test_rule_17_the_organisers_are_told_of_a_return(browse: Any, section: Section, focal_point: User, sent: Any) -> None:
    organiser = factories.make_user(Role.ORGANISER, section.consultation)
    sign(section, focal_point, Decision.RETURN, "Article 5 is missing.")
    (mail,) = [mail for mail in sent() if mail["To"] == organiser.email]
    assert "Article 5 is missing." in mail.get_body(("plain",)).get_content()


def test_no_decision_is_422(browse: Any, section: Section, focal_point: User) -> None:
    assert browse(focal_point).post(url(section), data=form(section, focal_point, decision="")).status_code == 422


def test_rule_18_what_was_shown_is_what_is_signed(browse: Any, section: Section, focal_point: User) -> None:
    shown = form(section, focal_point)
    rewrite(section, "Another text.")
    db.session.commit()
    answer = browse(focal_point).post(url(section), data={**shown, "code": totp(focal_point)})
    assert answer.status_code == 409
    assert "The text has changed" in answer.text
    assert sign_offs(section) == []


def test_rule_18_a_new_revision_makes_that_sections_sign_offs_stale_and_no_others(
    app: Any, consultation: Consultation, audit_ok: None
) -> None:
    user = factories.make_user(Role.FOCAL_POINT, consultation)
    for section in consultation.sections:
        name(section, user)
        freeze(section)
        sign(section, user)
    assert not gate.report_missing(consultation)
    first, second = consultation.sections
    rewrite(first, "A later text.")
    db.session.commit()
    db.session.expire_all()
    assert standing.places(first)[0].standing is Standing.STALE
    assert standing.places(second)[0].standing is Standing.APPROVED
    assert (first.is_signed, second.is_signed) == (False, True)
    sign(first, user)
    assert not gate.report_missing(consultation)


def test_rule_18_the_same_text_frozen_again_is_still_signed(app: Any, section: Section, focal_point: User) -> None:
    sign(section, focal_point)
    consultations.reopen_section(section, by=BY)
    assert not section.is_signed
    freeze(section)
    assert section.is_signed


def test_rule_18_a_changed_text_in_the_database_cannot_be_signed(app: Any, section: Section, focal_point: User) -> None:
    assert section.revision is not None
    digest = section.revision.sha256
    db.session.execute(db.text("UPDATE revisions SET content = json_set(content, '$.narrative.en', 'forged')"))
    db.session.commit()
    db.session.expire_all()
    with pytest.raises(Conflict):
        sign_off(section, Decision.APPROVE, digest, "", totp(focal_point), by=focal_point)


def test_every_named_focal_point_has_to_sign(app: Any, section: Section, focal_point: User) -> None:
    other = factories.make_user(Role.FOCAL_POINT, section.consultation, name="Second")
    name(section, other)
    sign(section, focal_point)
    assert not section.is_signed
    sign(section, other)
    assert section.is_signed


def test_a_standing_signature_is_not_given_twice(app: Any, section: Section, focal_point: User) -> None:
    sign(section, focal_point)
    with pytest.raises(Conflict):
        sign(section, focal_point)


def test_invalid_code_raises(app: Any, section: Section, focal_point: User) -> None:
    assert section.revision is not None
    with pytest.raises(Invalid):
        sign_off(section, Decision.APPROVE, section.revision.sha256, "", "12", by=focal_point)


def test_rule_24_the_statement_claims_no_more_than_was_recorded(browse: Any, section: Section, focal_point: User) -> None:
    page = browse(focal_point).get(url(section)).text
    signed = sign(section, focal_point)
    for words in (page, signed.statement):
        assert "uncertified electronic signature" in words
        for claim in ("non-repudiation", "legally binding", "verified identity", "certified electronic", "qualified"):
            assert claim not in words.replace("uncertified electronic", "")


class TestDemo:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"DEMO": True}

    def test_the_demo_shows_the_code(self, browse: Any, section: Section, focal_point: User) -> None:
        focal_point.is_demo = True
        assert "Demonstration: your code is" in browse(focal_point).get(url(section)).text


class TestLimits:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"RATELIMIT_ENABLED": True}

    def test_wrong_codes_are_tried_five_times_and_right_ones_are_not_counted(self, browse: Any) -> None:
        consultation = factories.make_consultation(indicators=8, dimensions=8)
        user = factories.make_user(Role.FOCAL_POINT, consultation)
        for section in consultation.sections:
            name(section, user)
            freeze(section)
        db.session.commit()
        client = browse(user)
        *others, last = consultation.sections
        assert [client.post(url(section), data=form(section, user)).status_code for section in others] == [303] * 7
        # the one at sign-in is counted with them
        assert [client.post(url(last), data=form(last, user, code="12345")).status_code for _n in range(5)] == [422] * 4 + [429]
        assert client.post(url(last), data=form(last, user)).status_code == 429
        assert sign_offs(last) == []
