"""The demonstration: the two reference workshops of December 2023, made through the actions, the same each time.

People, comments and answers are invented and labelled so; the numbers (98 and 76 indicators, 58 and 92 arrived) are
those of the real workshops, and come from the files in `demo_data/`, never from here.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyotp
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas
from sqlalchemy import select

from consult_app import audit
from consult_app.accounts.actions import add_role, create_user
from consult_app.accounts.models import User
from consult_app.attendance.actions import check_in
from consult_app.attendance.models import ScanResult
from consult_app.comments import answers
from consult_app.comments.actions import endorse, take_position, write_comment
from consult_app.comments.evidence import attach, receive
from consult_app.comments.models import Comment, CommentKind, DispositionKind, PositionValue
from consult_app.comments.replies import reply_to
from consult_app.consultations import actions as consultations
from consult_app.consultations.deputies import delegate
from consult_app.consultations.framework import apply_framework, read_framework
from consult_app.consultations.models import (
    SECTION_PARTS,
    Attribution,
    Consultation,
    Dimension,
    Indicator,
    Level,
    Section,
    SignatoryRole,
    SigningOrder,
    today_in,
)
from consult_app.consultations.team import name_focal_point, set_signatories
from consult_app.db import clock_at, db, now
from consult_app.events.actions import add_session, change_event, change_session, create_event, publish_event
from consult_app.events.models import Event, EventKind, EventMode, SessionKind
from consult_app.i18n import _
from consult_app.outcomes import actions as outcomes
from consult_app.outcomes.models import FollowUp, FollowUpStatus, StepKind
from consult_app.policy import Role, System
from consult_app.registrations import actions as registrations
from consult_app.registrations.models import Attendance, ParticipantRole, Purpose, Registration, Sex, Source, StakeholderType
from consult_app.registrations.queries import institutions, stakeholder_types
from consult_app.registrations.speakers import let_speak
from consult_app.reports.actions import request_report
from consult_app.reports.jobs import seal_report
from consult_app.reports.models import Report
from consult_app.signoff.actions import sign_off
from consult_app.signoff.models import Decision

DATA = Path(__file__).parent / "demo_data"
ZONE = ZoneInfo("Asia/Jakarta")
BY = System("demo")


@dataclass(frozen=True)
class Meeting:
    """One event of a workshop: when, where, and the key under which the people's file knows it."""

    key: str
    kind: EventKind
    title: tuple[str, str]
    first: dt.date
    last: dt.date
    venue: str
    mode: EventMode = EventMode.IN_PERSON


NATIONAL = (
    Meeting(
        "coord1",
        EventKind.COORDINATION,
        ("First coordination meeting", "Rapat koordinasi pertama"),
        dt.date(2023, 3, 15),
        dt.date(2023, 3, 15),
        "Jakarta",
    ),
    Meeting(
        "coord2",
        EventKind.COORDINATION,
        ("Second coordination meeting", "Rapat koordinasi kedua"),
        dt.date(2023, 4, 3),
        dt.date(2023, 4, 3),
        "Jakarta",
    ),
    Meeting(
        "fgd",
        EventKind.FGD,
        ("Focus group discussion", "Diskusi kelompok terfokus"),
        dt.date(2023, 6, 20),
        dt.date(2023, 6, 21),
        "Jakarta",
        EventMode.HYBRID,
    ),
    Meeting(
        "validation",
        EventKind.VALIDATION,
        ("National validation workshop", "Lokakarya validasi nasional"),
        dt.date(2023, 12, 19),
        dt.date(2023, 12, 19),
        "Jakarta",
    ),
)
LOCAL = (
    Meeting(
        "kickoff", EventKind.COORDINATION, ("Kick-off meeting", "Rapat perdana"), dt.date(2023, 8, 31), dt.date(2023, 8, 31), "Semarang"
    ),
    Meeting(
        "fgd",
        EventKind.FGD,
        ("Focus group discussion", "Diskusi kelompok terfokus"),
        dt.date(2023, 9, 18),
        dt.date(2023, 9, 18),
        "Semarang",
        EventMode.HYBRID,
    ),
    Meeting(
        "validation",
        EventKind.VALIDATION,
        ("Final consultation of Central Java", "Konsultasi akhir Jawa Tengah"),
        dt.date(2023, 12, 7),
        dt.date(2023, 12, 7),
        "Semarang",
    ),
)


