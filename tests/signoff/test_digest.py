"""The digest: at most one mail a day with what waits, none when nothing waits, none for whoever does not want it."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from consult_app import audit
from consult_app.accounts.actions import set_enabled
from consult_app.accounts.models import Membership, User
from consult_app.comments import answers
from consult_app.comments.models import DispositionKind
from consult_app.consultations import actions as consultations
from consult_app.consultations import deputies, team
from consult_app.consultations.models import Consultation, Section, SignatoryRole, SigningOrder
from consult_app.db import clock_at, db
from consult_app.mail import Mail
from consult_app.policy import Role
from consult_app.signoff import digest
from consult_app.signoff.models import Decision
from tests import factories
from tests.signoff.steps import BY, comment_on, freeze, name, sign

pytestmark = pytest.mark.usefixtures("audit_ok")
DAY = dt.timedelta(days=1)
FROZEN = dt.datetime(2026, 3, 2, 10, 0, tzinfo=ZoneInfo("Asia/Jakarta"))  # a Monday


@pytest.fixture
def section(consultation: Consultation) -> Section:
    """Section 1, frozen on Monday at ten."""
    first = consultation.sections[0]
    with clock_at(FROZEN):
        freeze(first)
    db.session.commit()
    return first


def run(moment: dt.datetime) -> list[tuple[str, str]]:
    """The hourly job at a moment: whom it wrote to, and what waits for them in English."""
    db.session.commit()
    before = set(db.session.scalars(db.select(Mail.id)))
    with clock_at(moment):
        digest.send_digests()
        mails = db.session.scalars(db.select(Mail).where(Mail.id.not_in(before), Mail.kind == "signoff.digest").order_by(Mail.id)).all()
        told = [(m.to, "; ".join(i.sentence for i in digest.digest_mail(**m.ids).names["items"])) for m in mails]
    db.session.rollback()
    return told


def test_a_signature_is_reminded_of_two_days_after_the_freeze(app: Any, section: Section, focal_point: User) -> None:
    assert run(FROZEN + dt.timedelta(hours=1)) == []
    assert run(FROZEN + dt.timedelta(days=1, hours=23)) == []
    assert run(FROZEN + 2 * DAY) == [(focal_point.email, "Section 1, Dimension 1, has waited for a signature for 2 days.")]


def test_never_more_than_one_a_day(app: Any, section: Section, focal_point: User) -> None:
    day = FROZEN + 3 * DAY
    assert len(run(day)) == 1
    for hours in (0, 1, 5, 13):
        assert run(day + dt.timedelta(hours=hours)) == []
    assert run(day + DAY) == [(focal_point.email, "Section 1, Dimension 1, has waited for a signature for 4 days.")]


def test_it_comes_by_day(app: Any, section: Section, focal_point: User) -> None:
    night = (FROZEN + 5 * DAY).replace(hour=3)
    assert run(night) == []
    assert run(night.replace(hour=7)) != []
    section.consultation.timezone = "America/Mexico_City"
    audit.record(BY, "consultation.test", section.consultation)
    assert run(night.replace(hour=7) + DAY) == []  # evening of the day before there: written to already
    assert len(run(night.replace(hour=21) + DAY)) == 1


def test_nothing_to_say_is_no_mail(app: Any, section: Section, focal_point: User) -> None:
    for role in (Role.ORGANISER, Role.RAPPORTEUR, Role.OBSERVER, Role.CHECK_IN, Role.FOCAL_POINT):
        factories.make_user(role, section.consultation)
    sign(section, focal_point)
    assert run(FROZEN + 9 * DAY) == []


def test_only_whose_turn_it_is(app: Any, consultation: Consultation) -> None:
    section, users = consultation.sections[0], [factories.make_user(Role.FOCAL_POINT, consultation) for _n in range(2)]
    for user in users:
        team.name_focal_point(section, user, "", by=BY)
    db.session.flush()
    db.session.expire_all()
    roles = {p.public_id: (SignatoryRole.LEAD, n) for n, p in enumerate(section.focal_points, 1)}
    team.set_signatories(section, SigningOrder.IN_ORDER, roles, by=BY)
    with clock_at(FROZEN):
        freeze(section)
    assert [to for to, _words in run(FROZEN + 3 * DAY)] == [users[0].email]
    with clock_at(FROZEN + 3 * DAY):
        sign_now(section, users[0])
    assert [to for to, _words in run(FROZEN + 4 * DAY)] == [users[1].email]


def sign_now(section: Section, user: User) -> None:
    sign(section, user)
    db.session.commit()
    db.session.expire_all()


def test_a_closed_gate_is_no_reminder_to_sign(app: Any, section: Section, focal_point: User) -> None:
    event = factories.make_event(section.consultation)
    consultations.reopen_section(section, by=BY)
    consultations.open_section(section, by=BY)
    db.session.commit()
    db.session.expire_all()
    comments = [comment_on(section, factories.make_registration(event)) for _n in range(2)]
    assert run(FROZEN + 3 * DAY) == []  # still open: answers can wait
    consultations.start_review(section, by=BY)
    assert run(FROZEN + 4 * DAY) == [(focal_point.email, "2 comments on section 1 wait for an answer.")]
    for comment in comments:
        answers.decide(comment, DispositionKind.NOT_ACCEPTED, "It is in another law.", by=focal_point)
    answers.object_to(comments[0], "It is not.", by=comments[0].registration)
    with clock_at(FROZEN):
        freeze(section)
    assert run(FROZEN + 9 * DAY) == [(focal_point.email, "1 objection in section 1 is open.")]


def test_editors_hear_of_returned_sections(app: Any, section: Section, focal_point: User) -> None:
    editors = [factories.make_user(role, section.consultation) for role in (Role.ORGANISER, Role.RAPPORTEUR)]
    factories.make_user(Role.OBSERVER, section.consultation)
    sign(section, focal_point, Decision.RETURN, "Article 5 is missing.")
    words = "Section 1, Dimension 1, was returned and waits for another text."
    assert run(FROZEN + 3 * DAY) == [(editor.email, words) for editor in editors]


def test_the_deputy_of_today_is_reminded_too(app: Any, section: Section, focal_point: User) -> None:
    deputy = factories.make_user(Role.FOCAL_POINT, section.consultation)
    with clock_at(FROZEN):
        deputies.delegate(section.consultation, deputy, dt.date(2026, 3, 5), dt.date(2026, 3, 5), "on leave", by=focal_point)
    assert [to for to, _words in run(FROZEN + 2 * DAY)] == [focal_point.email]
    told = run(FROZEN + 3 * DAY)
    assert [to for to, _words in told] == [focal_point.email, deputy.email]
    assert told[1][1] == "Section 1, Dimension 1, has waited for a signature for 3 days. You are the deputy of Retno Wulandari."
    assert [to for to, _words in run(FROZEN + 4 * DAY)] == [focal_point.email]


def test_who_is_not_written_to(app: Any, section: Section, focal_point: User) -> None:
    focal_point.is_demo = True
    audit.record(BY, "user.test", focal_point)
    assert run(FROZEN + 3 * DAY) == []
    focal_point.is_demo = False
    audit.record(BY, "user.test", focal_point)
    set_enabled(focal_point, False, by=BY)
    assert run(FROZEN + 3 * DAY) == []


def test_it_is_stopped_per_consultation(browse: Any, section: Section, focal_point: User, last_entry: Any) -> None:
    client, url = browse(focal_point), f"/consultations/{section.consultation.slug}/digest"
    assert "You get it." in client.get(url).text
    assert client.post(url, data={"wants": "0"}).status_code == 303
    assert last_entry("membership.digest").actor == focal_point.actor_key
    assert "You do not get it." in client.get(url).text
    assert "you do not get it" in client.get("/account").text
    assert run(FROZEN + 3 * DAY) == []
    assert client.post(url, data={"wants": "1"}).status_code == 303
    assert len(run(FROZEN + 3 * DAY)) == 1
    assert db.session.scalars(db.select(Membership.wants_digest)).all() == [True]


def test_strangers_404_participants_403(browse: Any, section: Section) -> None:
    url = f"/consultations/{section.consultation.slug}/digest"
    stranger = factories.make_user(Role.ORGANISER, factories.make_consultation())
    participant = factories.make_registration(factories.make_event(section.consultation))
    for who, status in ((stranger, 404), (participant, 403), (None, 303)):
        client = browse(who)
        assert (client.get(url).status_code, client.post(url, data={"wants": "0"}).status_code) == (status, status)


@pytest.mark.parametrize(("language", "words"), [("en", "This waits for you:"), ("id", "Ini menunggu Anda:")])
def test_text_and_html_in_both_languages(section: Section, focal_point: User, sent: Any, language: str, words: str) -> None:
    focal_point.language = language
    audit.record(BY, "user.test", focal_point)
    with clock_at(FROZEN + 3 * DAY):
        digest.send_digests()
    (mail,) = sent()
    assert mail["To"] == focal_point.email
    for kind in ("plain", "html"):
        body = mail.get_body((kind,)).get_content()
        assert words in body
        assert f"http://127.0.0.1:8000/consultations/{section.consultation.slug}/digest" in body
        assert f"/consultations/{section.consultation.slug}/sections/1/sign?place=" in body


def test_what_was_done_before_it_left_is_not_said(app: Any, section: Section, focal_point: User, sent: Any) -> None:
    with clock_at(FROZEN + 3 * DAY):
        digest.send_digests()
    sign(section, focal_point)
    assert [mail for mail in sent() if "wait" in mail["Subject"]] == []


def test_a_run_needs_few_queries(app: Any, count_queries: Any) -> None:
    counts = []
    for people in (1, 6):
        consultation = factories.make_consultation()
        for _n in range(people):
            user = factories.make_user(Role.FOCAL_POINT, consultation)
            for section in consultation.sections:
                name(section, user)
        db.session.commit()
        db.session.expunge_all()
        again = db.session.scalars(db.select(Consultation).order_by(Consultation.id.desc()).limit(1)).one()
        with count_queries() as statements:
            assert digest.queue_digests(again) == 0
        counts.append(len(statements))
    assert counts[0] == counts[1], counts


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "America/Lima", "Pacific/Kiritimati"])
def test_no_digest_comes_before_the_morning_of_the_consultations_clock(app: Any, section: Section, focal_point: User, zone: str) -> None:
    section.consultation.timezone = zone
    audit.record(BY, "consultation.test", section.consultation)
    day = (FROZEN + 5 * DAY).date()
    for hour in range(24):
        mails = run(dt.datetime.combine(day, dt.time(hour, 59), ZoneInfo(zone)))
        assert bool(mails) is (hour >= digest.FROM_HOUR), hour
        db.session.execute(db.delete(Mail).where(Mail.kind == "signoff.digest"))
        db.session.commit()


def test_one_digest_a_day_by_the_consultations_calendar(app: Any, section: Section, focal_point: User) -> None:
    """Seven in the morning of Jakarta is midnight in Greenwich: both hours of this day fall on one day here, and on two there."""
    section.consultation.timezone = "Pacific/Kiritimati"  # fourteen hours ahead
    audit.record(BY, "consultation.test", section.consultation)
    day = (FROZEN + 5 * DAY).date()
    zone = ZoneInfo("Pacific/Kiritimati")
    assert len(run(dt.datetime.combine(day, dt.time(8), zone))) == 1  # the day before in Greenwich
    assert run(dt.datetime.combine(day, dt.time(22), zone)) == []  # the same day in Greenwich as here
