"""Two consultations in which there is one of everything, so that every address can be filled with ids that exist."""

from __future__ import annotations

import datetime as dt
import io
import re
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from consult_app import audit, storage
from consult_app.accounts.models import OpenSession, Passkey, User
from consult_app.attendance import devices
from consult_app.attendance.actions import check_in
from consult_app.comments import actions as comments
from consult_app.comments import answers, changes, drafts, evidence, replies
from consult_app.comments.models import CommentKind, DispositionKind, PositionValue
from consult_app.consultations import actions as consultations
from consult_app.consultations import deputies, team
from consult_app.consultations.models import Consultation, Section
from consult_app.db import db
from consult_app.documents import actions as documents
from consult_app.documents.models import PrintState
from consult_app.events.actions import add_session
from consult_app.events.models import Event
from consult_app.invitations import actions as invitations
from consult_app.invitations import answers as invitation_answers
from consult_app.invitations import sending
from consult_app.invitations.links import invitation_link
from consult_app.invitations.models import Channel, EventInvitation, InvitationKind
from consult_app.mail import Mail
from consult_app.messages import actions as messages
from consult_app.outcomes import actions as outcomes
from consult_app.outcomes.models import OutcomeStep, StepKind
from consult_app.policy import Role
from consult_app.privacy import actions as privacy
from consult_app.privacy.models import RequestKind
from consult_app.registrations import actions as registrations
from consult_app.registrations import questions, speakers, stakeholders
from consult_app.registrations.joining import make_join_code
from consult_app.registrations.models import InstitutionChange, QuestionKind, Registration
from consult_app.registrations.tickets import ticket_code
from consult_app.reports import files, papers, seal
from consult_app.reports.models import Report, ReportState
from consult_app.room import actions as rooms
from tests import factories
from tests.comments.files import PDF
from tests.conftest import Client
from tests.signoff.steps import freeze, name, sign

BY = factories.BY
LISTS = {
    "framework": ("framework.csv", b"dimension;code;question\n1;1.9;Is there one more?\n"),
    "registrations": ("people.csv", b"Name;Institution;E-mail;Type;Sex\nBudi Uji;Kantor Uji;budi.uji@example.org;government;M\n"),
    "invitations": ("guests.csv", b"Name;Institution;E-mail;Type\nSiti Uji;Kantor Uji;siti.uji@example.org;government\n"),
}


@dataclass
class Filled:
    """One consultation with one of everything; `ids` by the last parts of an address that stand before them."""

    consultation: Consultation
    event: Event
    ids: dict[str, str] = field(default_factory=dict)
    people: dict[str, Any] = field(default_factory=dict)  # who belongs to it, by name
    secrets: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)  # ids that stand in forms


def upload(data: bytes, filename: str) -> Any:
    class Upload(io.BytesIO):
        pass

    file = Upload(data)
    file.filename = filename  # type: ignore[attr-defined]
    return file


def staff(consultation: Consultation) -> dict[str, User]:
    roles = {
        "organiser": Role.ORGANISER, "check_in": Role.CHECK_IN, "facilitator": Role.FACILITATOR, "rapporteur": Role.RAPPORTEUR,
        "observer": Role.OBSERVER, "focal": Role.FOCAL_POINT, "focal_other": Role.FOCAL_POINT,
    }  # fmt: skip
    return {who: factories.make_user(role, consultation, name=f"{who} of {consultation.slug}") for who, role in roles.items()}


def fill_sections(made: Filled) -> None:
    """Section 1 is open for comments, 2 frozen and signed, 3 belongs to another focal point."""
    sections, focal = made.consultation.sections, made.people["focal"]
    for section in sections[:2]:
        consultations.open_section(section, by=BY)
        name(section, focal)
    point = name(sections[2], made.people["focal_other"])
    freeze(sections[1])
    signed = sign(sections[1], focal)
    delegation = deputies.delegate(
        made.consultation, made.people["focal_other"], dt.date.today() + dt.timedelta(days=300),  # noqa: DTZ011
        dt.date.today() + dt.timedelta(days=301), "Travelling.", by=focal,  # noqa: DTZ011
    )  # fmt: skip
    revision = sections[1].revision
    assert revision is not None
    key = storage.new_key()
    storage.store().put(key, PDF)
    paper = papers.keep_paper(sections[1], "pdf", key, PDF, "", revision.sha256, by=made.people["organiser"])
    made.ids |= {
        "sign-offs": signed.public_id, "deputies": delegation.public_id, "papers": paper.public_id, "team/focal-points": point.public_id,
        "revisions": "1",
    }  # fmt: skip