@dataclass
class Workshop:
    """What is known of one reference workshop while it is made."""

    name: str
    consultation: Consultation
    people: list[dict[str, str]]
    types: dict[str, StakeholderType] = field(default_factory=dict)
    institutions: dict[str, dict[str, str]] = field(default_factory=dict)
    indicators: dict[str, Indicator] = field(default_factory=dict)
    sections: dict[int, Section] = field(default_factory=dict)
    arrived: dict[str, Registration] = field(default_factory=dict)  # at the validation, by e-mail
    comments: dict[int, Comment] = field(default_factory=dict)  # by place in the file


def _csv(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _json(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def _moment(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), ZONE)


# -- accounts --


def _account(email: str, name: str, title: Any, language: str, *, administrator: bool = False, listed: bool = True) -> User:
    """An account; one that is not `listed` is not offered on the sign-in page."""
    user = create_user(email, name, by=BY, administrator=administrator, language=language, title=str(title))
    user.is_demo = listed
    user.totp_secret, user.totp_confirmed_at = pyotp.random_base32(), now()
    audit.record(BY, "user.demo", user)
    return user


def _accounts() -> dict[str, User]:
    """One account for each role of product.md, and a deputy."""
    return {
        "organiser": _account("organiser@iom.example", "Claire Beaumont-Okafor", _("Organiser"), "en"),
        "mofa": _account("narahubung@kemlu.example", "Raden Prasetyo Adiwinata", _("Focal point of the Ministry of Foreign Affairs"), "id"),
        "manpower": _account(
            "narahubung@disnakertrans.example", "Sri Wahyuningsih", "Focal point of the Manpower and Transmigration Department", "id"
        ),
        "ministry": _account("narahubung@kemnaker.example", "Yohana Tambunan", _("Focal point of the Ministry of Manpower"), "id"),
        "rapporteur": _account("rapporteur@iom.example", "Made Suryani", _("Rapporteur"), "en"),
        "facilitator": _account("facilitator@iom.example", "Tomás Echeverría", _("Facilitator"), "en"),
        "desk": _account("desk@iom.example", "Suharti", _("Check-in staff"), "id"),
        "observer": _account("observer@donor.example", "Ingrid Solheim", _("Observer of the donor"), "en"),
        "administrator": _account("admin@consult.example", "Bambang Site", _("Site administrator"), "en", administrator=True),
        "deputy": _account("wakil@kemlu.example", "Dewi Anggraini", "Deputy director, Ministry of Foreign Affairs", "id", listed=False),
    }


# -- the ground: consultation, framework, sections, events --


def _prepare(name: str, users: dict[str, User], focal_points: list[tuple[User, str]], **about: Any) -> Workshop:
    consultation = consultations.create_consultation(
        by=BY, languages=["en", "id"], is_illustrative=True, sdgs=["10", "16", "17"], gcm_objectives=["1", "7", "23"], **about
    )
    for key, role in (
        ("organiser", Role.ORGANISER),
        ("rapporteur", Role.RAPPORTEUR),
        ("facilitator", Role.FACILITATOR),
        ("desk", Role.CHECK_IN),
        ("observer", Role.OBSERVER),
    ):
        add_role(users[key], consultation.id, role, by=BY, institution="IOM")
    file = f"{name}_framework.csv"
    draft = read_framework(file, (DATA / file).read_bytes(), consultation)
    apply_framework(consultation, draft.rows, by=BY, version="2023")
    shop = Workshop(name, consultation, _csv(f"{name}_people.csv"))
    shop.indicators = {i.code: i for i in db.session.scalars(select(Indicator).where(Indicator.consultation_id == consultation.id))}
    shop.sections = {section.number: section for section in consultation.sections}
    for texts in _json(f"{name}_sections.json"):
        section = shop.sections[texts["number"]]
        consultations.edit_section(section, {part: texts[part] for part in SECTION_PARTS}, section.edit_number, by=users["rapporteur"])
    for user, institution in focal_points:
        add_role(user, consultation.id, Role.FOCAL_POINT, by=BY, institution=institution)
        for section in shop.sections.values():
            name_focal_point(section, user, institution, by=BY)
    shop.institutions = {row["key"]: row for row in _csv(f"{name}_institutions.csv")}
    shop.types = {kind.code: kind for kind in stakeholder_types(consultation.id)}
    for row in shop.institutions.values():
        names = {"en": row["name_en"], "id": row["name_id"]}
        registrations.find_institution(consultation.id, row["name_en"], shop.types[row["type"]], by=BY, names=names, short=row["short"])
    return shop


def _hold(shop: Workshop, meeting: Meeting, agenda: list[dict[str, Any]], staff: User) -> Event:
    """Make an event, register its people as the file says, and check in those who came."""
    with clock_at(_moment(meeting.first - dt.timedelta(days=21), 9)):
        event = create_event(
            shop.consultation,
            by=BY,
            slug=f"{shop.name}-{meeting.key}-2023",
            kind=meeting.kind,
            mode=meeting.mode,
            title={"en": meeting.title[0], "id": meeting.title[1]},
            description={},
            starts_on=meeting.first,
            ends_on=meeting.last,
            starts_at=dt.time(8, 30),
            ends_at=dt.time(16, 0),
            timezone="Asia/Jakarta",
            venue=meeting.venue,
            address="",
            online_url="",
            capacity=None,
            registration_closes_at=None,
        )
        in_order = select(Dimension.id).where(Dimension.consultation_id == event.consultation_id).order_by(Dimension.number)
        dimensions = iter(db.session.scalars(in_order))
        for item in agenda:
            day = meeting.first + dt.timedelta(days=item["day"] - 1)
            add_session(
                event,
                item["title"],
                day,
                dt.time.fromisoformat(item["start"]),
                dt.time.fromisoformat(item["end"]),
                by=BY,
                kind=SessionKind(item["kind"]),
                speaker=item["speaker"],
                dimension_id=next(dimensions, None) if item["kind"] == "group" else None,
            )
        publish_event(event, by=BY)
    people = [(row, state) for row in shop.people if (state := dict(e.split(":") for e in row["events"].split(";")).get(meeting.key))]
    came = []
    for wanted in ("cancelled", "arrived", "no_show", "waiting"):
        if wanted == "waiting" and any(state == wanted for _row, state in people):
            seats = sum(state in ("arrived", "no_show") and _attendance(meeting, row) is Attendance.IN_PERSON for row, state in people)
            change_event(event, by=BY, capacity=seats)
        for row, _state in (pair for pair in people if pair[1] == wanted):
            with clock_at(_moment(meeting.first - dt.timedelta(days=14), 10)):
                registration = _register(shop, event, meeting, row)
                if wanted == "cancelled":
                    registrations.cancel(registration, by=registration, reason="by the participant")
            if wanted == "arrived":
                came.append((row["email"], registration))
    spoken: set[int] = set()
    for minute, (email, registration) in enumerate(came):
        for day in event.days:
            moment = _moment(day, 8) + dt.timedelta(seconds=35 * minute)
            with clock_at(moment):
                answer = check_in(event, registration, by=staff, nonce=f"demo-{registration.public_id}-{day}")
            assert answer.result is ScanResult.OK, answer
        if meeting.kind is EventKind.VALIDATION:
            shop.arrived[email] = registration
            if registration.institution_id not in spoken:  # the first of each institution speaks for it
                spoken.add(registration.institution_id)
                let_speak(registration, by=BY)
    return event


def _attendance(meeting: Meeting, row: dict[str, str]) -> Attendance:
    return Attendance(row["mode"]) if meeting.mode is EventMode.HYBRID else Attendance.IN_PERSON


def _register(shop: Workshop, event: Event, meeting: Meeting, row: dict[str, str]) -> Registration:
    institution = shop.institutions[row["institution"]]
    plain = (
        "name",
        "email",
        "salutation",
        "title_before",
        "title_after",
        "unit",
        "position",
        "phone",
        "language",
        "diet",
        "accommodations",
    )
    given: dict[str, Any] = {name: row[name] for name in plain}
    details = registrations.Details(
        **given,
        institution=institution["name_en"],
        stakeholder_type=shop.types[institution["type"]],
        sex=Sex(row["sex"]),
        attendance=_attendance(meeting, row),
        role=ParticipantRole(row["role"]),
    )
    consents = {Purpose.TAKING_PART: True, Purpose.PHOTO: row["sex"] != "undisclosed", Purpose.FOLLOW_UP: True}
    registration, _is_new = registrations.register(event, details, by=BY, source=Source.PUBLIC, consents=consents, send=False)
    return registration


# -- the day itself: comments and positions --


def _comment(shop: Workshop, rapporteur: User, day: dt.date) -> None:
    """Put down the comments of the file on every section that is open, and positions of those who came."""
    chance = random.Random(shop.name)  # noqa: S311  the same demonstration each time
    for place, row in enumerate(_json(f"{shop.name}_comments.json")):
        indicator, author = shop.indicators[row["indicator"]], shop.arrived[row["by"]]
        if not indicator.dimension.section.is_open:
            continue
        with clock_at(_moment(day, 10) + dt.timedelta(minutes=3 * place)):
            comment = write_comment(
                indicator,
                author,
                CommentKind(row["kind"]),
                row["text"],
                by=rapporteur if row["recorded"] else author,
                client_key=f"demo-{place}",
                proposed=row["proposed"],
                proposed_language=row["language"] if row.get("edits_finding") else "",
                link=row["link"],
                language=row["language"],
            )
            attach(comment, receive([_Upload(row["evidence"])] if "evidence" in row else []), by=author)
            for email in row["endorsed_by"]:
                if email != row["by"]:
                    endorse(comment, shop.arrived[email], by=shop.arrived[email])
            for number, reply in enumerate(row.get("replies", [])):
                by = rapporteur if reply["by"] == "rapporteur" else shop.arrived[reply["by"]]
                reply_to(comment, reply["text"], by=by, client_key=f"demo-{place}-{number}", language=row["language"])
        shop.comments[place] = comment
    groups = sorted(shop.sections)
    for number, registration in enumerate(shop.arrived.values()):
        section = shop.sections[groups[number % len(groups)]]
        if section.is_open:
            for indicator in section.dimension.indicators:
                value = chance.choices(list(PositionValue), (70, 14, 6, 10))[0]
                reason = _REASONS[registration.language] if value in (PositionValue.RESERVATION, PositionValue.DISAGREE) else ""
                with clock_at(_moment(day, 13, number % 60)):
                    take_position(indicator, registration, value, reason, by=registration)


class _Upload(io.BytesIO):
    """A page of evidence, as a participant would send it."""

    filename: str | None = "evidence.pdf"

    def __init__(self, words: str) -> None:
        page = canvas.Canvas(self, pagesize=A4, invariant=1)
        page.drawString(72, 740, words)
        page.save()
        self.seek(0)


_REASONS = {
    "en": "The finding should say for which provinces it holds.",
    "id": "Temuan sebaiknya menyebutkan untuk provinsi mana hal ini berlaku.",
}

# -- after it: answers, revisions, signatures --


def _answer(shop: Workshop, by: User, sections: set[int]) -> None:
    for place, row in enumerate(_json(f"{shop.name}_comments.json")):
        comment, decided = shop.comments.get(place), row["disposition"]
        if comment is None or decided is None or comment.section.number not in sections:
            continue
        other = shop.comments.get(decided["duplicate_of"]) if decided["duplicate_of"] is not None else None
        answers.decide(comment, DispositionKind(decided["kind"]), decided["response"], by=by, duplicate_of=other)


def _revise(shop: Workshop, section: Section, by: User) -> None:
    """Put what was accepted into the text, and freeze it: the revision carries what the change answers."""
    accepted = [c for c in shop.comments.values() if c.section_id == section.id and c.waits_for_revision]
    texts = {part: dict(getattr(section, part)) for part in SECTION_PARTS}
    for comment in accepted:
        words = comment.proposed or comment.text
        told = words if comment.indicator.code in words else f"{words} ({comment.indicator.code})"
        texts["narrative"][comment.language] = f"{texts['narrative'].get(comment.language, '')}\n\n{told}".strip()
    answering = [comment.public_id for comment in accepted]
    consultations.edit_section(section, texts, section.edit_number, by=by, answering=answering)
    consultations.freeze_section(section, by=by, note=f"{len(accepted)} accepted comments")


def _sign(section: Section, user: User, decision: Decision = Decision.APPROVE, text: str = "") -> None:
    assert section.revision is not None
    assert user.totp_secret is not None
    user.totp_last_step = 0  # the demonstration signs faster than codes change
    db.session.flush()
    sign_off(section, decision, section.revision.sha256, text, pyotp.TOTP(user.totp_secret).now(), by=user)


def _let_ministry_sign_first(section: Section, ministry: User) -> None:
    """The Ministry of Manpower leads this section; the other one signs after it."""
    wanted = {
        point.public_id: (SignatoryRole.LEAD, 1) if point.user_id == ministry.id else (SignatoryRole.CO_SIGNING, 2)
        for point in section.focal_points
    }
    set_signatories(section, SigningOrder.IN_ORDER, wanted, by=BY)


def _delegate(shop: Workshop, principal: User, deputy: User, days: int, reason: str) -> None:
    today = today_in(shop.consultation)
    delegate(shop.consultation, deputy, today, today + dt.timedelta(days=days), reason, by=principal)


def _local(users: dict[str, User]) -> None:
    manpower, mofa = users["manpower"], users["mofa"]
    shop = _prepare(
        "local",
        users,
        [(manpower, "Manpower and Transmigration Department of Central Java"), (mofa, "Ministry of Foreign Affairs")],
        slug="mgi-central-java-2023",
        title={"en": "Local MGI Central Java", "id": "MGI Lokal Jawa Tengah"},
        summary={
            "en": "Final consultation on the Local Migration Governance Indicators of Central Java.",
            "id": "Konsultasi akhir Indikator Tata Kelola Migrasi Lokal Jawa Tengah.",
        },
        level=Level.SUBNATIONAL,
        territory="ID-JT",
        attribution=Attribution.BY_STAKEHOLDER_TYPE,
        partners=["IOM", "Manpower and Transmigration Department of Central Java", "Ministry of Home Affairs"],
        controller="IOM with the Manpower and Transmigration Department of Central Java",
    )
    _hold_all(shop, LOCAL, users)
    day = LOCAL[-1].first
    with clock_at(_moment(day, 16)):
        for section in shop.sections.values():
            consultations.start_review(section, by=users["rapporteur"])
    with clock_at(_moment(day + dt.timedelta(days=5), 10)):
        _answer(shop, manpower, set(shop.sections))
    for number, section in shop.sections.items():
        with clock_at(_moment(day + dt.timedelta(days=7), 9, number)):
            _revise(shop, section, users["rapporteur"])
        with clock_at(_moment(day + dt.timedelta(days=11), 14, 5 * number)):
            _sign(section, manpower)
        with clock_at(_moment(day + dt.timedelta(days=12), 10, 5 * number)):
            reservation = "Figures on departures are those of 2022 and will be updated with the next edition."
            _sign(section, mofa, *((Decision.RESERVATION, reservation) if number == 4 else (Decision.APPROVE, "")))
    request_report(shop.consultation, "en", by=users["organiser"])


def _national(users: dict[str, User]) -> None:
    mofa, ministry, rapporteur = users["mofa"], users["ministry"], users["rapporteur"]
    shop = _prepare(
        "national",
        users,
        [(mofa, "Ministry of Foreign Affairs"), (ministry, "Ministry of Manpower")],
        slug="mgi-indonesia-2023",
        title={"en": "MGI Indonesia, national", "id": "MGI Indonesia, nasional"},
        summary={
            "en": "National validation of the Migration Governance Indicators of Indonesia.",
            "id": "Validasi nasional Indikator Tata Kelola Migrasi Indonesia.",
        },
        level=Level.NATIONAL,
        territory="ID",
        attribution=Attribution.BY_INSTITUTION,
        partners=["IOM", "Ministry of Foreign Affairs", "UNDP", "UN Women"],
        controller="IOM with the Ministry of Foreign Affairs",
    )
    add_role(users["deputy"], shop.consultation.id, Role.FOCAL_POINT, by=BY, institution="Ministry of Foreign Affairs")
    _let_ministry_sign_first(shop.sections[2], ministry)
    _hold_all(shop, NATIONAL, users, closed=frozenset({6}))
    day, sections = NATIONAL[-1].first, shop.sections
    with clock_at(_moment(day, 16)):
        for number in (1, 2, 3, 4):
            consultations.start_review(sections[number], by=rapporteur)
    with clock_at(_moment(day + dt.timedelta(days=6), 10)):
        _answer(shop, mofa, {1, 2, 3, 4})
    for number in (1, 2, 3):
        with clock_at(_moment(day + dt.timedelta(days=8), 9, number)):
            _revise(shop, sections[number], rapporteur)
    with clock_at(_moment(day + dt.timedelta(days=12), 9)):
        _delegate(shop, mofa, users["deputy"], 3, "Travelling for the ministry.")
    _delegate(shop, ministry, mofa, 60, "On leave.")
    with clock_at(_moment(day + dt.timedelta(days=13), 11)):
        _sign(sections[1], users["deputy"])
        _sign(sections[1], ministry, Decision.RESERVATION, "The ministry will publish its own figures on placements in the coming year.")
        _sign(sections[2], ministry)
        _sign(
            sections[3],
            mofa,
            Decision.RETURN,
            "The paragraph on partnerships with cities does not yet reflect what was agreed in the room.",
        )


def _hold_all(shop: Workshop, meetings: tuple[Meeting, ...], users: dict[str, User], closed: frozenset[int] = frozenset()) -> None:
    agendas = _json(f"{shop.name}_agenda.json")
    with clock_at(_moment(meetings[-1].first - dt.timedelta(days=10), 9)):
        for number, section in shop.sections.items():
            if number not in closed:
                consultations.open_section(section, by=users["rapporteur"])
    for meeting in meetings:
        event = _hold(shop, meeting, agendas[meeting.key], users["desk"])
        with clock_at(_moment(meeting.first - dt.timedelta(days=2), 9)):
            for session in event.sessions:
                if session.kind is SessionKind.GROUP:
                    change_session(session, by=BY, facilitator_id=users["facilitator"].id, rapporteur_id=users["rapporteur"].id)
    _comment(shop, users["rapporteur"], meetings[-1].first)


def publish() -> None:
    """Seal the local report at once, record what followed, and let its recommendations become follow-ups; the caller commits."""
    report = db.session.scalars(select(Report).order_by(Report.id)).one()
    seal_report(report.id)
    consultation, organiser = report.consultation, db.session.scalars(select(User).order_by(User.id)).first()
    assert organiser is not None
    manpower, day = "Manpower and Transmigration Department of Central Java", LOCAL[-1].first
    for kind, after, who in (
        (StepKind.COMMENTS_CLOSED, 1, "IOM"),
        (StepKind.COUNTERPART_ACCEPTED, 14, f"{manpower}, head of department"),
        (StepKind.CONSENT_GIVEN, 60, manpower),
    ):
        with clock_at(_moment(day + dt.timedelta(days=after), 15)):
            outcomes.record_step(consultation, kind, day + dt.timedelta(days=after), who, "", by=organiser)
    outcomes.record_step(consultation, StepKind.PUBLISHED, now().date(), f"IOM, with the {manpower}", "", by=organiser)
    outcomes.take_recommendations(consultation, by=organiser)
    rows = db.session.scalars(select(FollowUp).where(FollowUp.consultation_id == consultation.id).order_by(FollowUp.number)).all()
    owners = institutions(consultation)
    for n, row in enumerate(rows):
        due_on = dt.date(2024, 6, 30) + dt.timedelta(days=91 * (n % 14))
        outcomes.change_follow_up(row, row.text, owners[n % 5 * len(owners) // 5], "", due_on, by=organiser)
        if n % 3 == 0:
            outcomes.report_progress(row, FollowUpStatus.DONE, "A circular letter was sent to every district.", "", by=organiser)
        elif n % 3 == 1:
            outcomes.report_progress(row, FollowUpStatus.IN_PROGRESS, "A draft is with the legal bureau.", "", by=organiser)


def load() -> None:
    """Make both workshops in the caller's transaction; the report of the local one is asked for (see `publish`)."""
    with clock_at(_moment(dt.date(2023, 3, 1), 9)):
        users = _accounts()
    _local(users)
    _national(users)
