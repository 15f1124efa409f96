"""Invitations, roles, focal points."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from sqlalchemy import select

from consult_app import audit
from consult_app.accounts.models import Invitation, Membership, User
from consult_app.consultations import team
from consult_app.consultations.invitations import invitation_token
from consult_app.consultations.models import Consultation, FocalPoint, SectionState
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.policy import Role
from tests.factories import BY, make_consultation, make_user, name_focal_point

pytestmark = pytest.mark.usefixtures("audit_ok")


@pytest.fixture
def consultation(app: Any) -> Consultation:
    return make_consultation()


@pytest.fixture
def organiser(consultation: Consultation) -> User:
    return make_user(Role.ORGANISER, consultation)


def _team(consultation: Consultation, rest: str = "") -> str:
    return f"/consultations/{consultation.slug}/team{rest}"


def _link(mail: Any) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/join/\S+)", mail.get_body(("plain",)).get_content())
    assert found is not None
    return found[1]


def test_invite_and_join_with_a_new_account(consultation: Consultation, organiser: User, browse: Any, sent: Any, last_entry: Any) -> None:
    section = consultation.sections[1]
    form = {"email": "Rina@Kemlu.example", "role": "focal_point", "institution": "MOFA", "sections": [section.public_id], "language": "id"}
    assert browse(organiser).post(_team(consultation, "/invite"), data=form).status_code == 303
    (mail,) = sent()
    assert mail["To"] == "rina@kemlu.example"
    page, before = browse(), last_entry("invitation.send").number
    link = _link(mail)
    assert page.get(link).status_code == 200
    assert db.session.scalar(select(User).where(User.email == "rina@kemlu.example")) is None
    assert db.session.scalar(select(audit.AuditEntry).where(audit.AuditEntry.number > before, audit.AuditEntry.chain != "site")) is None
    person = {"name": "Rina", "title": "Director", "password": "a long sentence", "again": "a long sentence"}
    assert page.post(link, data={**person, "again": "other"}).status_code == 422
    answer = page.post(link, data=person)
    assert answer.status_code == 303
    rina = db.session.scalars(select(User).where(User.email == "rina@kemlu.example")).one()
    assert rina.roles_in(consultation.id) == {Role.FOCAL_POINT}
    assert [(named.section_id, named.institution) for named in rina.focal_points] == [(section.id, "MOFA")]
    assert page.get("/").location == "/second-factor/set-up"  # a focal point holds no role without it
    assert browse().post(link, data=person).status_code == 409
    assert last_entry("invitation.accept") is not None
    assert last_entry("focal_point.name") is not None


def test_join_with_an_existing_account(consultation: Consultation, organiser: User, browse: Any) -> None:
    user = make_user()
    invitation = team.invite(consultation, user.email, Role.RAPPORTEUR, by=organiser)
    link = f"/join/{invitation_token(invitation)}"
    nobody = browse()
    assert "Sign in" in nobody.get(link).text
    assert nobody.post(link, data={"name": "X", "password": "a long sentence", "again": "a long sentence"}).location.startswith("/sign-in")
    assert browse(make_user()).post(link).status_code == 409
    assert db.session.scalar(select(Membership).where(Membership.user_id == user.id)) is None
    client = browse(user)
    assert client.get(link).status_code == 200
    assert client.post(link).status_code == 303
    assert user.roles_in(consultation.id) == {Role.RAPPORTEUR}
    assert client.post(link).status_code == 409


def test_links_that_do_not_work(consultation: Consultation, organiser: User, browse: Any) -> None:
    invitation = team.invite(consultation, "a@example.org", Role.OBSERVER, by=organiser)
    link = f"/join/{invitation_token(invitation)}"
    assert browse().get(link[:-2]).status_code == 404
    invitation.expires_at = now() - dt.timedelta(days=1)
    audit.record(BY, "invitation.test", invitation)
    assert browse().get(link).status_code == 409
    assert browse().post(link, data={"name": "X", "password": "a long sentence", "again": "a long sentence"}).status_code == 409
    assert browse(organiser).post(_team(consultation, f"/invitations/{invitation.public_id}/withdraw")).status_code == 303
    assert browse().get(link).status_code == 404


def test_invite_again_sends_the_same_invitation(consultation: Consultation, organiser: User) -> None:
    first = team.invite(consultation, "a@example.org", Role.OBSERVER, by=organiser)
    assert team.invite(consultation, " A@example.org", Role.OBSERVER, by=organiser) is first


def test_invite_refused(consultation: Consultation, organiser: User, browse: Any) -> None:
    with pytest.raises(Invalid):
        team.invite(consultation, "a@example.org", Role.ADMINISTRATOR, by=organiser)
    with pytest.raises(Invalid):
        team.invite(consultation, "a@example.org", Role.FOCAL_POINT, by=organiser, section_ids=[make_consultation().sections[0].public_id])
    with pytest.raises(Conflict):
        team.invite(consultation, organiser.email, Role.ORGANISER, by=organiser)
    client, form = browse(organiser), {"email": "a@example.org", "role": "observer", "language": "en"}
    for wrong in ({"email": "nobody"}, {"role": "administrator"}, {"role": "focal_point"}, {"sections": ["x"]}):
        assert client.post(_team(consultation, "/invite"), data={**form, **wrong}).status_code == 422
    assert client.post(_team(consultation, "/invite"), data={**form, "email": organiser.email, "role": "organiser"}).status_code == 409
    assert db.session.scalar(select(Invitation)) is None


def test_team_page(consultation: Consultation, organiser: User, browse: Any) -> None:
    focal = make_user(Role.FOCAL_POINT, consultation, name="Focal <Point>")
    team.invite(consultation, "open@example.org", Role.OBSERVER, by=organiser)
    name_focal_point(consultation.sections[0], focal)
    page = browse(organiser).get(_team(consultation))
    assert page.status_code == 200
    assert "Focal &lt;Point&gt;" in page.text
    assert "open@example.org" in page.text
    assert browse(make_user(administrator=True)).get(_team(consultation)).status_code == 200


def test_strangers_and_roles(consultation: Consultation, browse: Any) -> None:
    form = {"email": "a@example.org", "role": "observer", "language": "en"}
    for user, status in ((make_user(Role.ORGANISER, make_consultation()), 404), (make_user(Role.RAPPORTEUR, consultation), 403)):
        client = browse(user)
        assert client.get(_team(consultation)).status_code == status
        for verb in ("/invite", "/xyz/remove", "/focal-points", "/focal-points/xyz/remove", "/invitations/xyz/withdraw"):
            assert client.post(_team(consultation, verb), data=form).status_code == status


def test_remove_member(consultation: Consultation, organiser: User, browse: Any, last_entry: Any) -> None:
    focal = make_user(Role.FOCAL_POINT, consultation)
    name_focal_point(consultation.sections[0], focal)
    theirs = browse(focal)
    client, membership = browse(organiser), focal.memberships[0]
    assert theirs.get(f"/consultations/{consultation.slug}/sections").status_code == 200
    assert client.post(_team(consultation, f"/{membership.public_id}/remove")).status_code == 303
    assert theirs.get(f"/consultations/{consultation.slug}/sections").status_code == 303  # signed out
    assert db.session.scalar(select(FocalPoint)) is None
    assert last_entry("membership.delete") is not None
    assert last_entry("focal_point.delete") is not None
    assert client.post(_team(consultation, f"/{organiser.memberships[0].public_id}/remove")).status_code == 409


def test_rule_16_focal_points_are_named_for_sections(consultation: Consultation, organiser: User, browse: Any) -> None:
    section, focal = consultation.sections[0], make_user(Role.FOCAL_POINT, consultation)
    client = browse(organiser)
    form = {"section": section.public_id, "user": focal.public_id, "institution": "MOFA"}
    assert client.post(_team(consultation, "/focal-points"), data=form).status_code == 303
    assert client.post(_team(consultation, "/focal-points"), data=form).status_code == 303  # again: nothing new
    (named,) = db.session.scalars(select(FocalPoint))
    assert focal.is_named_for(section.id)
    assert client.post(_team(consultation, "/focal-points"), data={**form, "user": "x"}).status_code == 422
    other = make_user(Role.RAPPORTEUR, consultation)
    assert client.post(_team(consultation, "/focal-points"), data={**form, "user": other.public_id}).status_code == 409
    assert client.post(_team(consultation, f"/focal-points/{named.public_id}/remove")).status_code == 303
    assert not focal.is_named_for(section.id)


@pytest.mark.parametrize("state", [SectionState.FROZEN, SectionState.SIGNED])
def test_who_signs_does_not_change_under_a_signature(consultation: Consultation, state: SectionState) -> None:
    section, focal, other = consultation.sections[0], make_user(Role.FOCAL_POINT, consultation), make_user(Role.FOCAL_POINT, consultation)
    named = team.name_focal_point(section, focal, "MOFA", by=BY)
    section.state = state
    audit.record(BY, "section.test", section)
    with pytest.raises(Conflict):
        team.unname_focal_point(named, by=BY)
    with pytest.raises(Conflict):
        team.remove_member(focal.memberships[0], by=BY)
    if state is SectionState.SIGNED:
        with pytest.raises(Conflict):
            team.name_focal_point(section, other, "MOFA", by=BY)