def fill_comments(made: Filled, participant: Registration, section: Section) -> None:
    focal, indicator = made.people["focal"], section.dimension.indicators[0]
    mine = [
        comments.write_comment(
            indicator, participant, CommentKind.WORDING, f"Comment {n} of {made.consultation.slug}", by=participant, client_key=f"key{n}",
            proposed="Another finding.", proposed_language="en",
        )
        for n in range(3)
    ]  # fmt: skip
    received = evidence.receive([upload(PDF, "evidence.pdf")])
    evidence.attach(mine[0], received, by=participant)
    reply = replies.reply_to(mine[0], "A reply", by=participant, client_key="reply")
    comments.take_position(indicator, participant, next(iter(PositionValue)), "", by=participant)
    drafts.keep(indicator, participant, {"text": "half a sentence"}, "draft")
    answers.decide(mine[0], DispositionKind.NOT_ACCEPTED, "No law says so.", by=focal)
    answers.decide(mine[1], DispositionKind.ACCEPTED, "", by=focal)
    answers.object_to(mine[0], "Not so.", by=participant)
    consultations.edit_section(section, {"narrative": {"en": "Changed after the comment."}}, section.edit_number, by=BY)
    changes.link(section, None, [mine[1].public_id], by=made.people["rapporteur"])
    made.ids |= {
        "comments": mine[0].public_id, "open comment": mine[2].public_id, "replies": reply.public_id, "evidence": "1",
        "changes": changes.links(section)[0].public_id,
    }  # fmt: skip


def fill_event(made: Filled) -> Registration:
    event, consultation, organiser = made.event, made.consultation, made.people["organiser"]
    session = add_session(event, {"en": "Group"}, event.starts_on, dt.time(9), dt.time(10), by=BY)
    person = factories.make_registration(
        event, name=f"Person of {consultation.slug}", email=f"p@{consultation.slug}.example", client_key=f"form-{consultation.slug}"
    )
    speakers.let_speak(person, by=BY)
    event.requires_approval = True
    waiting = factories.make_registration(event, name="Waiting")
    event.requires_approval = False
    audit.record(BY, "event.change", event)
    device, token = devices.create_token(event, "Desk one", by=BY)
    arrived = check_in(event, person, by=device, nonce=f"nonce-{consultation.slug}")
    assert arrived.check_in is not None
    documents.save_letterhead(event, {"signatory_name": "Ir. Signatory", "number_pattern": "{number}/X"}, by=organiser)
    (certificate,) = documents.issue(event, [person], by=BY)
    printout = documents.queue_print(event, "badges", [person], {"language": "en", "paper": "a4", "per_sheet": "8"}, by=organiser)
    printout.state, printout.data, printout.filename = PrintState.DONE, PDF, "badges.pdf"
    message = messages.send(event, [person], {"en": "Subject"}, {"en": "Body"}, by=organiser, client_key=f"message-{consultation.slug}")
    question = questions.add_question(event, questions.QuestionDetails(QuestionKind.TEXT, {"en": "Anything else?"}), by=BY)
    room = rooms.open_room(session, by=BY)
    rooms.start(room, by=BY)
    _code, secret = make_join_code(person, by=BY)
    kind = factories.stakeholder_type(consultation.id, "ngo")
    moving = InstitutionChange(consultation_id=consultation.id, registration=person, institution=waiting.institution, stakeholder_type=kind)
    db.session.add(moving)
    audit.record(person, "institution_change.ask", moving)
    made.people |= {"participant": person, "device": device, "waiting": waiting, "room": room}
    made.secrets |= {"token": token, "join": secret}
    made.ids |= {
        "events": event.slug, "agenda": session.public_id, "sessions": session.public_id, "registrations": person.public_id,
        "waiting": waiting.public_id,
        "guests": person.public_id, "desk/check-in": person.public_id, "desk/join": person.public_id, "devices": device.public_id,
        "check-ins": arrived.check_in.public_id, "checkins": f"nonce-{consultation.slug}", "certificates": certificate.public_id,
        "prints": printout.public_id, "institution": moving.public_id,
        "messages": message.public_id, "questions": question.public_id, "rooms": room.public_id, "r": room.public_id,
    }  # fmt: skip
    return person


def fill_invitations(made: Filled) -> None:
    event, kind = made.event, factories.stakeholder_type(made.consultation.id)
    guest = invitations.Guest(InvitationKind.PERSON, "Invited office", kind, name="Invited Person", email=f"i@{event.slug}.example")
    person = invitations.invite(event, guest, by=BY)
    many = invitations.Guest(InvitationKind.INSTITUTION, "Other office", kind, seats=5, name="Contact", email=f"c@{event.slug}.example")
    institution = invitations.invite(event, many, by=BY)
    for one in (person, institution):
        sending.send(one, Channel.MAIL, by=BY)
    details = registrations.Details("Delegate One", "Other office", kind, email=f"d@{event.slug}.example")
    delegate = invitation_answers.add_delegate(institution, details)
    made.people |= {"invitee": institution, "invitee_person": person}
    made.ids |= {"invitations": person.public_id, "delegates": delegate.public_id}


def fill_rest(made: Filled, participant: Registration) -> None:
    consultation, organiser = made.consultation, made.people["organiser"]
    asked = team.invite(consultation, f"colleague@{consultation.slug}.example", Role.OBSERVER, by=organiser)
    member = next(m for m in made.people["check_in"].memberships)
    kind = stakeholders.new_stakeholder_type(consultation, {"en": "Academia", "id": "Akademisi"}, by=BY)
    follow_up = outcomes.add_follow_up(consultation, {"en": "Write a regulation"}, None, "", None, by=BY)
    request = privacy.ask(participant, RequestKind.CORRECT, "My name is spelled otherwise.", by=participant)
    step = OutcomeStep(
        consultation_id=consultation.id, kind=StepKind.COMMENTS_CLOSED, happened_on=dt.date(2024, 1, 1), decided_by="IOM", note="",
        recorded_by=organiser,
    )  # fmt: skip
    report = Report(consultation=consultation, number=1, language="en", requested_by_id=organiser.id)
    db.session.add_all([step, report])
    audit.record(BY, "outcome.comments_closed", step)
    report.filename, report.sha256, report.size = f"{consultation.slug}.pdf", seal.sha256(PDF), len(PDF)
    report.manifest = {
        "sections": [], "title": consultation.title, "chain": {}, "seal": {"certificate": "ab" * 32, "level": "PAdES B-B", "authority": ""},
        "files": {"json": {"sha256": seal.sha256(b"{}"), "size": 2}},
    }  # fmt: skip
    files.keep(report.filename, PDF)
    files.keep(f"{report.public_id}.json", b"{}")
    report.state, report.sealed_at = ReportState.SEALED, dt.datetime.now(dt.UTC)
    audit.record(BY, "report.seal", report)
    mail = db.session.scalars(db.select(Mail).where(Mail.consultation_id == consultation.id)).first()
    assert mail is not None
    made.fields = {
        "section": consultation.sections[0].public_id, "user": made.people["focal_other"].public_id, "person": participant.public_id,
        "deputy": made.people["focal_other"].public_id, "institution": participant.institution.public_id,
        "point": consultation.sections[0].focal_points[0].public_id, "dimension": consultation.dimensions[-1].public_id,
        "ticket": ticket_code(participant.seed), "type": kind.public_id, "staff": made.people["facilitator"].public_id,
    }  # fmt: skip
    made.ids |= {
        "consultations": consultation.slug, "sections": "1", "indicators": "1.1", "team": member.public_id,
        "team/invitations": asked.public_id, "stakeholder-types": kind.public_id, "follow-up": follow_up.public_id,
        "data-requests": request.public_id, "steps": step.public_id, "reports": report.public_id, "mail": mail.public_id,
    }  # fmt: skip


def fill_lists(made: Filled, client: Client) -> None:
    """A file of each kind that was read and waits to be saved."""
    slug, event = made.consultation.slug, made.event.slug
    matrix = client.get(f"/consultations/{slug}/comment-matrix.xlsx").data
    for what, where, (filename, data) in (
        ("framework", f"/consultations/{slug}", LISTS["framework"]),
        ("comments", f"/consultations/{slug}", ("matrix.xlsx", matrix)),
        ("registrations", f"/events/{event}", LISTS["registrations"]),
        ("invitations", f"/events/{event}", LISTS["invitations"]),
    ):
        answer = client.post(f"{where}/{what}/import", data={"file": (io.BytesIO(data), filename)})
        assert answer.status_code == 303, f"{what}: {answer.text}"
        made.ids[f"{what}/import"] = answer.location.rsplit("/", 1)[1]


def populate(slug: str, sections: int) -> Filled:
    """A consultation with one of everything in it."""
    consultation = factories.make_consultation(indicators=sections * 2, dimensions=sections, slug=slug, partners=["IOM"])
    day = dt.datetime.now(dt.timezone(dt.timedelta(hours=7))).date()
    hours = {"starts_on": day, "ends_on": day, "starts_at": dt.time(0), "ends_at": dt.time(23, 59)}
    made = Filled(consultation, factories.make_event(consultation, slug=f"{slug}-event", **hours), people=staff(consultation))
    elsewhere = factories.make_event(consultation, slug=f"{slug}-other")
    fill_sections(made)
    participant = fill_event(made)
    made.people["participant_other"] = factories.make_registration(elsewhere, name="Of another event")
    fill_comments(made, participant, consultation.sections[0])
    fill_invitations(made)
    fill_rest(made, participant)
    db.session.commit()
    return made


@dataclass
class Site:
    app: Flask
    ours: Filled
    theirs: Filled
    cookies: dict[str, str] = field(default_factory=dict)  # of a session, by who
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    kept: sqlite3.Connection = field(default_factory=lambda: sqlite3.connect(":memory:"))
    their_rows: dict[str, set[int]] = field(default_factory=dict)
    known_links: list[str] = field(default_factory=list)  # to them, of what came after: that their participant is here now
    known_mentions: set[str] = field(default_factory=set)

    @property
    def database(self) -> str:
        return str(self.app.config["DATABASE_URL"]).removeprefix("sqlite:///")

    def keep(self) -> None:
        """Remember the database as it is now."""
        db.session.commit()
        with sqlite3.connect(self.database) as live:
            live.backup(self.kept)

        self.watched = sqlite3.connect(self.database)
        self.version = self._version()

    def _version(self) -> int:
        """Changes with every commit that anybody makes."""
        return int(self.watched.execute("PRAGMA data_version").fetchone()[0])

    def put_back(self) -> bool:
        """Make it so again; says whether anything had changed."""
        db.session.rollback()
        if self._version() == self.version:
            return False
        with sqlite3.connect(self.database) as live:
            self.kept.backup(live)
        self.version = self._version()
        db.session.expire_all()
        return True

    def ask(self, who: str, method: str, path: str, **more: Any) -> Any:
        """One request of somebody, who is signed in however often this is called."""
        client = self.app.test_client(use_cookies=False)
        headers = {**self.headers.get(who, {}), **more.pop("headers", {})}
        if who in self.cookies:
            headers["Cookie"] = f"consult={self.cookies[who]}"
        return client.open(path, method=method, headers=headers, buffered=False, **more)

    def is_changed(self) -> bool:
        return self._version() != self.version

    def rows(self) -> dict[tuple[str, int], tuple[Any, ...]]:
        """Every row of the other consultation."""
        return {
            (table, row[0]): row
            for table, ids in self.their_rows.items()
            for row in self.watched.execute(f"SELECT rowid, * FROM {table}")
            if row[0] in ids
        }

    def links(self) -> list[str]:
        """Rows that are not the other consultation's and point into it."""
        found = []
        for table in _tables(self.watched):
            for key in self.watched.execute(f"PRAGMA foreign_key_list({table})"):
                to, column = key[2], key[3]
                for row, pointed in self.watched.execute(f"SELECT rowid, {column} FROM {table}"):
                    if row not in self.their_rows.get(table, ()) and pointed in self.their_rows.get(to, ()):
                        found.append(f"{table} {row}: {column}")
        return found

    def mentions(self) -> set[str]:
        """Rows that are not the other consultation's and name a row of it by its public id, in whatever column."""
        theirs = [
            row[0]
            for table, ids in self.their_rows.items()
            if "public_id" in _columns(self.watched, table)
            for row in self.watched.execute(f"SELECT public_id, rowid FROM {table}")
            if row[1] in ids
        ]
        wanted, found = re.compile("|".join(theirs)), set()
        for table in _tables(self.watched):
            for row, *values in self.watched.execute(f"SELECT rowid, * FROM {table}"):
                if row not in self.their_rows.get(table, ()) and any(isinstance(one, str) and wanted.search(one) for one in values):
                    found.add(f"{table} {row}")
        return found


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _tables(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")]


def _ids(database: str) -> dict[str, set[int]]:
    with sqlite3.connect(database) as live:
        return {table: {row[0] for row in live.execute(f"SELECT rowid FROM {table}")} for table in _tables(live)}


def _cookie(client: Any) -> str:
    cookie = client.get_cookie("consult")
    assert cookie is not None
    return str(cookie.value)


def enter(app: Flask, who: User | Registration | EventInvitation) -> Client:
    """A client that has the session of that person."""
    client: Any = app.test_client()
    if isinstance(who, User):
        client.sign_in(who)
    elif isinstance(who, Registration):
        client.open_link(who)
    else:
        answer = client.post("/invitation", data={"token": invitation_link(who).rpartition("#")[2]})
        assert answer.status_code == 303, answer.text
    return client  # type: ignore[no-any-return]


def fill(app: Flask) -> Site:
    """Both consultations and everybody's session."""
    made, seen = [], []
    for slug, sections in (("ours", 3), ("theirs", 4)):
        one = populate(slug, sections)
        fill_lists(one, enter(app, one.people["organiser"]))
        db.session.commit()
        made.append(one)
        seen.append(_ids(str(app.config["DATABASE_URL"]).removeprefix("sqlite:///")))
    site = Site(app, *made)
    site.their_rows = {table: rows - seen[0][table] for table, rows in seen[1].items() if rows - seen[0][table]}
    site.theirs.ids |= {"sections": "4", "indicators": "4.1"}  # numbers that ours has not
    administrator = factories.make_user(administrator=True)
    passkey = Passkey(user=administrator, name="key", credential_id="credential", public_key="key")
    db.session.add(passkey)
    audit.record(BY, "passkey.add", passkey)
    site.ours.ids["passkeys"] = passkey.public_id
    who = {name: one for name, one in site.ours.people.items() if name not in ("device", "room", "waiting")}
    who |= {"administrator": administrator, "organiser_elsewhere": site.theirs.people["organiser"]}
    who |= {"participant_elsewhere": site.theirs.people["participant"]}
    enter(app, administrator)  # in another browser, which can be signed out
    site.cookies = {name: _cookie(enter(app, one)) for name, one in who.items()}
    site.ours.ids["account/signed-in"] = (
        db.session.scalars(db.select(OpenSession.public_id).where(OpenSession.user_id == administrator.id).order_by(OpenSession.id)).first()
        or ""
    )
    site.headers["device"] = {"Authorization": f"Bearer {site.ours.secrets['token']}"}
    site.headers["device_elsewhere"] = {"Authorization": f"Bearer {site.theirs.secrets['token']}"}
    site.keep()
    site.known_links, site.known_mentions = site.links(), site.mentions()
    return site
